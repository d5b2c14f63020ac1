"""From images as handful keeps them, in [-1, 1], to what a network that was trained elsewhere wants to see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from handful.errors import InputError, check_at_least, check_choice

RESAMPLINGS = {"nearest": 0, "bilinear": 2, "bicubic": 3, "lanczos": 1, "box": 4, "hamming": 5}
"""The numbers that processors give them; torch has the first three, bicubic stands in for the others."""
_CONVNEXT_KEEPS = 224 / 256  # of the side, where the processor does not say


class Pixels(nn.Module):
    """Maps square images [B, C, H, H] or clips [B, C, T, H, H] in [-1, 1] to colour of one size, as a network wants it.

    size: pixels of a side that images are brought to. crop: pixels of the centre that is then kept, None for all.
    mean, std: of each channel, for values from 0 to 1, or one number for all. resample: how they are resized.
    channels: 3 (grey is repeated) or 1 (colour is averaged). frames: how many of a clip are kept, evenly spread.
    """

    def __init__(
        self,
        *,
        size: int | None = None,
        crop: int | None = None,
        mean: float | Sequence[float] = 0.0,
        std: float | Sequence[float] = 1.0,
        resample: str = "bicubic",
        channels: int = 3,
        frames: int | None = None,
    ) -> None:
        super().__init__()
        check_choice("resample", resample, RESAMPLINGS)
        for name, value in (("size", size), ("crop", crop), ("frames", frames)):
            if value is not None:
                check_at_least(name, value, 1)
        if size is not None and crop is not None and crop > size:
            raise InputError(f"crop={crop} must not be larger than size={size}, the side that images are brought to.")
        self.size, self.crop, self.resample, self.channels, self.frames = size, crop, resample, channels, frames
        self.mean = nn.Buffer(_by_channel("mean", mean, channels), persistent=False)
        self.std = nn.Buffer(_by_channel("std", std, channels), persistent=False)
        if bool((self.std <= 0).any()):
            raise InputError(f"std must be above 0 in each channel, got {std!r}.")
        self.config = {
            "size": size,
            "crop": crop,
            "mean": self.mean.tolist(),
            "std": self.std.tolist(),
            "resample": resample,
            "channels": channels,
            "frames": frames,
        }

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        if batch.ndim == 5:
            return self._clips(batch)
        images = self._sized(self._coloured(batch))
        return (images * 0.5 + 0.5 - self.mean.view(-1, 1, 1)) / self.std.view(-1, 1, 1)

    def _clips(self, batch: torch.Tensor) -> torch.Tensor:
        """Return clips [B, T, C, H, W] of [B, C, T, H, W]."""
        clips = batch.transpose(1, 2)
        if self.frames is not None:
            clips = clips[:, torch.linspace(0, clips.shape[1] - 1, self.frames).round().long()]
        return self(clips.flatten(0, 1)).unflatten(0, clips.shape[:2])

    def _coloured(self, images: torch.Tensor) -> torch.Tensor:
        if images.shape[1] == self.channels:
            return images
        return images.mean(1, keepdim=True).expand(-1, self.channels, -1, -1)

    def _sized(self, images: torch.Tensor) -> torch.Tensor:
        if self.size is not None and images.shape[-2:] != (self.size, self.size):
            mode = self.resample if RESAMPLINGS[self.resample] in (0, 2) else "bicubic"
            images = F.interpolate(images, (self.size, self.size), mode=mode, antialias=mode != "nearest").clamp(-1, 1)
        if self.crop is not None:
            margin = (images.shape[-1] - self.crop) // 2
            images = images[..., margin : margin + self.crop, margin : margin + self.crop]
        return images


def pixels_of(name: str, processor: Mapping[str, Any], *, channels: int = 3, frames: int | None = None) -> Pixels:
    """Return what prepares images as the processor of the model `name` does.

    processor: its configuration, as transformers writes it. Images are square already: of a size that is not, the
    shorter side is taken. Raises InputError where it does not say one size.
    """
    size, crop = _sides(name, processor)
    scale = 255 * processor.get("rescale_factor", 1 / 255) if processor.get("do_rescale", True) else 255.0
    normalised = processor.get("do_normalize", True)
    mean = _by_channel("image_mean", processor.get("image_mean") or 0.5, channels) if normalised else torch.zeros(1)
    std = _by_channel("image_std", processor.get("image_std") or 0.5, channels) if normalised else torch.ones(1)
    offset = 1.0 if processor.get("rescale_offset") else 0.0
    # (scale * x - offset - mean) / std, written for x from 0 to 1; EfficientNet divides by its std twice
    twice = std if normalised and processor.get("include_top") else 1.0
    resample = next((word for word, code in RESAMPLINGS.items() if code == processor.get("resample", 3)), "bicubic")
    return Pixels(
        size=size,
        crop=crop,
        mean=_as_list((mean + offset) / scale),
        std=_as_list(std * twice / scale),
        resample=resample,
        channels=channels,
        frames=frames,
    )


def _sides(name: str, processor: Mapping[str, Any]) -> tuple[int, int | None]:
    """Return the side that images are brought to, and the side of the centre that is kept, None for all."""
    size = _side(name, processor.get("size"))
    if "crop_pct" in processor or str(processor.get("image_processor_type", "")).startswith("ConvNext"):
        if size >= 384:
            return size, None
        return int(size / (processor.get("crop_pct") or _CONVNEXT_KEEPS)), size
    if not processor.get("do_center_crop"):
        return size, None
    crop = _side(name, processor.get("crop_size", size))
    return max(size, crop), crop


def _side(name: str, given: Any) -> int:
    sides = list(given.values()) if isinstance(given, Mapping) else given
    if isinstance(sides, int):
        return sides
    known = isinstance(given, Mapping) and bool({"height", "width", "shortest_edge"} & set(given))
    if not sides or (isinstance(given, Mapping) and not known) or not all(isinstance(side, int) for side in sides):
        raise InputError(f"encoder={name!r} has a processor with no one size of images ({given!r}): use another.")
    return min(sides)


def _by_channel(name: str, given: Any, channels: int) -> torch.Tensor:
    made = torch.as_tensor(given, dtype=torch.float32).flatten()
    if len(made) not in (1, channels) or not bool(torch.isfinite(made).all()):
        raise InputError(f"{name} must be one number or one for each of the {channels} channels, got {given!r}.")
    return made


def _as_list(values: torch.Tensor) -> list[float]:
    return values.double().tolist()
