"""Edge weights: from the distances to the nearest rows to one symmetric sparse matrix."""

from __future__ import annotations

import numpy as np
from scipy import sparse

KERNELS = ("gaussian", "connectivity")


def edge_weights(rows: np.ndarray, squared: np.ndarray, *, kernel: str = "gaussian") -> sparse.csr_array:
    """Return weights [N, N] float32 with zero diagonal for `rows` [N, k] and `squared` distances [N, k].

    A row's weights are exp(-4 d^2 / d_k^2), d_k its farthest kept distance, so the scale of the vectors does not
    matter; a pair gets the larger of its two weights. `rows` of -1 are no edge.
    """
    n, k = rows.shape
    if kernel == "connectivity":
        directed = np.ones(rows.shape, np.float32)
    else:
        widest = np.maximum(squared[:, -1:], np.finfo(np.float32).tiny)
        directed = np.exp(-4 * np.minimum(squared / widest, 1)).astype(np.float32)
    kept = rows >= 0
    pointers = np.concatenate([[0], np.cumsum(kept.sum(axis=1))]).astype(np.int32)
    one_way = sparse.csr_array((directed[kept], rows[kept].astype(np.int32), pointers), shape=(n, n))
    one_way.sort_indices()
    both = one_way.maximum(one_way.T.tocsr()).tocsr()
    both.sort_indices()
    return both
