"""The processes that search for neighbours together, each with all vectors before it; one process is the case of one.

The lists of all rows stand in every process. Each does a part of the work on them, and takes from the others the lists
that these worked on: so that a list has the same bits however many processes there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

import numpy as np


class Team(Protocol):
    """Every process makes the same calls in the same order."""

    @property
    def rank(self) -> int:
        """The number of this process, from 0."""

    @property
    def size(self) -> int:
        """The number of processes."""

    def gather(self, values: np.ndarray) -> list[np.ndarray]:
        """Return the `values` of all processes, by rank, each of one axis."""


@dataclass(frozen=True)
class Alone:
    """A team of one."""

    rank: int = 0
    size: int = 1

    def gather(self, values: np.ndarray) -> list[np.ndarray]:
        """Return `values`."""
        return [values.reshape(-1)]


def part_of(team: Team, sizes: Sequence[int]) -> slice:
    """Return which of consecutive tasks of these `sizes` this process does: all do about as much."""
    ends = np.array([0, *accumulate(sizes)])
    bounds = np.searchsorted(ends, ends[-1] * np.arange(team.size + 1) / team.size)
    return slice(int(bounds[team.rank]), int(bounds[team.rank + 1]))


def spread(team: Team, rows: np.ndarray, *lists: np.ndarray) -> None:
    """Write into `lists`, arrays [N, ...], what the others have there for their own `rows` [n]."""
    if team.size == 1:
        return
    owned = team.gather(rows)
    for array in lists:
        for rank, found in enumerate(team.gather(array[rows])):
            if rank != team.rank:
                array[owned[rank]] = found.reshape(-1, *array.shape[1:])
