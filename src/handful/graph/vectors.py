"""Vectors as the nearest-neighbour search wants them: finite float32 rows, each with what it is multiplied by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from handful.errors import InputError

_ROWS = 8192  # read at a time
_SAFE = 1e15  # float32 squares neither overflow nor vanish while the largest entry is between this and its inverse


@dataclass(frozen=True)
class Points:
    """rows: [N, D] float32, read in place where the vectors are float32; scale: [N] float32 multiplies each row.

    unit: the Euclidean distance that a distance of 1 between scaled rows stands for. empty: the rows, under the cosine
    metric, that are zero and have no direction.
    """

    rows: np.ndarray
    scale: np.ndarray
    unit: float
    empty: np.ndarray


def as_vectors(vectors: Any, *, least_rows: int = 2) -> np.ndarray:
    """Return `vectors`, or what they hold as `.vectors`, as an array [N, D] of finite numbers.

    Raises InputError for anything else, for fewer rows than `least_rows` and for no columns.
    """
    vectors = getattr(vectors, "vectors", vectors)
    try:
        array = vectors if isinstance(vectors, np.ndarray) else np.asarray(vectors)
    except ValueError:
        raise InputError("vectors must all have the same length, got rows of different lengths.") from None
    if array.dtype.kind not in "fiub":
        raise InputError(f"vectors must be numbers, got an array of {array.dtype}: convert them first.")
    if array.ndim != 2:
        raise InputError(f"vectors must be one vector a row, shape (N, D), got shape {array.shape}.")
    if array.shape[0] < least_rows or array.shape[1] < 1:
        raise InputError(
            f"vectors must have at least {least_rows} row{'s' * (least_rows > 1)} and 1 column, got shape"
            f" {array.shape}."
        )
    if array.dtype.kind == "f":
        _check_finite(array)
    return array


def prepare(vectors: np.ndarray, metric: str) -> Points:
    """Return `vectors` [N, D] ready for the search; under the cosine metric rows are scaled to length 1."""
    largest = max(float(np.abs(block.astype(np.float64)).max()) for block in _blocks(vectors))
    in_place = vectors.dtype == np.float32 and vectors.flags.c_contiguous and 1 / _SAFE < largest < _SAFE
    unit = 1.0 if in_place or largest == 0 else largest
    rows = np.asarray(vectors)
    if not in_place:
        rows = _converted(vectors, unit, centred=metric == "euclidean")
    scale = np.ones(len(rows), np.float32)
    empty = np.empty(0, np.int64)
    if metric == "cosine":
        norms = np.concatenate([np.linalg.norm(block.astype(np.float64), axis=1) for block in _blocks(rows)])
        empty = np.flatnonzero(norms == 0)
        scale = (1 / np.where(norms > 0, norms, 1)).astype(np.float32)
    return Points(rows, scale, unit, empty)


def _converted(vectors: np.ndarray, unit: float, *, centred: bool) -> np.ndarray:
    """Return float32 rows / unit, less their mean where the metric allows: then rounding loses least."""
    mean = np.zeros(vectors.shape[1])
    if centred:
        mean = sum((block / unit).sum(axis=0, dtype=np.float64) for block in _blocks(vectors)) / len(vectors)
    rows = np.empty(vectors.shape, np.float32)
    for start, block in zip(range(0, len(vectors), _ROWS), _blocks(vectors), strict=True):
        rows[start : start + len(block)] = block.astype(np.float64) / unit - mean
    return rows


def _blocks(vectors: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(vectors), _ROWS):
        yield vectors[start : start + _ROWS]


def _check_finite(array: np.ndarray) -> None:
    finite = np.concatenate([np.isfinite(block).all(axis=1) for block in _blocks(array)])
    if not finite.all():
        bad = np.flatnonzero(~finite)
        raise InputError(
            f"vectors must be finite, got NaN or infinity in {len(bad)} of {len(array)} rows, the first of them"
            f" row {bad[0]}: drop or repair these rows."
        )
