"""An approximate Cholesky factor of a graph Laplacian, a preconditioner that takes about a dozen steps to 1e-6.

Eliminating a vertex would link all of its neighbours with each other. Here each neighbour, the weakest edge first,
gets one edge to a neighbour drawn in proportion to the stronger edges, with the weight that keeps the expected
matrix exact: the factor never has more edges than the graph. Kyng and Sachdeva, Approximate Gaussian elimination for
Laplacians: fast, sparse and simple, 2016; the order of the draws and the order of elimination (fewest neighbours
first) are those of Gao, Kyng and Spielman, Robust and practical solution of Laplacian equations by approximate
Gaussian elimination, 2023.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numba
import numpy as np
from scipy import sparse

from handful.graph import lanes
from handful.graph.elimination import count_edges, eliminate
from handful.graph.threads import in_threads, scratch, thread_count

Sparse = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Factor:
    """L + diag(shift) on the rows that are not pinned, as G diag(pivots) G^T with unit lower triangular G.

    order: [M] rows in the order of elimination, or one in which a sweep does the same and finds them nearer.
    columns, rows: pointers [M + 1], places and shares of I - G by column and by row; a row is named by its place in
    the order, the ground, which holds all that is pinned or shifted, by M.
    inverse: [M] float32, 1 / pivots, 0 for the last row of a component without ground.
    pinned: [N] bool.
    """

    order: np.ndarray
    columns: Sparse
    rows: Sparse
    inverse: np.ndarray
    pinned: np.ndarray

    def apply(self, residuals: np.ndarray) -> np.ndarray:
        """Return the approximate solution [N, K] for `residuals` [N, K] float64, zero on pinned rows."""
        columns = residuals.shape[1]
        groups = max(-(-columns // lanes.SINGLE), min(thread_count(), columns))
        bounds = np.linspace(0, columns, groups + 1).astype(int)
        solution = np.zeros(residuals.shape)
        parts = (self.order, self.columns, self.rows, self.inverse)

        def sweep(first: int, last: int) -> None:
            _sweep(
                residuals,
                solution,
                first,
                last,
                *parts,
                scratch("sweep", (len(self.order) + 1, lanes.SINGLE), np.float32),
            )

        in_threads(sweep, pairwise(bounds))
        return solution


def factorise(weights: sparse.csr_array, shift: np.ndarray, pinned: np.ndarray, *, seed: int = 0) -> Factor:
    """Return the factor of D - W + diag(shift), `shift` [N] none negative, on the rows not `pinned` [N] bool."""
    scale = float(weights.data.max()) if weights.nnz else 1.0
    scale = scale if scale > 0 else 1.0
    edges = count_edges(weights.indptr, weights.indices, shift, pinned)
    order, pointers, places, shares, pivots = eliminate(
        weights.indptr, weights.indices, weights.data, shift, pinned, 1 / scale, edges, seed
    )
    inverse = np.where(pivots > 0, 1 / np.where(pivots > 0, pivots, 1), 0).astype(np.float32)
    columns = (pointers, places, shares)
    nearer = _close_behind(*_transpose(*columns)[:2], order, len(pinned))
    columns = _in_order(*columns, nearer)
    return Factor(order[nearer], columns, _transpose(*columns), inverse[nearer], pinned.copy())


@numba.njit(nogil=True, cache=True)
def _transpose(pointers, places, shares):  # type: ignore[no-untyped-def]
    """Return the entries by row: pointers, columns and shares; entries of the ground are left out."""
    n = len(pointers) - 1
    by_row = np.zeros(n + 2, np.int64)
    for u in places:
        by_row[u + 1] += 1
    by_row = np.cumsum(by_row)[: n + 1].copy()
    following = by_row.copy()
    columns = np.empty(by_row[n], np.int32)
    values = np.empty(by_row[n], np.float32)
    for t in range(n):
        for e in range(pointers[t], pointers[t + 1]):
            u = places[e]
            if u < n:
                columns[following[u]] = t
                values[following[u]] = shares[e]
                following[u] += 1
    return by_row, columns, values


@numba.njit(nogil=True, cache=True)
def _close_behind(pointers, places, order, n):  # type: ignore[no-untyped-def]
    """Return the places in an order that keeps each behind those in its row, as close behind them as can be.

    A sweep may take the places in any such order; in that of the elimination they lie far apart. The rows are walked
    as they are numbered, each after what it waits for.
    """
    place = np.full(n, -1, np.int32)
    place[order] = np.arange(len(order))
    after, used = np.empty(len(order), np.int32), 0
    met = np.zeros(len(order), np.bool_)
    waiting, following = np.empty(len(order), np.int32), np.empty(len(order), np.int64)
    for row in range(n):
        if place[row] < 0 or met[place[row]]:
            continue
        top = 0
        waiting[0], following[0] = place[row], pointers[place[row]]
        met[place[row]] = True
        while top >= 0:
            t = waiting[top]
            if following[top] == pointers[t + 1]:
                after[used] = t
                used += 1
                top -= 1
                continue
            before = places[following[top]]
            following[top] += 1
            if not met[before]:
                met[before] = True
                top += 1
                waiting[top], following[top] = before, pointers[before]
    return after


@numba.njit(nogil=True, cache=True)
def _in_order(pointers, places, shares, order):  # type: ignore[no-untyped-def]
    """Return the entries by column with the places in `order`; the ground stays last."""
    n = len(order)
    place = np.full(n + 1, n, np.int32)
    place[order] = np.arange(n)
    moved, numbers, values = np.zeros(n + 1, np.int64), np.empty_like(places), np.empty_like(shares)
    for t in range(n):
        start, stop = pointers[order[t]], pointers[order[t] + 1]
        at = moved[t]
        for e in range(start, stop):
            numbers[at + e - start] = place[places[e]]
            values[at + e - start] = shares[e]
        moved[t + 1] = at + stop - start
    return moved, numbers, values


@numba.njit(nogil=True, cache=True)
def _gather(pointers, places, shares, t, scale, y):  # type: ignore[no-untyped-def]
    """Replace y[t] by scale * y[t] + sum of share * y[place]."""
    row = lanes.scale(lanes.load(y, t), scale)
    for e in range(pointers[t], pointers[t + 1]):
        row = lanes.add_scaled(row, shares[e], lanes.load(y, places[e]))
    lanes.store(y, t, row)


@numba.njit(nogil=True, cache=True)
def _sweep(residuals, solution, first, last, order, columns, rows, inverse, y):  # type: ignore[no-untyped-def]
    """Solve with the factor for the columns from first to last, at most eight; `y` [M + 1, 8] is scratch."""
    n = len(order)
    y[:] = 0
    for t in range(n):
        for k in range(first, last):
            y[t, k - first] = residuals[order[t], k]
    for t in range(n):
        _gather(rows[0], rows[1], rows[2], t, np.float32(1), y)
    for t in range(n - 1, -1, -1):
        _gather(columns[0], columns[1], columns[2], t, inverse[t], y)
    for t in range(n):
        for k in range(first, last):
            solution[order[t], k] = y[t, k - first]
