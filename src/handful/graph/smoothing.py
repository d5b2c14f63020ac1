"""Steps of averaging over the neighbourhood, all columns at once, in float32."""

from __future__ import annotations

import numba
import numpy as np
from scipy import sparse

from handful.graph import lanes
from handful.graph.rows import AllRows, Rows
from handful.graph.threads import in_threads, row_blocks


def random_walk(weights: sparse.csr_array, degrees: np.ndarray) -> sparse.csr_array:
    """Return D^-1 W [N, N] float32 of `weights` [N, N], whose row sums are `degrees` [N]."""
    walk = sparse.csr_array(weights, dtype=np.float32, copy=True)
    walk.data /= np.repeat(np.where(degrees > 0, degrees, 1), np.diff(walk.indptr)).astype(np.float32)
    return walk


def smooth(
    walk: sparse.csr_array, values: np.ndarray, *, alpha: float, steps: int, rows: Rows | None = None
) -> np.ndarray:
    """Return F [n, K] float32 after `steps` times F <- alpha walk F + (1 - alpha) values, from F = values.

    Many steps end at (1 - alpha) (I - alpha walk)^-1 values. rows: those of `values` among all, None for all.
    """
    n, columns = values.shape
    rows = AllRows(n) if rows is None else rows
    own = np.pad(values.astype(np.float32, copy=False), ((0, rows.borders), (0, -columns % lanes.SINGLE)))
    mean, after = own.copy(), np.empty_like(own)
    matrix = (walk.indptr, walk.indices, walk.data, np.float32(alpha))
    place, done = rows.kept(), 0
    state = place.load()
    if state is not None:
        mean[:n], done = state["mean"], state["steps"]
    for step in range(done, steps):
        rows.fetch(mean)
        in_threads(_step, [(*block, *matrix, own, mean, after) for block in row_blocks(n)])
        mean, after = after, mean
        place.keep(step + 1, {"mean": mean[:n], "steps": step + 1})
    place.finish({"mean": mean[:n], "steps": steps})
    return np.ascontiguousarray(mean[:n, :columns])


@numba.njit(nogil=True, cache=True)
def _step(start, stop, indptr, indices, data, alpha, own, mean, out):  # type: ignore[no-untyped-def]
    groups = own.shape[1] // lanes.SINGLE
    rest = np.float32(1) - alpha
    for i in range(start, stop):
        place, group = i * groups, 0
        while group + 1 < groups:
            a = lanes.scale(lanes.load(own, place + group), rest)
            b = lanes.scale(lanes.load(own, place + group + 1), rest)
            for e in range(indptr[i], indptr[i + 1]):
                other = np.int64(indices[e]) * groups + group
                weight = alpha * data[e]
                a = lanes.add_scaled(a, weight, lanes.load(mean, other))
                b = lanes.add_scaled(b, weight, lanes.load(mean, other + 1))
            lanes.store(out, place + group, a)
            lanes.store(out, place + group + 1, b)
            group += 2
        if group < groups:
            a = lanes.scale(lanes.load(own, place + group), rest)
            for e in range(indptr[i], indptr[i + 1]):
                other = np.int64(indices[e]) * groups + group
                a = lanes.add_scaled(a, alpha * data[e], lanes.load(mean, other))
            lanes.store(out, place + group, a)
