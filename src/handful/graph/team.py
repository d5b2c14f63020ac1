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

_AT_A_TIME = 1 << 18  # rows that a process sends


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


def spread(team: Team, rows: np.ndarray, *found: tuple[np.ndarray, np.ndarray]) -> None:
    """Write into arrays [N, ...] what each process found for its own `rows` [n]: pairs of such an array and [n, ...].

    A few rows at a time: what comes from the others is never held whole.
    """
    if team.size == 1:
        for array, values in found:
            array[rows] = values
        return
    most = int(np.max(team.gather(np.array([len(rows)]))))
    for start in range(0, most, _AT_A_TIME):
        some = slice(start, start + _AT_A_TIME)
        owned = team.gather(rows[some])
        for array, values in found:
            for rank, part in enumerate(team.gather(values[some])):
                array[owned[rank]] = part.reshape(-1, *array.shape[1:])
