"""Any network of one's own as an encoder: an nn.Module or an ONNX file, with what prepares its input."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from handful.encoders.encoded import Encoded
from handful.encoders.hub import fast_arithmetic, first_sentence, hold_statistics
from handful.encoders.onnx_module import OnnxModule
from handful.encoders.pixels import Pixels
from handful.encoders.saving import Cut
from handful.errors import InputError

_AT_ONCE = 64  # samples that run at a time: the activations of more would fill the memory
_VECTORS = ("pooler_output", "image_embeds", "embeddings", "embedding", "vectors", "pooled", "features")
_STATES = ("last_hidden_state", "logits")


class Wrapped(nn.Module):
    """Maps batches with a module of one's own, whatever it returns. What `wrap` makes.

    module: None where the encoder was loaded from a folder: the code of a module is not saved, only its weights.
    pixels: what prepares images; preprocess: what is applied after it. width: of the vectors, None until they are seen.
    """

    causal = False

    def __init__(
        self,
        module: nn.Module | None,
        *,
        kind: str,
        pixels: Pixels | None = None,
        preprocess: Callable[[Any], Any] | None = None,
        width: int | None = None,
    ) -> None:
        super().__init__()
        self.module, self.kind, self.pixels, self.preprocess = module, kind, pixels, preprocess
        self.width: Any = width
        self.told = ""
        self._saved: dict[str, torch.Tensor] = {}  # weights that were read before there was a module to put them in

    @property
    def config(self) -> dict[str, Any]:
        """What the network is described by when it is saved."""
        size = self.module.size if isinstance(self.module, OnnxModule) else None
        pixels = None if self.pixels is None else self.pixels.config
        return {"kind": self.kind, "pixels": pixels, "width": self.width, "onnx_bytes": size}

    @classmethod
    def from_config(cls, config: dict[str, Any], *, cut: Cut | None) -> Wrapped:
        """Return what was described: of an ONNX file the network, of a module a place for it."""
        size = config["onnx_bytes"]
        pixels = None if config["pixels"] is None else Pixels(**config["pixels"])
        module = None if size is None else OnnxModule(size)
        return cls(module, kind=config["kind"], pixels=pixels, width=config["width"])

    @property
    def reads(self) -> dict[str, int]:
        """How the data must be read for it: of images the side in pixels."""
        return {} if self.pixels is None or self.pixels.size is None else {"size": self.pixels.size}

    @property
    def identity(self) -> str:
        """What tells it from another: its class and a digest of its weights and of what prepares its input."""
        digest = hashlib.blake2b(digest_size=8)
        prepares = getattr(self.preprocess, "__qualname__", type(self.preprocess).__name__)
        digest.update(repr((None if self.pixels is None else self.pixels.config, prepares)).encode())
        for name, weight in self.state_dict().items():
            digest.update(name.encode())
            digest.update(weight.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
        return f"{self.kind} {digest.hexdigest()}"

    @property
    def needs_code(self) -> bool:
        """Whether it does what it does by code that is not saved with it."""
        return self.preprocess is not None or not isinstance(self.module, OnnxModule)

    def adopt(self, other: Wrapped) -> None:
        """Take a copy of the module of another one, with the weights that were saved, where this was loaded without."""
        if self.module is not None or other.module is None:
            return
        self.module, self.preprocess = copy.deepcopy(other.module), other.preprocess
        self.load_state_dict(self._saved)
        self._saved = {}

    def forward(self, batch: Any) -> Encoded:
        if self.module is None:
            raise InputError(
                f"this encoder was made around a module of class {self.kind}, whose code is not saved: give it again, "
                "encoder=handful.wrap(...)."
            )
        whole = torch.is_grad_enabled() or not isinstance(batch, torch.Tensor)
        with fast_arithmetic(self.training):
            made = [self._read(part) for part in ([batch] if whole else batch.split(_AT_ONCE))]
        features, pooled = (torch.cat(side) for side in zip(*made, strict=True))
        self._check(pooled)
        return Encoded(features, pooled)

    def _read(self, batch: Any) -> tuple[torch.Tensor, torch.Tensor]:
        assert self.module is not None
        prepared = self._prepare(batch)
        try:
            out = self.module(prepared)
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            shape = f" of shape {tuple(prepared.shape)}" if isinstance(prepared, torch.Tensor) else ""
            raise InputError(
                f"the wrapped {self.kind} cannot read a batch{shape} ({first_sentence(error)}): say how its input is "
                "prepared with size, mean, std or preprocess."
            ) from error
        features, pooled, self.told = read_output(out, self.kind)
        return features, pooled

    def _prepare(self, batch: Any) -> Any:
        if isinstance(batch, torch.Tensor) and batch.ndim in (4, 5):
            pixels = self.pixels or Pixels()
            batch = pixels(batch) if batch.ndim == 4 else pixels(batch).transpose(1, 2)
        return batch if self.preprocess is None else self.preprocess(batch)

    def _check(self, pooled: torch.Tensor) -> None:
        if self.width not in (None, pooled.shape[1]):
            raise InputError(
                f"width={self.width} was said of the wrapped {self.kind}, which gives vectors of {pooled.shape[1]} "
                "numbers: leave width away."
            )
        self.width = pooled.shape[1]
        if not torch.is_grad_enabled() and not bool(torch.isfinite(pooled).all()):
            raise InputError(
                f"the wrapped {self.kind} gives vectors that are not finite: check its weights and how its input is "
                "prepared."
            )

    def train(self, mode: bool = True) -> Wrapped:
        """Set the mode; the statistics of batch norms stay as they came."""
        super().train(mode)
        hold_statistics(self)
        return self

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        if self.module is not None:
            super()._load_from_state_dict(state_dict, prefix, *rest)
        else:
            self._saved = {
                name.removeprefix(prefix): value for name, value in state_dict.items() if name.startswith(prefix)
            }


def wrap(
    module: nn.Module | str | Path,
    *,
    preprocess: Callable[[Any], Any] | None = None,
    width: int | None = None,
    size: int | None = None,
    crop: int | None = None,
    mean: float | Sequence[float] = 0.0,
    std: float | Sequence[float] = 1.0,
    resample: str = "bicubic",
) -> Wrapped:
    """Return a network of one's own as an encoder: `pretrain(data, encoder=wrap(network, size=224, mean=.5, std=.5))`.

    module: an nn.Module, or the path of an ONNX file with one input. It may return vectors [B, D], tokens [B, L, D], a
        feature map [B, C, H, W] (both are averaged), or a tuple or dictionary that holds one of them.
    size, crop, mean, std, resample: of images, how they are brought to its size and scaled, from values from 0 to 1 in
        three channels; mean and std for each channel, or one number.
    preprocess: a function of what comes out of that; of other kinds of data, of the batch as it is.
    width: how long its vectors are; found where it is not given.
    Raises InputError for a file that is no ONNX file, or settings that do not fit one another.
    """
    if isinstance(module, str | Path):
        module = OnnxModule.open(module)
    if not isinstance(module, nn.Module):
        raise InputError(f"wrap takes an nn.Module or the path of an ONNX file, got a {type(module).__name__}.")
    for name, weight in module.state_dict().items():
        if weight.is_floating_point() and not bool(torch.isfinite(weight).all()):
            raise InputError(f"the {type(module).__name__} has weights that are not finite, in {name!r}: load it anew.")
    pixels = Pixels(size=size, crop=crop, mean=mean, std=std, resample=resample)
    made = Wrapped(module, kind=type(module).__name__, pixels=pixels, preprocess=preprocess, width=width).eval()
    if size is not None:
        with torch.inference_mode():
            made(torch.zeros(1, 3, size, size))
    return made


def read_output(out: Any, kind: str) -> tuple[torch.Tensor, torch.Tensor, str]:
    """Return the features [B, L, D], the vectors [B, D] and, in words, what was made of the output of a module.

    Raises InputError where nothing in it is a vector a sample.
    """
    if isinstance(out, Encoded):
        return out.features, out.pooled, "its own vectors"
    name, tensor = _choose(out, kind)
    if tensor.ndim == 2:
        return tensor[:, None].float(), tensor.float(), f"{name} as it is"
    if tensor.ndim == 3:
        return (
            tensor.float(),
            tensor.float().mean(1),
            f"{name} {_shape(tensor)}, averaged over its {tensor.shape[1]} places",
        )
    if tensor.ndim in (4, 5):
        places = tensor.float().flatten(2).transpose(1, 2)
        return places, places.mean(1), f"{name} {_shape(tensor)}, a feature map, averaged over its places"
    raise InputError(
        f"the wrapped {kind} gives {_shape(tensor)} for a batch: vectors [B, D] or a map of them are needed."
    )


def _choose(out: Any, kind: str) -> tuple[str, torch.Tensor]:
    """Return the tensor that stands for the samples, and its name."""
    if isinstance(out, torch.Tensor):
        return "its output", out
    if isinstance(out, Mapping):
        tensors = {name: value for name, value in out.items() if isinstance(value, torch.Tensor)}
        for name in (*_VECTORS, *_STATES):
            if name in tensors:
                return f"its {name!r}", tensors[name]
        if len(tensors) == 1:
            return next((f"its {name!r}", value) for name, value in tensors.items())
        raise InputError(
            f"the wrapped {kind} returns a dictionary of {', '.join(map(repr, out))}: return one tensor, or name it "
            "'features'."
        )
    if isinstance(out, list | tuple):
        for value in out:
            if isinstance(value, torch.Tensor):
                return "the first of its outputs", value
    raise InputError(
        f"the wrapped {kind} returns a {type(out).__name__}: a tensor, or a tuple or dictionary of them is needed."
    )


def _shape(tensor: torch.Tensor) -> str:
    return f"[{', '.join(['B', *map(str, tensor.shape[1:])])}]"
