"""One graph from what the user has: a graph, a matrix of weights, vectors, or several of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from handful.errors import InputError
from handful.graph import Graph, knn_graph
from handful.graph.build import Search


def as_graph(source: Any, *, labels: Any = None, seed: int = 0) -> Graph:
    """Return `source` as one graph.

    source: a Graph, a symmetric sparse matrix of weights [N, N], vectors [N, D] (or anything with them as `.vectors`),
        or a list of any of these, which are fused.
    """
    if isinstance(source, Graph):
        return source
    if sparse.issparse(source):
        return Graph.from_weights(source)
    if isinstance(source, list | tuple) and source and not np.isscalar(source[0]):
        return fuse(source, seed=seed)
    return knn_graph(source, seed=seed)


def fuse(
    sources: list[Any] | tuple[Any, ...],
    *,
    counts: Sequence[float] | None = None,
    n_neighbors: int = 10,
    seed: int = 0,
    search: Search | None = None,
) -> Graph:
    """Return one graph of several representations of the same rows; `search` as in `knn_graph`.

    counts: how much each counts in the similarity of two rows; all alike by default.
    """
    if len(sources) == 1:
        return as_graph(sources[0])
    blocks: list[np.ndarray] = []
    for source in sources:
        vectors = np.asarray(getattr(source, "vectors", source), dtype=np.float32)
        if len(vectors) != len(blocks[0] if blocks else vectors):
            raise InputError(f"every representation must have the same rows, got {len(blocks[0])} and {len(vectors)}.")
        vectors = vectors - vectors.mean(axis=0)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        blocks.append(vectors / np.where(norms > 0, norms, 1))
    if counts is not None:
        blocks = [block * np.float32(np.sqrt(count)) for block, count in zip(blocks, counts, strict=True)]
    return knn_graph(np.hstack(blocks), n_neighbors=n_neighbors, seed=seed, search=search)
