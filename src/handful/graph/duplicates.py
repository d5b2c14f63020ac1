"""Rows that stand many times: without care their neighbours are copies of themselves and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from handful.graph.neighbours import Neighbours


@dataclass(frozen=True)
class Copies:
    """groups: for each vector that stands too often, its rows, ascending; kept: [M] rows less all but each first."""

    groups: list[np.ndarray]
    kept: np.ndarray


def find_copies(points: np.ndarray, scale: np.ndarray, *, most: int, empty: np.ndarray) -> Copies:
    """Return the rows of `points` [N, D] times `scale` [N] that have more than `most` copies; `empty` rows are out."""
    n = len(points)
    digests = _digest_rows(points, scale)
    order = np.argsort(digests, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], np.diff(digests[order]) != 0, [True]]))
    drop = np.zeros(n, bool)
    drop[empty] = True
    groups = []
    for number in np.flatnonzero(np.diff(starts) > most + 1):
        rows = order[starts[number] : starts[number + 1]]
        rows = rows[(points[rows] * scale[rows, None] == points[rows[0]] * scale[rows[0]]).all(axis=1)]
        if len(rows) > most + 1 and not drop[rows[0]]:
            groups.append(rows.astype(np.int32))
            drop[rows[1:]] = True
    return Copies(groups, np.flatnonzero(~drop).astype(np.int32))


def spread_to_copies(found: Neighbours | None, copies: Copies, n: int, n_neighbors: int) -> Neighbours:
    """Return lists [N, k] for all rows from those `found` among the kept rows (None: fewer than two were kept).

    A copy is linked with the next copies, in a ring, for half of its places, and with the nearest other vectors for
    the rest. Places that nothing fills are -1 at an infinite distance.
    """
    rows = np.full((n, n_neighbors), -1, np.int32)
    squared = np.full((n, n_neighbors), np.inf, np.float32)
    if found is not None:
        width = found.rows.shape[1]
        rows[copies.kept, :width] = copies.kept[found.rows]
        squared[copies.kept, :width] = found.squared
    for group in copies.groups:
        near = rows[group[0]][rows[group[0]] >= 0]
        distances = squared[group[0], : len(near)].copy()  # its place is written below
        ring = min(len(group) - 1, max(n_neighbors // 2, n_neighbors - len(near)))
        others = min(len(near), n_neighbors - ring)
        step = np.arange(len(group))[:, None] + np.arange(1, ring + 1)
        rows[group, :ring] = group[step % len(group)]
        squared[group, :ring] = 0
        rows[group, ring : ring + others] = near[:others]
        squared[group, ring : ring + others] = distances[:others]
        rows[group, ring + others :] = -1
        squared[group, ring + others :] = np.inf
    return Neighbours(rows, squared, 1.0 if found is None else found.recall)


@numba.njit(nogil=True, cache=True)
def _digest_rows(points, scale):  # type: ignore[no-untyped-def]
    digests = np.empty(len(points), np.uint64)
    number = np.empty(1, np.float32)
    bits = number.view(np.uint32)
    for i in range(len(points)):
        digest = np.uint64(0xCBF29CE484222325)
        for d in range(points.shape[1]):
            number[0] = points[i, d] * scale[i] + np.float32(0)  # -0 and 0 are the same number
            digest = (digest ^ np.uint64(bits[0])) * np.uint64(0x9E3779B97F4A7C15)
            digest ^= digest >> np.uint64(29)
        digests[i] = digest
    return digests
