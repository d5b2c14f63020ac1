"""Sequences of unequal lengths, packed one after the other in one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


class Sequences:
    """N sequences, read by rows: one row gives an array [T_i, C], several a list of them.

    packed: [sum of T_i, C], in memory or memory-mapped. ends: [N] where each ends.
    """

    def __init__(self, packed: np.ndarray, ends: np.ndarray) -> None:
        self._packed, self._ends = packed, ends
        self._starts = np.concatenate([[0], ends[:-1]]).astype(np.int64)

    @classmethod
    def pack(cls, sequences: Sequence[np.ndarray]) -> Sequences:
        """Return arrays [T_i, C] packed."""
        return cls(np.concatenate(sequences), np.cumsum([len(sequence) for sequence in sequences]))

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, rows: Any) -> Any:
        if isinstance(rows, int | np.integer):
            row = range(len(self))[rows]
            return self._packed[self._starts[row] : self._ends[row]]
        return [self[int(row)] for row in np.arange(len(self))[rows]]

    @property
    def lengths(self) -> np.ndarray:
        """[N] how many steps each has."""
        return self._ends - self._starts

    @property
    def largest(self) -> int:
        """How many numbers the longest has."""
        return int(self.lengths.max(initial=0)) * self._packed.shape[1]
