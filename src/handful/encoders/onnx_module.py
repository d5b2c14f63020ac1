"""An ONNX file as a module: its bytes are its only weights, so that an encoder around it is saved whole."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from handful.errors import InputError


class OnnxModule(nn.Module):
    """Maps a batch with a network in the ONNX format, run by onnxruntime on the CPU.

    It gives its one output, or a dictionary of all by name. size: how many bytes the file has.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.content = nn.Buffer(torch.zeros(size, dtype=torch.uint8))

    @classmethod
    def open(cls, path: str | Path) -> OnnxModule:
        """Return the network in a file. Raises InputError where there is none, or it cannot be read."""
        path = Path(path).expanduser()
        if not path.is_file():
            raise InputError(f"{path} does not exist: give the path of an ONNX file, or an nn.Module.")
        content = path.read_bytes()
        made = cls(len(content))
        made.content.copy_(torch.from_numpy(np.frombuffer(content, np.uint8).copy()))
        inputs = made.session.get_inputs()
        if len(inputs) != 1:
            raise InputError(f"{path} has the inputs {', '.join(i.name for i in inputs)}: a file with one is needed.")
        return made

    @cached_property
    def session(self) -> Any:
        """What runs it."""
        try:
            import onnxruntime
        except ImportError:
            raise InputError("ONNX files need the extra 'onnx': pip install 'handful[onnx]'.") from None
        try:
            return onnxruntime.InferenceSession(
                self.content.cpu().numpy().tobytes(), providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime raises classes of its own, below Exception
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(
                f"the ONNX file cannot be read ({reason}): weights must lie in the file itself, not beside it."
            ) from None

    def forward(self, batch: torch.Tensor) -> torch.Tensor | dict[str, torch.Tensor]:
        given = self.session.get_inputs()[0]
        rows = batch.detach().cpu().numpy().astype(np.float32)
        alone = given.shape and given.shape[0] == 1  # exported for one sample at a time
        runs = [self.session.run(None, {given.name: part}) for part in (np.split(rows, len(rows)) if alone else [rows])]
        made = [torch.from_numpy(np.concatenate(parts)).to(batch.device) for parts in zip(*runs, strict=True)]
        if len(made) == 1:
            return made[0]
        return {output.name: tensor for output, tensor in zip(self.session.get_outputs(), made, strict=True)}
