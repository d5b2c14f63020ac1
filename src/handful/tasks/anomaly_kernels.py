"""The compiled inner loop of anomaly scores: how far a row is from small random samples and from a larger one."""

from __future__ import annotations

import numba
import numpy as np

CLOSEST = np.float32(1e-3)
"""The least distance, per root of a column: nearer rows are as near as can be told."""


@numba.njit(nogil=True, cache=True, fastmath={"contract"})
def _squared_distances(row, references, squared):  # type: ignore[no-untyped-def]
    """Write into `squared` [R] the squared distances of `row` [D] to `references` [D, R]."""
    squared[:] = np.float32(0)
    for column in range(len(row)):
        value = row[column]
        others = references[column]
        for reference in range(len(squared)):
            step = others[reference] - value
            squared[reference] += step * step


@numba.njit(nogil=True, cache=True)
def _nearest_but_itself(squared, start, stop, nearest):  # type: ignore[no-untyped-def]
    """Write into `nearest` [k] the references from `start` to `stop` that lie nearest, one identical one passed over.

    A row that was fitted may be a reference itself; passing over one copy makes its score that of a new row.
    """
    count = len(nearest)
    nearest[:] = -1
    itself = False
    for reference in range(start, stop):
        distance = squared[reference]
        if distance == 0 and not itself:
            itself = True
            continue
        if nearest[count - 1] >= 0 and distance >= squared[nearest[count - 1]]:
            continue
        at = count - 1
        while at > 0 and (nearest[at - 1] < 0 or squared[nearest[at - 1]] > distance):
            nearest[at] = nearest[at - 1]
            at -= 1
        nearest[at] = reference


@numba.njit(nogil=True, cache=True)
def _distance(squared, nearest, width):  # type: ignore[no-untyped-def]
    """Return the distance, per root of a column, to the last of `nearest` that there is."""
    last = len(nearest) - 1
    while last > 0 and nearest[last] < 0:
        last -= 1
    return np.sqrt(squared[nearest[last]] / width) if nearest[last] >= 0 else np.float32(0)


@numba.njit(nogil=True, cache=True)
def measure_distances(rows, references, size, n_samples, n_neighbors, coarse, fine):  # type: ignore[no-untyped-def]
    """Write the two distances of each of `rows` [B, D].

    references: [D, n_samples * size + M]: first the samples of `size` rows, then the larger one.
    coarse: [B] the logarithm of the mean distance to the nearest row of each sample; fine: [B] that of the distance to
    the `n_neighbors`-th nearest of the larger one.
    """
    squared = np.empty(references.shape[1], np.float32)
    first, nearest = np.empty(1, np.int64), np.empty(n_neighbors, np.int64)
    width = np.float32(rows.shape[1])
    for row in range(len(rows)):
        _squared_distances(rows[row], references, squared)
        total = np.float32(0)
        for sample in range(n_samples):
            _nearest_but_itself(squared, sample * size, (sample + 1) * size, first)
            total += _distance(squared, first, width)
        coarse[row] = np.log(max(total / n_samples, CLOSEST))
        _nearest_but_itself(squared, n_samples * size, len(squared), nearest)
        fine[row] = np.log(max(_distance(squared, nearest, width), CLOSEST))


@numba.njit(nogil=True, cache=True)
def share_distances(rows, references, size, n_samples, n_neighbors, coarse, fine):  # type: ignore[no-untyped-def]
    """Write what each column adds to the distances that `measure_distances` takes, [B, D] each: a distance is the sum
    of the squared steps along the columns over itself."""
    squared = np.empty(references.shape[1], np.float32)
    first, nearest = np.empty(1, np.int64), np.empty(n_neighbors, np.int64)
    for row in range(len(rows)):
        _squared_distances(rows[row], references, squared)
        coarse[row], fine[row] = 0, 0
        for sample in range(n_samples):
            _nearest_but_itself(squared, sample * size, (sample + 1) * size, first)
            _add_shares(rows[row], references, squared, first, coarse[row])
        _nearest_but_itself(squared, n_samples * size, len(squared), nearest)
        _add_shares(rows[row], references, squared, nearest, fine[row])


@numba.njit(nogil=True, cache=True)
def _add_shares(row, references, squared, nearest, shares):  # type: ignore[no-untyped-def]
    for reference in nearest:
        if reference >= 0 and squared[reference] > 0:
            for column in range(len(row)):
                step = references[column, reference] - row[column]
                shares[column] += step * step / np.sqrt(squared[reference])
