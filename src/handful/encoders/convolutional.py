"""A small residual network (He et al. 2016, pre-activation) in one, two or three dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from handful.encoders.encoded import Encoded
from handful.encoders.synchronised import BatchNorm

CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}


class ConvolutionalEncoder(nn.Module):
    """Maps [B, in_channels, *space] to features [B, L, D] and their mean [B, D].

    widths: channels of each stage; every stage after the first halves the resolution.
    downsample_first: halve the resolution in the stem too, for inputs above 40 a side.
    """

    any_size = True
    """Whether inputs of other sizes than it was made for are read as well."""

    def __init__(
        self,
        in_channels: int,
        *,
        dimensions: int = 2,
        widths: Sequence[int] = (32, 64, 128, 256),
        blocks: int = 1,
        downsample_first: bool = False,
    ) -> None:
        super().__init__()
        self.config = {
            "in_channels": in_channels,
            "dimensions": dimensions,
            "widths": list(widths),
            "blocks": blocks,
            "downsample_first": downsample_first,
        }
        self.in_channels, self.dimensions, self.widths = in_channels, dimensions, list(widths)
        self.width = widths[-1]
        conv = CONVOLUTIONS[dimensions]
        stride = 2 if downsample_first else 1
        self.stem = conv(in_channels, widths[0], 3, stride=stride, padding=1, bias=False)
        stages: list[nn.Module] = []
        for stage, (before, after) in enumerate(pairwise([widths[0], *widths])):
            first = Residual(conv, before, after, stride=2 if stage else 1)
            stages.append(nn.Sequential(first, *(Residual(conv, after, after) for _ in range(blocks - 1))))
        self.stages = nn.ModuleList(stages)
        self.norm = BatchNorm(self.width)

    @classmethod
    def from_config(cls, config: dict[str, Any], *, cut: Any = None) -> ConvolutionalEncoder:
        """Return the network that `config` describes, not trained."""
        return cls(**config)

    def forward(self, batch: torch.Tensor) -> Encoded:
        return self.encode_maps(self.maps(batch)[-1])

    def maps(self, batch: torch.Tensor) -> list[torch.Tensor]:
        """Return the maps [B, C, *space] after each stage, from fine to coarse."""
        found = [self.stem(batch)]
        for stage in self.stages:
            found.append(stage(found[-1]))
        return found[1:]

    def encode_maps(self, coarsest: torch.Tensor) -> Encoded:
        """Return features and pooled vectors of the last stage's maps."""
        maps = F.relu(self.norm(coarsest))  # [B, D, *space]
        features = maps.flatten(2).transpose(1, 2)  # [B, L, D]
        return Encoded(features, features.mean(1))


class Residual(nn.Module):
    """A pre-activation block of two convolutions; keeps [B, before, *space] but for channels and stride."""

    def __init__(self, conv: type[nn.Module], before: int, after: int, *, stride: int = 1) -> None:
        super().__init__()
        self.norm1, self.norm2 = BatchNorm(before), BatchNorm(after)
        self.conv1 = conv(before, after, 3, stride=stride, padding=1, bias=False)
        self.conv2 = conv(after, after, 3, padding=1, bias=False)
        self.stride, self.shortcut = stride, None
        if stride != 1 or before != after:
            self.shortcut = conv(before, after, 1, bias=False)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        active = F.relu(self.norm1(maps))
        carried = maps if self.shortcut is None else self.shortcut(self._thinned(active))
        return carried + self.conv2(F.relu(self.norm2(self.conv1(active))))

    def _thinned(self, maps: torch.Tensor) -> torch.Tensor:
        """Return every `stride`-th place: what a strided convolution of one place sees.

        oneDNN's own, of 4 channels on one thread with channels last, writes past its memory (torch 2.13, AVX2).
        """
        places: tuple[Any, ...] = (..., *[slice(None, None, self.stride)] * (maps.ndim - 2))
        return maps[places]
