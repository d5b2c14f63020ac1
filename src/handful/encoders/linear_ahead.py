"""The next steps of a series by a linear map of its last ones, in closed form: the floor that networks seldom beat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

Batch = Mapping[str, torch.Tensor]
CENTRES = ("mean", "last")
"""What is taken from a context and put back: its mean, or its last value."""
LONGEST = 720  # steps of a context, and of what is guessed at a time
QUIET = 0.1  # of the usual spread: what is added to that of a context that is nearly constant
TOGETHER = 3
"""Maps of which the mean is taken. ETTh1, 24 and 48 hours ahead: one .319 and .343, three .314 and .341."""
_HELD_OUT = 5  # every so manieth part chooses the strength and the centre
_PAIRS = 100_000  # of a batch
_MOST_PAIRS = 200_000
_AT_ONCE = 2048
_STRENGTHS = tuple(10.0**power for power in range(-6, 2))
_UNTRIED = 0.1  # the strength where there is too little to try it on


class LinearAhead(nn.Module):
    """Guesses what comes next by ridge regression on the last steps, each channel for itself, all by the same map.

    A context is read less its mean or its last value, which is put back (the normalisation of windows of Kim et al.
    2022; linear maps as in Zeng et al. 2023, in closed form as in Toner and Darlow 2024). There is a map for each
    length of context; the mean of the three longest that fit is the guess. What lies beyond `horizon` is guessed from
    what was guessed.
    steps: the usual length of a series: half of it is context, and a quarter is guessed at a time.
    contexts, centres: of each map, where it is fitted.
    """

    def __init__(self, *, steps: int, contexts: list[int] | None = None, centres: list[str] | None = None) -> None:
        super().__init__()
        self.steps = steps
        self.horizon = max(1, min(LONGEST, steps // 4))
        self.contexts, self.centres = contexts or [], centres or []
        for place, context in enumerate(self.contexts):
            self.register_buffer(f"map_{place}", torch.zeros(context, self.horizon))

    @property
    def config(self) -> dict[str, Any]:
        """What `LinearAhead(**config)` makes it again from, but for its maps."""
        return {"steps": self.steps, "contexts": self.contexts, "centres": self.centres}

    def fit(self, batches: Iterable[Batch], *, seed: int = 0) -> LinearAhead:
        """Find the maps on batches {"values": [B, C, T], "present": [B, T]}, how strongly they shrink and the centre.

        Contexts that no series is long enough for get no map; without any, `guess` cannot be asked.
        """
        sums = {(context, centre): _Sums(context, self.horizon) for context in self._lengths() for centre in CENTRES}
        for batch in batches:
            for (context, centre), found in sums.items():
                if found.pairs < _MOST_PAIRS:
                    found.add(cut_pairs(batch, context, self.horizon), centre)
        self.contexts, self.centres = [], []
        for context in self._lengths():
            solved = {centre: sums[context, centre].solve() for centre in CENTRES if sums[context, centre].pairs}
            if solved:
                centre = min(solved, key=lambda name: solved[name][1])
                self.register_buffer(f"map_{len(self.contexts)}", solved[centre][0].float())
                self.contexts.append(context)
                self.centres.append(centre)
        return self

    @torch.no_grad()
    def guess(self, values: torch.Tensor, steps: int) -> torch.Tensor:
        """Return the `steps` values after contexts [M, T], as [M, steps]; T at least the shortest of `contexts`."""
        seen = values
        while seen.shape[1] < values.shape[1] + steps:
            fit = [place for place, context in enumerate(self.contexts) if context <= seen.shape[1]]
            guesses = [self._guess(seen, place) for place in fit[:TOGETHER]]
            seen = torch.cat([seen, torch.stack(guesses).mean(0)], 1)
        return seen[:, values.shape[1] :][:, :steps]

    def _guess(self, seen: torch.Tensor, place: int) -> torch.Tensor:
        """Return what one map says comes next, [M, horizon]."""
        read = seen[:, -self.contexts[place] :]
        centre = _centre(read, self.centres[place])
        return (read - centre) @ self.get_buffer(f"map_{place}") + centre

    def _lengths(self) -> list[int]:
        """Return the lengths of context, the longest first, each half of the one before."""
        lengths = [max(1, min(LONGEST, self.steps // 2))]
        while lengths[-1] > 1:
            lengths.append(lengths[-1] // 2)
        return lengths


def cut_pairs(batch: Batch, context: int, horizon: int) -> torch.Tensor:
    """Return stretches of `context` and `horizon` steps of single channels, [M, context + horizon]: all there are, or
    as many as fit evenly spread over them, those of one series side by side."""
    values, counts = batch["values"], batch["present"].sum(1)
    length = context + horizon
    if values.shape[2] < length:
        return values.new_zeros(0, length)
    begins = torch.arange(values.shape[2] - length + 1, device=values.device)
    row, begin = torch.nonzero(begins + length <= counts[:, None], as_tuple=True)
    most = max(1, _PAIRS // values.shape[1])
    if len(row) > most:
        kept = torch.linspace(0, len(row) - 1, most, device=row.device).long()
        row, begin = row[kept], begin[kept]
    return values.unfold(2, length, 1)[row, :, begin].flatten(0, 1)


def _centre(contexts: torch.Tensor, name: str) -> torch.Tensor:
    return contexts[:, -1:] if name == "last" else contexts.mean(1, keepdim=True)


@dataclass
class _Sums:
    """What the normal equations need of the pairs seen: of those that maps are fitted on, and of those held out."""

    context: int
    horizon: int
    pairs: int = 0
    held: int = 0

    def __post_init__(self) -> None:
        self.inner = torch.zeros(2, self.context, self.context, dtype=torch.float64)
        self.outer = torch.zeros(2, self.context, self.horizon, dtype=torch.float64)
        self.squares = torch.zeros(2, dtype=torch.float64)

    def add(self, pairs: torch.Tensor, centre: str) -> None:
        """Count pairs [M, context + horizon] in; the last fifth is held out: of one recording the latest."""
        held = len(pairs) // _HELD_OUT
        for part, chosen in enumerate((pairs[: len(pairs) - held], pairs[len(pairs) - held :])):
            for some in chosen.split(_AT_ONCE) if len(chosen) else ():
                known, truth = self._scaled(some, centre)
                self.inner[part] += (known.T @ known).double()
                self.outer[part] += (known.T @ truth).double()
                self.squares[part] += truth.square().sum().double()
        self.pairs += len(pairs)
        self.held += held

    def _scaled(self, pairs: torch.Tensor, centre: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Return contexts and what follows, centred, over the spread of the context: each counts alike."""
        known = pairs[:, : self.context]
        size = (known.var(1, correction=0, keepdim=True) + QUIET**2).sqrt()
        scaled = (pairs - _centre(known, centre)) / size
        return scaled[:, : self.context], scaled[:, self.context :]

    def solve(self) -> tuple[torch.Tensor, float]:
        """Return the map [context, horizon] and its mean squared error on what was held out."""
        strength, error = _UNTRIED, float("inf")
        if self.held:
            errors = {one: self._error(_ridge(self.inner[0], self.outer[0], one)) for one in _STRENGTHS}
            strength = min(errors, key=lambda one: errors[one])
            error = errors[strength]
        return _ridge(self.inner.sum(0), self.outer.sum(0), strength), error

    def _error(self, linear: torch.Tensor) -> float:
        squares = self.squares[1] - 2 * (linear * self.outer[1]).sum() + (linear * (self.inner[1] @ linear)).sum()
        return float(squares) / (self.held * self.horizon)


def _ridge(inner: torch.Tensor, outer: torch.Tensor, strength: float) -> torch.Tensor:
    size = inner.diagonal().mean().clamp(min=1e-12)
    return torch.linalg.solve(inner + strength * size * torch.eye(len(inner), dtype=inner.dtype), outer)
