"""Networks of one's own as encoders: whatever they return, saved and taken up again."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from toy import toy_images, toy_series, toy_tables

from handful import Encoder, InputError, pretrain, wrap
from handful.encoders import Encoded
from handful.encoders.wrapped import Wrapped


class Gives(nn.Module):
    """A convolution of 8 channels, whose map is given as `shape` makes it."""

    def __init__(self, shape: Callable[[torch.Tensor], Any]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.convolution, self.shape = nn.Conv2d(3, 8, 3, stride=2), shape

    def forward(self, images: torch.Tensor) -> Any:
        return self.shape(self.convolution(images))


def _mean(found: torch.Tensor) -> torch.Tensor:
    return found.mean((2, 3))


OUTPUTS: dict[str, Callable[[torch.Tensor], Any]] = {
    "a vector": _mean,
    "a feature map": lambda found: found,
    "tokens": lambda found: found.flatten(2).transpose(1, 2),
    "a tuple": lambda found: (found, "more"),
    "a dictionary": lambda found: {"features": _mean(found), "logits": found},
    "one entry": lambda found: {"any name": found},
    "encoded": lambda found: Encoded(found.flatten(2).transpose(1, 2), _mean(found)),
}


@pytest.mark.parametrize("output", OUTPUTS)
def test_every_output_becomes_the_same_vectors(output: str) -> None:
    images = torch.rand(5, 3, 12, 12, generator=torch.Generator().manual_seed(0)) * 2 - 1
    encoded = wrap(Gives(OUTPUTS[output]))(images)  # with gradients, so in full precision
    wanted = Gives(_mean)((images + 1) / 2)
    assert torch.allclose(encoded.pooled, wanted, atol=1e-6)
    assert encoded.features.shape[::2] == (5, 8)


def test_what_was_made_of_a_feature_map_is_said() -> None:
    encoder = pretrain(toy_images(20), encoder=wrap(Gives(lambda found: found), size=12))
    assert "its output [B, 8, 5, 5], a feature map, averaged over its places" in encoder.record["verdict"]


def test_images_are_sized_scaled_and_then_preprocessed() -> None:
    seen: list[torch.Tensor] = []

    def note(images: torch.Tensor) -> torch.Tensor:
        seen.append(images)
        return images

    with torch.inference_mode():
        wrap(Gives(_mean), size=10, mean=0.5, std=0.5, preprocess=note)(torch.full((2, 1, 20, 20), 0.5))
    assert seen[-1].shape == (2, 3, 10, 10)
    assert torch.allclose(seen[-1], torch.tensor(0.5), atol=1e-6)


def test_run_goes_on_with_the_module_given_again(tmp_path: Path) -> None:
    data = toy_images(20)
    encoder = pretrain(data, encoder=wrap(Gives(_mean)), out=tmp_path)
    again = pretrain(data, encoder=wrap(Gives(_mean)), out=tmp_path)
    assert np.allclose(again.embed(data).vectors, encoder.embed(data).vectors, atol=1e-2)
    with pytest.raises(InputError, match="made around a module of class Gives, whose code is not saved"):
        Encoder.from_pretrained(tmp_path).embed(data)


def test_other_weights_are_another_encoder(tmp_path: Path) -> None:
    data = toy_images(20)
    first = pretrain(data, encoder=wrap(Gives(_mean)), out=tmp_path)
    other = Gives(_mean)
    nn.init.ones_(other.convolution.weight)
    second = pretrain(data, encoder=wrap(other), out=tmp_path)
    assert not np.allclose(first.embed(data).vectors, second.embed(data).vectors)


def test_other_kinds_of_data_come_as_they_are() -> None:
    data = toy_series(20)
    encoder = pretrain(data, encoder=wrap(nn.Identity(), preprocess=lambda batch: batch["values"].std(2)))
    assert encoder.embed(data).vectors.shape[0] == 20


def test_training_goes_on_from_a_module() -> None:
    module = Gives(_mean)
    before = module.convolution.weight.detach().clone()
    trained = pretrain(toy_images(32), "autoencoder", wrap(module, size=12), epochs=1, batch_size=16, precision="no")
    wrapped = next(one for one in trained.networks["autoencoder"].modules() if isinstance(one, Wrapped))
    assert not torch.equal(before, wrapped.module.convolution.weight.cpu())
    assert torch.equal(before, module.convolution.weight)


def _broken() -> nn.Module:
    module = Gives(_mean)
    nn.init.constant_(module.convolution.weight, float("nan"))
    return module


BAD: dict[str, tuple[Callable[[], Any], str]] = {
    "no module": (lambda: wrap(_mean), "wrap takes an nn.Module or the path of an ONNX file, got a function"),  # type: ignore[arg-type]
    "no file": (lambda: wrap("no/such.onnx"), "no/such.onnx does not exist"),
    "weights with NaN": (lambda: wrap(_broken()), "weights that are not finite, in 'convolution.weight'"),
    "values with NaN": (
        lambda: wrap(Gives(lambda found: _mean(found) * np.nan), size=12),
        "vectors that are not finite",
    ),
    "width": (lambda: wrap(Gives(_mean), size=12, width=16), "width=16 was said of the wrapped Gives, .* vectors of 8"),
    "size": (lambda: wrap(Gives(_mean), size=2), r"cannot read a batch of shape \(1, 3, 2, 2\)"),
    "a number": (lambda: wrap(Gives(lambda found: found.mean()), size=12), r"gives \[B\] for a batch"),
    "nothing": (lambda: wrap(Gives(lambda found: None), size=12), "returns a NoneType"),
    "two entries": (lambda: wrap(Gives(lambda f: {"a": f, "b": f}), size=12), "returns a dictionary of 'a', 'b'"),
    "another kind": (lambda: pretrain(toy_tables(20), encoder=wrap(Gives(_mean))), "cannot read a batch"),
    "pooling": (lambda: pretrain(toy_images(20), encoder=wrap(Gives(_mean)), pooling="cls"), "encoder that is named"),
}


@pytest.mark.parametrize("fault", BAD)
def test_what_cannot_be_used_is_told_in_one_sentence(fault: str) -> None:
    made, words = BAD[fault]
    with pytest.raises(InputError, match=words) as told:
        made()
    assert str(told.value).count("\n") == 0


def test_onnx_file_gives_the_vectors_of_its_module(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="the extra 'onnx' is not installed")
    pytest.importorskip("onnxscript", reason="the extra 'onnx' is not installed")
    module, data, path = Gives(_mean).eval(), toy_images(20), tmp_path / "network.onnx"
    shapes = ({0: torch.export.Dim("samples", min=1)},)
    with torch.inference_mode(), warnings.catch_warnings(action="ignore"):  # of the exporter's own making
        program = torch.onnx.export(
            module, (torch.zeros(3, 3, 12, 12),), dynamic_shapes=shapes, dynamo=True, verbose=False
        )
    assert program is not None
    program.save(str(path))
    images, given = torch.rand(5, 3, 12, 12), wrap(path)
    assert torch.allclose(given(images).pooled, module((images + 1) / 2), atol=1e-5)
    encoder = pretrain(data, encoder=given, out=tmp_path / "encoder")
    path.unlink()
    again = Encoder.from_pretrained(tmp_path / "encoder")
    assert np.allclose(again.embed(data).vectors, encoder.embed(data).vectors, atol=1e-5)


def test_file_that_is_no_onnx_file_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="the extra 'onnx' is not installed")
    (tmp_path / "x.onnx").write_bytes(b"not a network")
    with pytest.raises(InputError, match="the ONNX file cannot be read"):
        wrap(tmp_path / "x.onnx")
