"""An encoder as an ONNX file: one batch of tensors in, vectors of length one out, without Python."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn

from handful.data import Dataset
from handful.errors import InputError
from handful.files import written_whole
from handful.training.encoder import Encoder

EXAMPLE_ROWS = 3


class _Vectors(nn.Module):
    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return self.encoder(batch).pooled


def export_onnx(encoder: Encoder, path: str | Path, data: Dataset) -> None:
    """Write `encoder` to `path`, for batches of any number of samples of the shape of those of `data`.

    The file has one input, "batch" (as the kind of data makes it: images [B, C, H, W] in [-1, 1]), and one output,
    "vectors" [B, D]. Raises InputError where onnxscript is not installed, or a batch is not one tensor.
    """
    if importlib.util.find_spec("onnxscript") is None:
        raise InputError("export needs the package onnxscript: install handful[onnx].")
    encoder.check_reads(data)
    batch = encoder.modality.batch(data.samples, np.arange(min(EXAMPLE_ROWS, len(data))))
    if not isinstance(batch, torch.Tensor):
        raise InputError(f"a batch of {encoder.modality.name} is not one tensor, and only such encoders are exported.")
    shapes = {"batch": {0: torch.export.Dim("samples", min=1)}}
    with torch.inference_mode(), warnings.catch_warnings(action="ignore"):  # of the exporter's own making
        program = torch.onnx.export(
            _Vectors(encoder.eval()).cpu(),
            (batch,),
            input_names=["batch"],
            output_names=["vectors"],
            dynamic_shapes=shapes,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    with written_whole(Path(path)) as file:
        program.save(file.name)
