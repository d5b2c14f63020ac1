"""Random views of sounds, on log-mel frames: ten times cheaper than on waves, and all of a batch at once."""

from __future__ import annotations

import math
from typing import Protocol

import torch

from handful.modalities.series_batches import Batch, cut_stretch

_DECIBELS = math.log(10) / 10  # of energy, in natural logarithms


class Strengths(Protocol):
    """How much a view may differ; see `Audio`."""

    crop: float
    gain: float
    noise: float
    stretch: float
    shift: float
    mask: float
    mix: float
    spread: float | None


def change_sound(batch: Batch, by: Strengths, *, generator: torch.Generator) -> Batch:
    """Return a random view of each sound of a batch of centred and scaled log-mel frames."""
    spread = by.spread or 1.0
    seen = cut_stretch(batch, crop=by.crop, stretch=by.stretch, generator=generator)
    values, present = seen["values"], seen["present"]
    values = shift_bands(values, by.shift, generator=generator)
    loudness = _signed(len(values), values, generator) * by.gain * _DECIBELS / spread
    values = values + loudness[:, None, None]
    values = add_sounds(values, present, by, generator=generator)
    values = blot_out(values, present, by.mask, generator=generator)
    return {"values": values * present[:, None], "present": present}


def shift_bands(values: torch.Tensor, most: float, *, generator: torch.Generator) -> torch.Tensor:
    """Return [B, bands, T] with the bands moved up or down by up to the share `most` of them, the edge repeated."""
    n, bands, _ = values.shape
    moved = _signed(n, values, generator) * most * bands
    place = (torch.arange(bands, device=values.device)[None] + moved[:, None]).clamp(0, bands - 1)  # [B, bands]
    lower = place.floor().long()
    share = (place - lower)[..., None].to(values.dtype)
    index = [at[..., None].expand_as(values) for at in (lower, (lower + 1).clamp(max=bands - 1))]
    return torch.lerp(values.gather(1, index[0]), values.gather(1, index[1]), share)


def add_sounds(
    values: torch.Tensor, present: torch.Tensor, by: Strengths, *, generator: torch.Generator
) -> torch.Tensor:
    """Return each sound with noise of a random colour and a little of another sound of the batch (Niizumi et al.
    2021), added as energies."""
    spread = by.spread or 1.0
    n, bands, _ = values.shape
    drawn = torch.rand(4, n, generator=generator, device=values.device).clamp(min=1e-6)
    level = (values * present[:, None]).sum((1, 2)) / (bands * present.sum(1)).clamp(min=1)
    colour = (drawn[0][:, None] * 2 - 1) * torch.linspace(-1, 1, bands, device=values.device)  # [B, bands]
    below = by.noise + 20 * drawn[1]
    noise = level[:, None] + colour - below[:, None] * _DECIBELS / spread
    waver = torch.rand(values.shape, generator=generator, device=values.device).clamp(min=1e-6)
    found = _add(values, noise[..., None] + (-waver.log()).clamp(min=1e-3).log() / spread, spread)
    if by.mix > 0:
        other = torch.randperm(n, generator=generator, device=values.device)
        quieter = (drawn[2] * by.mix).log() / spread
        mixed = _add(found, values[other] + quieter[:, None, None], spread)
        found = torch.where(present[other][:, None], mixed, found)
    return found


def blot_out(values: torch.Tensor, present: torch.Tensor, most: float, *, generator: torch.Generator) -> torch.Tensor:
    """Return each sound with one run of frames and one of bands set to the mean (SpecAugment, Park et al. 2019)."""
    n, bands, longest = values.shape
    count = present.sum(1)
    drawn = torch.rand(4, n, generator=generator, device=values.device)
    frames = _run(longest, count, drawn[0] * most, drawn[1])
    pitches = _run(bands, torch.full_like(count, bands), drawn[2] * most, drawn[3])
    return values.masked_fill(frames[:, None] | pitches[..., None], 0)


def _run(length: int, count: torch.Tensor, share: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
    """Return [B, length] bool: a run of the share `share` of `count` steps, somewhere in them."""
    width = share * count
    first = (place * (count - width))[:, None]
    index = torch.arange(length, device=count.device)[None]
    return (index >= first) & (index < first + width[:, None])


def _add(one: torch.Tensor, other: torch.Tensor, spread: float) -> torch.Tensor:
    """Return the sum of two energies given as scaled logarithms."""
    return torch.logaddexp(one * spread, other * spread) / spread


def _signed(n: int, like: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return torch.rand(n, generator=generator, device=like.device) * 2 - 1
