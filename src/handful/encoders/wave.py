"""A network that reads waveforms: strided convolutions, then a recurrent context (van den Oord et al. 2018)."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from handful.encoders.encoded import Encoded
from handful.encoders.saving import Cut
from handful.encoders.tokens import RealTokens, Tokens

WAVE = "wave"
"""The name by which this network is asked for, and the key of waveforms in a batch."""


class WaveEncoder(nn.Module):
    """Maps waveforms, as tokens [B, L, part] of 10 ms each, to features [B, L, D] and their mean [B, D].

    The convolutions look back alone, so no feature knows what comes after its own 10 ms.
    part: samples of a token; the strides of the convolutions are its factors, of 160 samples 5, 4, 2, 2 and 2 as in
    the paper. hidden: channels of the convolutions. width: D, of the codes and of the context.
    """

    reads_tokens = True
    causal = True
    trained_by = "cpc"
    """The method that it is meant for: taken where none is asked for."""

    def __init__(self, part: int, *, hidden: int = 64, width: int = 128, cut: Cut | None = None) -> None:
        super().__init__()
        self.config = {"part": part, "hidden": hidden, "width": width}
        self.width, self.cut, self.kind = width, cut, RealTokens(part)
        self.stem = StridedConvolutions(part, hidden=hidden, width=width)
        self.context = nn.GRU(width, width, batch_first=True)

    @classmethod
    def from_config(cls, config: dict[str, Any], *, cut: Cut | None) -> WaveEncoder:
        """Return the network that `config` describes, not trained."""
        return cls(**config, cut=cut)

    def forward(self, batch: Any) -> Encoded:
        tokens = batch if isinstance(batch, Tokens) else self.cut(batch)  # type: ignore[misc]
        features = self.context(self.stem(tokens.values))[0] * tokens.present[..., None]
        return Encoded(features, features.sum(1) / tokens.present.sum(1, keepdim=True).clamp(min=1))


class StridedConvolutions(nn.Module):
    """Maps tokens of waveforms [B, L, part] to one code each, [B, L, width]."""

    def __init__(self, part: int, *, hidden: int, width: int) -> None:
        super().__init__()
        self.strides = find_strides(part)
        ends = [1, *[hidden] * (len(self.strides) - 1), width]
        self.layers = nn.ModuleList(
            nn.Conv1d(before, after, 2 * stride, stride=stride)
            for before, after, stride in zip(ends, ends[1:], self.strides, strict=False)
        )
        self.norms = nn.ModuleList(nn.GroupNorm(1, width) for width in ends[1:])

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        maps = values.flatten(1)[:, None]  # [B, 1, L * part]
        for layer, norm, stride in zip(self.layers, self.norms, self.strides, strict=True):
            maps = layer(F.pad(maps, (stride, 0)))
            maps = F.relu(over_channels(norm, maps))
        return maps.transpose(1, 2)


def over_channels(norm: nn.Module, maps: torch.Tensor) -> torch.Tensor:
    """Return [B, C, T] normalised over the channels of each step alone: over time it would tell of what comes later."""
    n, channels, steps = maps.shape
    return norm(maps.transpose(1, 2).reshape(n * steps, channels)).view(n, steps, channels).transpose(1, 2)


def find_strides(part: int) -> list[int]:
    """Return the strides whose product is `part`, the largest first: its prime factors, two of its twos as a four."""
    factors, rest = [], part
    for prime in range(2, math.isqrt(part) + 1):
        while rest % prime == 0:
            factors.append(prime)
            rest //= prime
    factors += [rest] if rest > 1 else []
    if factors.count(2) > 3:
        factors = [4, *factors[2:]]
    return sorted(factors, reverse=True) or [1]
