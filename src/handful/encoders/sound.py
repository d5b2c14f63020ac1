"""What sound has been told apart by for forty years: cepstral coefficients, their statistics and their course."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional as F

from handful.encoders.encoded import Encoded


class CepstralStatistics(nn.Module):
    """Mel-frequency cepstral coefficients (Davis and Mermelstein 1980) of log-mel frames: their mean and standard
    deviation over time, and those of their differences.

    Maps {"values": [B, bands, T], "present": [B, T]} to features [B, T, count] and one vector [B, 4 * count].
    """

    def __init__(self, bands: int, *, count: int = 20) -> None:
        super().__init__()
        self.basis = nn.Buffer(cosine_transform(bands, count), persistent=False)

    def forward(self, batch: Mapping[str, torch.Tensor]) -> Encoded:
        present = batch["present"]
        cepstra = batch["values"].transpose(1, 2) @ self.basis  # [B, T, count]
        change = (cepstra[:, 2:] - cepstra[:, :-2]) / 2
        both = present[:, 2:] & present[:, :-2]
        return Encoded(cepstra, torch.cat([*_moments(cepstra, present), *_moments(change, both)], 1))


class CepstralCourse(nn.Module):
    """The course of a sound: the mean cepstral coefficients of even stretches of it, side by side, from where it first
    is loud to where it last is (`trimmed`).

    For sounds centred in each band. Spoken digits, 1 / 5 labels a class: whole 63.7 / 82.3, trimmed 69.9 / 87.5, beside
    random kernels 72.7 / 90.4 % right (3 draws). Maps {"values": [B, bands, T], "present": [B, T]} to features
    [B, cells, count] and one vector [B, cells * count].
    """

    def __init__(self, bands: int, *, count: int = 13, cells: int = 6) -> None:
        super().__init__()
        self.cells = cells
        self.basis = nn.Buffer(cosine_transform(bands, count), persistent=False)

    def forward(self, batch: Mapping[str, torch.Tensor]) -> Encoded:
        heard = trimmed(batch)
        means = mean_in_cells(heard["values"], heard["present"], self.cells)  # [B, bands, cells]
        features = means.transpose(1, 2) @ self.basis
        return Encoded(features, features.flatten(1))


def trimmed(batch: Mapping[str, torch.Tensor], *, share: float = 0.25) -> dict[str, torch.Tensor]:
    """Return the sounds of {"values": [B, bands, T], "present": [B, T]} without quiet frames before and after them,
    each band centred and each sound scaled to a spread of one again.

    A frame is quiet whose mean over the bands lies less than `share` of the way from the sound's quietest frames (the
    5 % quantile) to its loudest.
    """
    values, present = batch["values"], batch["present"]
    loudness = values.mean(1)
    low = loudness.masked_fill(~present, torch.nan).nanquantile(0.05, dim=1)
    high = loudness.masked_fill(~present, -torch.inf).amax(1)
    loud = present & (loudness >= (low + share * (high - low))[:, None])  # the loudest frame is among them
    place = torch.arange(values.shape[2], device=values.device)
    first = loud.int().argmax(1)
    last = torch.where(loud, place, 0).amax(1)
    there = place <= (last - first)[:, None]
    index = (first[:, None] + place).clamp(max=values.shape[2] - 1)
    kept = values.gather(2, index[:, None].expand_as(values)) * there[:, None]
    weight = there[:, None] / there.sum(1).clamp(min=1)[:, None, None]
    kept = (kept - (kept * weight).sum(2, keepdim=True)) * there[:, None]
    spread = (kept.square() * weight).sum(2).mean(1).sqrt()
    return {"values": kept / (spread[:, None, None] + 1e-6), "present": there}


def mean_in_cells(values: torch.Tensor, present: torch.Tensor, cells: int) -> torch.Tensor:
    """Return the mean of each of `cells` even stretches of every sample [B, C, T], as [B, C, cells].

    present: [B, T] bool; a sample's own steps come first.
    """
    count = present.sum(1)
    sums = F.pad(values.double().cumsum(2), (1, 0))  # [B, C, T + 1]
    ends = torch.arange(cells + 1, device=values.device)[None] * count[:, None] / cells
    low = ends[:, :-1].floor().long()
    high = torch.maximum(ends[:, 1:].ceil().long(), low + 1).clamp(max=values.shape[2])
    low = torch.minimum(low, high - 1)
    index = [at[:, None].expand(-1, values.shape[1], -1) for at in (high, low)]
    return ((sums.gather(2, index[0]) - sums.gather(2, index[1])) / (high - low)[:, None]).float()


def cosine_transform(bands: int, count: int) -> torch.Tensor:
    """Return the first `count` basis vectors [bands, count] of the type-II cosine transform."""
    at = torch.arange(bands) + 0.5
    return torch.cos(math.pi / bands * at[:, None] * torch.arange(count)) * math.sqrt(2 / bands)


def _moments(values: torch.Tensor, present: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and standard deviation [B, D] of [B, T, D] over the present steps."""
    weight = present[..., None].to(values.dtype)
    count = weight.sum(1).clamp(min=1)
    mean = (values * weight).sum(1) / count
    squared = ((values - mean[:, None]).square() * weight).sum(1) / count
    return mean, (squared + 1e-8).sqrt()
