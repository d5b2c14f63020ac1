"""The ONNX file gives the vectors that torch gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from toy import toy_images, toy_texts

from handful import pretrain
from handful.encoders import ConvolutionalEncoder
from handful.errors import InputError
from handful.training.export import export_onnx

pytest.importorskip("onnxscript", reason="the extra 'onnx' is not installed")
runtime = pytest.importorskip("onnxruntime", reason="the extra 'onnx' is not installed")


@pytest.mark.parametrize("method", ["simclr", "masked", "vae", "untrained"])
def test_onnx_gives_the_vectors_of_torch_for_any_number_of_samples(tmp_path: Path, method: str) -> None:
    data = toy_images()
    network = ConvolutionalEncoder(3, widths=(8, 16)) if method in ("simclr", "vae") else None
    encoder = pretrain(data, method, network, epochs=1, batch_size=32, precision="no")
    export_onnx(encoder, tmp_path / "encoder.onnx", data)
    session = runtime.InferenceSession(str(tmp_path / "encoder.onnx"))
    for rows in (np.arange(1), np.arange(40)):
        batch = encoder.modality.batch(data.samples, rows).numpy()
        (vectors,) = session.run(["vectors"], {"batch": batch})
        assert np.allclose(vectors, encoder.embed(data, rows=rows).vectors, atol=1e-4)


def test_batches_that_are_not_one_tensor_are_refused(tmp_path: Path) -> None:
    data = toy_texts()
    encoder = pretrain(data, "random", precision="no")
    with pytest.raises(InputError, match="a batch of text is not one tensor"):
        export_onnx(encoder, tmp_path / "encoder.onnx", data)
