"""Edge weights: from the distances to the nearest rows to one symmetric sparse matrix.

Row i gives row j of its list exp(-4 d_ij^2 / d_i^2) with d_i the distance to the farthest row of the list, so that the
scale of the vectors does not matter (Calder, Cook, Thorpe and Slepcev, Poisson learning, 2020). A pair gets the mean
of what its two rows give: half where only one lists the other. Kernels with both distances, d_ij^2 / (d_i d_j), are
better on images and far worse on TF-IDF vectors, whose densities differ more.
"""

from __future__ import annotations

import numba
import numpy as np
from scipy import sparse

KERNELS = ("gaussian", "connectivity")
_FALL = 4.0


def edge_weights(rows: np.ndarray, squared: np.ndarray, *, kernel: str = "gaussian") -> sparse.csr_array:
    """Return weights [N, N] float32, symmetric, zero diagonal, for `rows` [N, k] at `squared` distances [N, k].

    Places of -1 are no edge. kernel: "gaussian", or "connectivity" for 1 where a row is in the other's list.
    """
    n = len(rows)
    rows = np.ascontiguousarray(rows, np.int32)
    squared = np.ascontiguousarray(squared, np.float32)
    fall = _FALL if kernel == "gaussian" else 0.0
    share = 0.5 if kernel == "gaussian" else 1.0
    pointers, columns, data = _assemble(rows, squared, fall, share)
    if pointers[-1] < 2**31:
        pointers = pointers.astype(np.int32)
    return sparse.csr_array((data, columns, pointers), shape=(n, n))


@numba.njit(nogil=True, cache=True)
def _assemble(rows, squared, fall, share):  # type: ignore[no-untyped-def]
    n, k = rows.shape
    reach = np.zeros(n, np.float32)  # squared
    pointers = np.zeros(n + 1, np.int64)
    mutual = np.zeros((n, k), np.bool_)
    for i in range(n):
        for place in range(k):
            j = rows[i, place]
            if j < 0:
                continue
            reach[i] = max(reach[i], squared[i, place])
            for other in range(k):
                if rows[j, other] == i:
                    mutual[i, place] = True
            pointers[i + 1] += 1
            if not mutual[i, place]:
                pointers[j + 1] += 1
    for i in range(n):
        pointers[i + 1] += pointers[i]
    following = pointers[:n].copy()
    columns = np.empty(pointers[n], np.int32)
    data = np.empty(pointers[n], np.float32)
    for i in range(n):
        for place in range(k):
            j = rows[i, place]
            if j < 0:
                continue
            apart = squared[i, place]
            weight = np.exp(-fall * apart / reach[i]) if apart > 0 else 1.0
            if mutual[i, place]:
                weight = 0.5 * (weight + (np.exp(-fall * apart / reach[j]) if apart > 0 else 1.0))
            else:
                weight *= share
                columns[following[j]], data[following[j]] = i, weight
                following[j] += 1
            columns[following[i]], data[following[i]] = j, weight
            following[i] += 1
    for i in range(n):
        first, last = pointers[i], pointers[i + 1]
        order = np.argsort(columns[first:last])
        columns[first:last] = columns[first:last][order]
        data[first:last] = data[first:last][order]
    return pointers, columns, data
