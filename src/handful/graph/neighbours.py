"""The k nearest rows of every row.

Exact search multiplies blocks of rows with all rows and keeps the best in one compiled pass: N^2 D multiplications.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Progress = Callable[[int, int], None]
_SPARE = 6  # candidates beyond k that are ranked again by direct differences: a matrix product rounds close distances


@dataclass(frozen=True)
class Neighbours:
    """rows: [N, k] int32, nearest first; squared: [N, k] float32 squared Euclidean distances; recall: share found."""

    rows: np.ndarray
    squared: np.ndarray
    recall: float = 1.0


def exact_neighbours(points: np.ndarray, n_neighbors: int, *, progress: Progress | None = None) -> Neighbours:
    """Return the nearest other rows of each row of `points` [N, D] float32; ties go to the lower row."""
    from handful.graph import kernels

    n = len(points)
    kept = min(n_neighbors + _SPARE, n - 1)
    half_norms = 0.5 * np.einsum("nd,nd->n", points, points)
    rows = np.empty((n, n_neighbors), np.int32)
    squared = np.empty((n, n_neighbors), np.float32)
    block = max(64, min(n, 2**26 // n))
    for start in range(0, n, block):
        stop = min(start + block, n)
        scores = points[start:stop] @ points.T  # [B, N]
        found = kernels.select_nearest(scores, half_norms, start, kept)
        rows[start:stop], squared[start:stop] = kernels.rank_by_distance(points, found, start, n_neighbors)
        if progress is not None:
            progress(stop, n)
    return Neighbours(rows, squared)
