"""Encoders that need no training: the honest floors that a trained encoder has to beat to be worth its time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from handful.encoders.encoded import Encoded


class RawInput(nn.Module):
    """The input itself as a vector; reduced by principal components afterwards, as every block is.

    flatten: maps a batch to [B, P].
    """

    def __init__(self, flatten: Callable[[Any], torch.Tensor]) -> None:
        super().__init__()
        self._flatten = flatten

    def forward(self, batch: Any) -> Encoded:
        vector = self._flatten(batch)
        return Encoded(vector[:, None], vector)


class GradientHistograms(nn.Module):
    """Histograms of gradient directions (Dalal and Triggs 2005): `orientations` unsigned ones with linear shares,
    summed over square windows of `window` pixels at half their stride, square roots taken.

    Maps [B, C, H, W] to features [B, L, orientations] and all of them as one vector [B, L * orientations].
    """

    def __init__(self, *, window: int = 8, orientations: int = 8) -> None:
        super().__init__()
        self.window, self.orientations = window, orientations

    def forward(self, batch: torch.Tensor) -> Encoded:
        across, down = _strongest_gradient(batch)
        strength = (across.square() + down.square()).sqrt()
        angle = torch.atan2(down, across) / math.pi % 1 * self.orientations  # [B, H, W], in bins
        lower = angle.floor()
        share = angle - lower
        lower = lower.long() % self.orientations
        maps = torch.zeros_like(strength)[:, None].repeat(1, self.orientations, 1, 1)  # no size is fixed when exported
        maps = maps.scatter_add(1, lower[:, None], (strength * (1 - share))[:, None])
        maps = maps.scatter_add(1, ((lower + 1) % self.orientations)[:, None], (strength * share)[:, None])
        sums = F.avg_pool2d(maps, min(self.window, *maps.shape[2:]), stride=max(self.window // 2, 1)).sqrt()
        features = sums.flatten(2).transpose(1, 2)  # [B, L, orientations]
        return Encoded(features, features.flatten(1))


def _strongest_gradient(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the gradients across and down [B, H, W], each pixel's from the channel where it is strongest."""
    padded = F.pad(images, (1, 1, 1, 1), mode="replicate")
    across = padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]
    down = padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]
    channel = (across.square() + down.square()).argmax(1, keepdim=True)
    return across.gather(1, channel)[:, 0], down.gather(1, channel)[:, 0]
