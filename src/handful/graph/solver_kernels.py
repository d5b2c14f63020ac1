"""Compiled inner loops of the block conjugate gradients: each works on the rows from start to stop.

The operator is x -> diagonal * x - W x with W sparse rows; rows that are not free are held at zero.
"""

from __future__ import annotations

import numba
import numpy as np

_FAST = {"reassoc", "contract", "nsz", "arcp"}


@numba.njit(nogil=True, cache=True, fastmath=_FAST)
def multiply(start, stop, indptr, indices, data, diagonal, free, x, out):  # type: ignore[no-untyped-def]
    """Write the operator times `x` [N, K] into `out` [N, K] and return the columns' dot products x.out [K]."""
    columns = x.shape[1]
    dots = np.zeros(columns)
    row = np.empty(columns)
    for i in range(start, stop):
        if not free[i]:
            out[i] = 0.0
            continue
        own = diagonal[i]
        for k in range(columns):
            row[k] = own * x[i, k]
        for e in range(indptr[i], indptr[i + 1]):
            j = indices[e]
            weight = np.float64(data[e])
            for k in range(columns):
                row[k] -= weight * x[j, k]
        for k in range(columns):
            out[i, k] = row[k]
            dots[k] += row[k] * x[i, k]
    return dots


@numba.njit(nogil=True, cache=True, fastmath=_FAST)
def advance(start, stop, lengths, direction, image, x, residual):  # type: ignore[no-untyped-def]
    """Step `x` along `direction` by `lengths` [K], the `residual` along its `image`; return its squared norms [K]."""
    columns = x.shape[1]
    squares = np.zeros(columns)
    for i in range(start, stop):
        for k in range(columns):
            x[i, k] += lengths[k] * direction[i, k]
            left = residual[i, k] - lengths[k] * image[i, k]
            residual[i, k] = left
            squares[k] += left * left
    return squares


@numba.njit(nogil=True, cache=True, fastmath=_FAST)
def dot_columns(start, stop, a, b):  # type: ignore[no-untyped-def]
    """Return the dot products of the columns [K] of `a` and `b` [N, K]."""
    columns = a.shape[1]
    dots = np.zeros(columns)
    for i in range(start, stop):
        for k in range(columns):
            dots[k] += a[i, k] * b[i, k]
    return dots


@numba.njit(nogil=True, cache=True, fastmath=_FAST)
def turn(start, stop, shares, corrected, direction):  # type: ignore[no-untyped-def]
    """Replace `direction` by `corrected` plus its own `shares` [K]."""
    for i in range(start, stop):
        for k in range(direction.shape[1]):
            direction[i, k] = corrected[i, k] + shares[k] * direction[i, k]
