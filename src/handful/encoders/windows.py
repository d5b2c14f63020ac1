"""Long sequences in windows: cut, run those of like length together, put back."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional as F

from handful.encoders.tokens import Tokens

Run = Callable[[Tokens, torch.Tensor], torch.Tensor]
"""From windows, as Tokens [M, w] and where their parts lie in [B * L] as indices [M, w], to features [M, w, D]."""


def run_in_windows(run: Run, tokens: Tokens, *, window: int, budget: int | None = None) -> torch.Tensor:
    """Return the features [B, L, D] that `run` makes of `tokens`, each stretch of `window` parts on its own.

    Windows without a part are passed over, those of like length run together and are cut to the longest of them, and
    each counts its places from its own beginning.
    budget: how many parts run at a time, None for all: what fits the cache of a processor is faster.
    """
    n, length = tokens.present.shape
    window = min(window, length)
    index = torch.arange(n * length, device=tokens.present.device).view(n, length)
    index = F.pad(index, (0, -length % window)).view(-1, window)  # [M, w]
    present = F.pad(tokens.present, (0, -length % window)).view(-1, window)
    lengths = (present * torch.arange(1, window + 1, device=present.device)).amax(1)
    order = lengths.argsort(descending=True, stable=True)[: max(1, int((lengths > 0).sum()))]
    made, places = [], []
    start = 0
    while start < len(order):
        longest = max(1, int(lengths[order[start]]))
        chosen = order[start : start + (len(order) if budget is None else max(1, budget // longest))]
        at, here = index[chosen, :longest], present[chosen, :longest]
        part = Tokens(_at(tokens.values, at), here, tokens.places[:1, :longest])
        made.append(run(part, at)[here])
        places.append(at[here])
        start += len(chosen)
    features = torch.cat(made)
    empty = features.new_zeros(n * length, features.shape[1])
    return empty.index_copy(0, torch.cat(places), features).view(n, length, -1)


def _at(values: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    return values.flatten(0, 1)[at]
