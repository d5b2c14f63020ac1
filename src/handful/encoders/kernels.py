"""Random convolution kernels: an encoder of sequences that needs no training."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional as F

from handful.encoders.encoded import Encoded

Batch = Mapping[str, torch.Tensor]
_BUDGET = 1 << 24  # numbers made at a time


class RandomKernels(nn.Module):
    """Shares of time at which random kernels answer above a threshold, and their strongest answers (ROCKET, Dempster
    et al. 2020): kernels of 9 steps, of mean zero, at dilations that grow exponentially with the length.

    Maps {"values": [B, C, T], "present": [B, T]} to one vector [B, 2 * count]. steps: the usual length of a series. The
    kernels are drawn from `seed`; each reads up to three channels. What lies outside a sample counts as zero.
    """

    def __init__(self, channels: int, *, steps: int, count: int = 1024, taps: int = 9, seed: int = 0) -> None:
        super().__init__()
        taps = max(2, min(taps, steps))
        draw = torch.Generator().manual_seed(seed)
        weights = torch.randn(count, min(3, channels), taps, generator=draw)
        self.weights = nn.Buffer(weights - weights.mean(2, keepdim=True), persistent=False)
        self.read = nn.Buffer(
            torch.stack([torch.randperm(channels, generator=draw)[: min(3, channels)] for _ in range(count)]),
            persistent=False,
        )
        self.thresholds = nn.Buffer(torch.rand(count, generator=draw) * 2 - 1, persistent=False)
        widest = torch.log2(torch.tensor(max(1.0, (steps - 1) / max(1, taps - 1))))
        dilations = torch.exp2(torch.rand(count, generator=draw) * widest).floor().long()
        self.groups = [(int(d), torch.nonzero(dilations == d)[:, 0]) for d in dilations.unique()]

    def forward(self, batch: Batch) -> Encoded:
        values = batch["values"].float()
        rows = max(1, _BUDGET // (values.shape[2] * max(len(rows) for _, rows in self.groups) + 1))
        made = [self._answers(v, p) for v, p in zip(values.split(rows), batch["present"].split(rows), strict=True)]
        vector = torch.cat(made)
        return Encoded(vector[:, None], vector)

    def _answers(self, values: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        count = present.sum(1, keepdim=True).clamp(min=1)
        shares, largest = [], []
        for dilation, kernels in self.groups:
            dense = values.new_zeros(len(kernels), values.shape[1], self.weights.shape[2])
            dense[torch.arange(len(kernels), device=values.device)[:, None], self.read[kernels]] = self.weights[kernels]
            reach = dilation * (self.weights.shape[2] - 1)
            padded = F.pad(values, (reach // 2, reach - reach // 2))
            answers = F.conv1d(padded, dense, dilation=dilation) - self.thresholds[kernels, None]  # [B, k, T]
            shares.append(((answers > 0) & present[:, None]).sum(2) / count)
            largest.append(answers.masked_fill(~present[:, None], -torch.inf).amax(2))
        return torch.cat([*shares, *largest], 1)
