"""Partitions of the rows into cells of near rows, by k-means over k-means."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

_BRANCHES = 16
_SAMPLE = 32  # rows a centre is found from
_ROUNDS = 3


def partition(points: np.ndarray, scale: np.ndarray, most: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Return the rows of `points` [N, D], each times its `scale` [N], in cells of at most `most` near rows."""
    cells: list[np.ndarray] = []
    waiting = [np.arange(len(points), dtype=np.int32)]
    while waiting:
        rows = waiting.pop()
        if len(rows) <= most:
            cells.append(rows)
        else:
            waiting.extend(reversed(_split(points, scale, rows, most, rng)))
    return cells


def _split(
    points: np.ndarray, scale: np.ndarray, rows: np.ndarray, most: int, rng: np.random.Generator
) -> list[np.ndarray]:
    branches = int(np.clip(np.ceil(1.6 * len(rows) / most), 2, _BRANCHES))
    drawn = rng.choice(len(rows), min(len(rows), branches * _SAMPLE), replace=False)
    sample = gather(points, scale, rows[drawn])
    centres = _centres(sample, branches)
    nearest = np.empty(len(rows), np.int8)
    for start in range(0, len(rows), 8192):
        inside = slice(start, start + 8192)
        nearest[inside] = _nearest(gather(points, scale, rows[inside]), centres)
    order = np.argsort(nearest, kind="stable")
    bounds = np.searchsorted(nearest[order], np.arange(branches + 1))
    parts = [rows[order[a:b]] for a, b in pairwise(bounds) if b > a]
    if max(len(part) for part in parts) > 0.9 * len(rows):  # nearly all rows alike: any cut is as good
        return list(np.array_split(rows, branches))
    return parts


def gather(points: np.ndarray, scale: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the `rows` of `points` times their `scale`."""
    return points[rows] * scale[rows, None]


def _centres(sample: np.ndarray, count: int) -> np.ndarray:
    centres = sample[:count].copy()
    for _ in range(_ROUNDS):
        nearest = _nearest(sample, centres)
        members = (nearest[None, :] == np.arange(count)[:, None]).astype(np.float32)
        size = members.sum(axis=1, keepdims=True)
        centres = np.where(size > 0, (members @ sample) / np.maximum(size, 1), centres)
    return centres


def _nearest(rows: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return (rows @ centres.T - 0.5 * np.einsum("cd,cd->c", centres, centres)).argmax(axis=1)
