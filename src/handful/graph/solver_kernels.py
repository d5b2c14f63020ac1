"""Compiled inner loops of the block conjugate gradients: each works on the rows from start to stop.

The operator is x -> diagonal * x - W x with W sparse rows; rows that are not free are held at zero.
"""

from __future__ import annotations

import numba
import numpy as np

from handful.graph import lanes

_FAST = {"reassoc", "contract", "nsz", "arcp"}


@numba.njit(nogil=True, cache=True)
def _one_group(i, first, last, groups, group, indices, data, own, x, out):  # type: ignore[no-untyped-def]
    a = lanes.scale(lanes.load(x, i * groups + group), own)
    for e in range(first, last):
        a = lanes.add_scaled(a, -data[e], lanes.load(x, indices[e] * groups + group))
    lanes.store(out, i * groups + group, a)


@numba.njit(nogil=True, cache=True)
def _three_groups(i, first, last, groups, group, indices, data, own, x, out):  # type: ignore[no-untyped-def]
    place = i * groups + group
    a = lanes.scale(lanes.load(x, place), own)
    b = lanes.scale(lanes.load(x, place + 1), own)
    c = lanes.scale(lanes.load(x, place + 2), own)
    for e in range(first, last):
        other = np.int64(indices[e]) * groups + group
        weight = -data[e]
        a = lanes.add_scaled(a, weight, lanes.load(x, other))
        b = lanes.add_scaled(b, weight, lanes.load(x, other + 1))
        c = lanes.add_scaled(c, weight, lanes.load(x, other + 2))
    lanes.store(out, place, a)
    lanes.store(out, place + 1, b)
    lanes.store(out, place + 2, c)


@numba.njit(nogil=True, cache=True, fastmath=_FAST)
def multiply(start, stop, indptr, indices, data, diagonal, free, x, out):  # type: ignore[no-untyped-def]
    """Write the operator times `x` [N, K] into `out` [N, K] and return the columns' dot products x.out [K].

    K is a multiple of four.
    """
    columns = x.shape[1]
    groups = columns // lanes.DOUBLE
    dots = np.zeros(columns)
    for i in range(start, stop):
        if not free[i]:
            out[i] = 0.0
            continue
        group = 0
        while group < groups:
            if groups - group >= 3:
                _three_groups(i, indptr[i], indptr[i + 1], groups, group, indices, data, diagonal[i], x, out)
                group += 3
            else:
                _one_group(i, indptr[i], indptr[i + 1], groups, group, indices, data, diagonal[i], x, out)
                group += 1
        for k in range(columns):
            dots[k] += out[i, k] * x[i, k]
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
