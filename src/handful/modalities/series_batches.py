"""What sounds and series share: batches [B, C, T] of unequal lengths, stretches of them, and parts along time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional as F

from handful.encoders.pretrained_series import read_evenly
from handful.encoders.tokens import Tokens

Batch = dict[str, torch.Tensor]
"""{"values": [B, C, T] float, "present": [B, T] bool}: a sample's own steps come first, zeros fill it up."""


def pad_batch(sequences: Sequence[np.ndarray]) -> Batch:
    """Return arrays [T_i, C] of unequal lengths as one batch, as long as the longest."""
    lengths = torch.tensor([len(sequence) for sequence in sequences])
    values = torch.zeros(len(sequences), sequences[0].shape[1], int(lengths.max()))
    for row, sequence in enumerate(sequences):
        values[row, :, : len(sequence)] = torch.from_numpy(np.ascontiguousarray(sequence.T))
    return {"values": values, "present": torch.arange(values.shape[2])[None] < lengths[:, None]}


def count_steps(batch: Batch) -> torch.Tensor:
    """Return how many steps each sample has, [B]."""
    return batch["present"].sum(1)


def read_stretch(
    batch: Batch, start: torch.Tensor, length: torch.Tensor, steps: torch.Tensor, *, longest: int
) -> Batch:
    """Return from each sample the stretch of `length` [B] steps from `start` [B] on, read at `steps` [B] even places.

    Between two steps the values are interpolated linearly. longest: how many steps the batch that comes out has.
    """
    values = batch["values"]
    index = torch.arange(longest, device=values.device)
    place = start[:, None] + index * ((length - 1) / (steps - 1).clamp(min=1))[:, None]  # [B, longest]
    last = (count_steps(batch) - 1).clamp(min=0)[:, None]
    lower = place.floor().long().clamp(min=0).minimum(last)
    share = (place - lower).clamp(0, 1)[:, None].to(values.dtype)
    low, high = (_gather(values, at) for at in (lower, (lower + 1).minimum(last)))
    present = index[None] < steps[:, None]
    return {"values": torch.lerp(low, high, share) * present[:, None], "present": present}


def cut_stretch(batch: Batch, *, crop: float, stretch: float, generator: torch.Generator) -> Batch:
    """Return a stretch of each sample, of a share of at least `crop` of it, at a tempo up to `stretch` faster or
    slower; the batch stays as long as it is, so that two views stand side by side."""
    longest = batch["present"].shape[1]
    count = count_steps(batch).float()
    share, place, tempo = torch.rand(3, len(count), generator=generator, device=count.device)
    length = ((crop + (1 - crop) * share) * count).round().clamp(min=1)
    steps = (length * torch.exp((2 * tempo - 1) * math.log1p(stretch))).round().long().clamp(1, longest)
    return read_stretch(batch, place * (count - length), length, steps, longest=longest)


def read_whole(batch: Batch, steps: int) -> torch.Tensor:
    """Return each sample read at `steps` even places over its own length, [B, C, steps]."""
    return read_evenly(batch["values"], batch["present"], steps)


def cut_parts(batch: Batch, steps: int) -> Tokens:
    """Return each sample as parts of `steps` steps in order, [B, L, C * steps]; a last one may be short."""
    values, present = batch["values"], batch["present"]
    missing = -values.shape[2] % steps
    parts = F.pad(values, (0, missing)).unflatten(2, (-1, steps)).permute(0, 2, 1, 3).flatten(2)
    there = F.pad(present, (0, missing)).unflatten(1, (-1, steps)).any(2)
    places = torch.arange(parts.shape[1], device=values.device, dtype=torch.float32)[None, :, None]
    return Tokens(parts, there, places)


def join_parts(tokens: Tokens, steps: int, like: Batch) -> Batch:
    """Return the batch that parts of `steps` steps make."""
    length = like["present"].shape[1]
    joined = tokens.values.unflatten(2, (-1, steps)).permute(0, 2, 1, 3).flatten(2)[..., :length]
    return {"values": joined * like["present"][:, None], "present": like["present"]}


def _gather(values: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    return values.gather(2, at[:, None].expand(-1, values.shape[1], -1))
