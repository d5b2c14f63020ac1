"""A dilated convolutional network over time (after Franceschi et al. 2019 and TS2Vec, Yue et al. 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from handful.encoders.encoded import Encoded

Batch = Mapping[str, torch.Tensor]
BUDGET = 1 << 22  # numbers of one layer that are embedded at a time: what fits the memory of a small machine


class TemporalEncoder(nn.Module):
    """Maps {"values": [B, C, T], "present": [B, T]} to features [B, L, D] and one vector [B, D]: the mean over time of
    the first half of the features, and the largest value of the second.

    What only fills up the batch is zero at every layer, so that a sample has one vector whatever it is batched with.
    hidden: channels of the blocks; block i looks 2^i steps around it. stride: how many steps of time one feature
    stands for.
    """

    def __init__(
        self, in_channels: int, *, hidden: int = 96, depth: int = 4, stride: int = 1, width: int = 256
    ) -> None:
        super().__init__()
        self.config = {"in_channels": in_channels, "hidden": hidden, "depth": depth, "stride": stride, "width": width}
        self.in_channels, self.stride, self.width = in_channels, stride, width
        reach = 2 * (stride // 2) + 3 if stride > 1 else 3
        self.stem = _over_time(in_channels, hidden, reach, stride=stride)
        self.blocks = nn.ModuleList(_Dilated(hidden, dilation=2**level) for level in range(depth))
        self.norm, self.last = ChannelNorm(hidden), nn.Conv2d(hidden, width, 1)

    @classmethod
    def from_config(cls, config: dict[str, Any], *, cut: Any = None) -> TemporalEncoder:
        """Return the network that `config` describes, not trained."""
        return cls(**config)

    def forward(self, batch: Batch) -> Encoded:
        values, present = batch["values"], batch["present"]
        rows = max(1, BUDGET // (values.shape[2] // self.stride * self.width + 1))
        if self.training or torch.is_grad_enabled() or len(values) <= rows:
            return self._encode(values, present)
        parts = [self._encode(v, p) for v, p in zip(values.split(rows), present.split(rows), strict=True)]
        return Encoded(torch.cat([part.features for part in parts]), torch.cat([part.pooled for part in parts]))

    def _encode(self, values: torch.Tensor, present: torch.Tensor) -> Encoded:
        kept = present[:, None, None, :: self.stride]  # [B, 1, 1, L]
        read = (values * present[:, None])[:, :, None].contiguous(memory_format=torch.channels_last)
        maps = self.stem(read)[..., : kept.shape[3]] * kept  # [B, hidden, 1, L]
        for block in self.blocks:
            maps = block(maps, kept)
        found = self.last(F.gelu(self.norm(maps)))[:, :, 0].transpose(1, 2)  # [B, L, D]
        there = kept[:, 0, 0, :, None]
        middle, top = found.chunk(2, 2)
        mean = (middle * there).sum(1) / there.sum(1).clamp(min=1)
        largest = top.masked_fill(~there, -torch.inf).amax(1).masked_fill(~there.any(1), 0)
        return Encoded(found * there, torch.cat([mean, largest], 1))


class _Dilated(nn.Module):
    def __init__(self, width: int, *, dilation: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = ChannelNorm(width), ChannelNorm(width)
        self.conv1 = _over_time(width, width, 3, dilation=dilation)
        self.conv2 = _over_time(width, width, 3, dilation=dilation)

    def forward(self, maps: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        inner = self.conv1(F.gelu(self.norm1(maps)) * kept)
        return (maps + self.conv2(F.gelu(self.norm2(inner)) * kept)) * kept


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of [B, C, 1, T] at each step of time: unlike batch norm it does not see the filling.

    With channels last in memory it takes an eighth of the time.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return super().forward(input.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def _over_time(before: int, after: int, reach: int, *, stride: int = 1, dilation: int = 1) -> nn.Conv2d:
    """Return a convolution over the last axis of [B, C, 1, T]: in two dimensions, because only there does the memory
    layout that is faster on processors exist."""
    return nn.Conv2d(
        before, after, (1, reach), stride=(1, stride), padding=(0, dilation * (reach // 2)), dilation=(1, dilation)
    )
