"""The connected components of a graph."""

from __future__ import annotations

import numba
import numpy as np
from scipy import sparse


def label_components(weights: sparse.csr_array) -> np.ndarray:
    """Return [N] int32, the component of each row of symmetric `weights` [N, N], numbered in the order of the rows."""
    return _label(weights.indptr, weights.indices)


@numba.njit(nogil=True, cache=True)
def _label(indptr, indices):  # type: ignore[no-untyped-def]
    n = len(indptr) - 1
    labels = np.full(n, -1, np.int32)
    waiting = np.empty(n, np.int32)
    count = 0
    for first in range(n):
        if labels[first] >= 0:
            continue
        labels[first] = count
        waiting[0], left = first, 1
        while left:
            left -= 1
            row = waiting[left]
            for e in range(indptr[row], indptr[row + 1]):
                if labels[indices[e]] < 0:
                    labels[indices[e]] = count
                    waiting[left] = indices[e]
                    left += 1
        count += 1
    return labels
