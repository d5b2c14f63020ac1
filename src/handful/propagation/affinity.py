"""How an estimator comes from samples to a graph, and from new samples to weights on the fitted ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.metrics.pairwise import euclidean_distances, rbf_kernel
from sklearn.neighbors import NearestNeighbors

from handful.errors import InputError
from handful.graph import Graph, knn_graph
from handful.graph.weights import edge_weights

Kernel = str | Callable[..., Any]
KERNELS = ("knn", "rbf", "precomputed")
_APPROXIMATE_ABOVE = 20_000  # samples
_LEAST_RECALL = 0.98


def kernel_matrix(X: Any, *, kernel: Kernel, gamma: float, n_neighbors: int) -> Any:
    """Return the affinity [N, N] of the samples `X` [N, D], dense or sparse, as the kernel gives it."""
    if kernel == "rbf":
        return rbf_kernel(X, X, gamma=gamma)
    if kernel == "knn":
        return neighbour_graph(X, n_neighbors).weights
    return X if kernel == "precomputed" else kernel(X, X)  # type: ignore[operator]


def as_affinity_graph(matrix: Any, *, kernel: Kernel) -> Graph:
    """Return an affinity [N, N] as a graph: its symmetric part, in float64, without the diagonal.

    Raises InputError where it is not square, has negative or infinite weights, or (precomputed) is not symmetric.
    """
    if kernel == "precomputed":
        return Graph.from_weights(matrix)
    matrix = sparse.csr_array(matrix, dtype=np.float64)
    if matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"a kernel must return a square matrix of the samples, got shape {matrix.shape}.")
    if not np.isfinite(matrix.data).all() or (matrix.data < 0).any():
        raise InputError("a kernel must return finite weights of at least 0, got others: use a similarity.")
    matrix = sparse.csr_array((matrix + matrix.T) / 2)
    matrix.setdiag(0)
    matrix.eliminate_zeros()
    return Graph(weights=matrix)


def neighbour_graph(X: Any, n_neighbors: int) -> Graph:
    """Return the graph that links each sample to its `n_neighbors` nearest others.

    Above 20,000 samples to nearly these: the approximate search is several times faster, and its lists are kept where
    they hold at least 98 % of the nearest (measured on a sample).
    """
    if not sparse.issparse(X):
        if X.shape[0] > _APPROXIMATE_ABOVE:
            graph = knn_graph(X, n_neighbors, approximate=True)
            if graph.recall >= _LEAST_RECALL:
                return graph
        return knn_graph(X, n_neighbors)
    if n_neighbors >= X.shape[0]:
        raise InputError(f"n_neighbors must be below the number of samples ({X.shape[0]}), got {n_neighbors}.")
    distances, rows = NearestNeighbors(n_neighbors=n_neighbors).fit(X).kneighbors()
    return Graph(weights=edge_weights(rows.astype(np.int32), (distances**2).astype(np.float32)))


def cross_weights(new: Any, X: Any, *, kernel: Kernel, gamma: float, n_neighbors: int) -> Any:
    """Return the weights [M, N] of the fitted samples `X` [N, D] for `new` [M, D]: only ratios in a row count.

    Gaussian weights are taken relative to the nearest fitted sample, so that a row far from all of them has some.
    """
    if kernel == "rbf":
        squared = euclidean_distances(new, X, squared=True)
        return np.exp(-gamma * (squared - squared.min(axis=1, keepdims=True)))
    if kernel == "knn":
        return _neighbour_weights(new, X, n_neighbors)
    return new if kernel == "precomputed" else _transposed(kernel(X, new))  # type: ignore[operator]


def _neighbour_weights(new: Any, X: Any, n_neighbors: int) -> sparse.csr_array:
    distances, rows = NearestNeighbors(n_neighbors=n_neighbors).fit(X).kneighbors(new)
    widest = np.maximum(distances[:, -1:], np.finfo(np.float64).tiny)
    weights = np.exp(-4 * np.minimum(distances / widest, 1) ** 2)
    starts = np.arange(len(rows) + 1) * n_neighbors
    return sparse.csr_array((weights.ravel(), rows.ravel(), starts), shape=(len(rows), X.shape[0]))


def _transposed(matrix: Any) -> Any:
    return matrix.T
