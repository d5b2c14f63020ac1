"""Compiled inner loops of the nearest-neighbour search."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(parallel=True, nogil=True, cache=True)
def select_nearest(scores: np.ndarray, half_norms: np.ndarray, start: int, kept: int) -> np.ndarray:
    """Return [B, kept] columns with the smallest |y|^2/2 - x.y for rows start.. of the whole, the row itself left out."""
    n_rows, n = scores.shape
    found = np.empty((n_rows, kept), np.int32)
    for i in numba.prange(n_rows):
        worst = np.float32(np.inf)
        keys = np.full(kept, np.inf, np.float32)
        cols = np.full(kept, -1, np.int32)
        own = start + i
        for j in range(n):
            key = half_norms[j] - scores[i, j]
            if key < worst and j != own:
                at = kept - 1
                while at > 0 and keys[at - 1] > key:
                    keys[at] = keys[at - 1]
                    cols[at] = cols[at - 1]
                    at -= 1
                keys[at] = key
                cols[at] = j
                worst = keys[kept - 1]
        found[i] = cols
    return found


@numba.njit(parallel=True, nogil=True, cache=True)
def rank_by_distance(
    points: np.ndarray, found: np.ndarray, start: int, n_neighbors: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest `n_neighbors` of each candidate list `found` [B, C] and their squared distances, in order."""
    n_rows, n_found = found.shape
    rows = np.empty((n_rows, n_neighbors), np.int32)
    squared = np.empty((n_rows, n_neighbors), np.float32)
    for i in numba.prange(n_rows):
        keys = np.empty(n_found, np.float32)
        cols = np.empty(n_found, np.int32)
        for c in range(n_found):
            j = found[i, c]
            total = np.float32(0)
            for d in range(points.shape[1]):
                step = points[start + i, d] - points[j, d]
                total += step * step
            at = c
            while at > 0 and (keys[at - 1] > total or (keys[at - 1] == total and cols[at - 1] > j)):
                keys[at] = keys[at - 1]
                cols[at] = cols[at - 1]
                at -= 1
            keys[at] = total
            cols[at] = j
        rows[i] = cols[:n_neighbors]
        squared[i] = keys[:n_neighbors]
    return rows, squared
