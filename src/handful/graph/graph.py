"""The graph over the rows and how it is made from vectors."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from handful.errors import InputError, check_choice
from handful.graph.neighbours import Progress, exact_neighbours
from handful.graph.weights import KERNELS, edge_weights

METRICS = ("euclidean", "cosine")


@dataclass(frozen=True, eq=False)
class Graph:
    """Rows linked to their nearest rows.

    weights: [N, N] float32 sparse rows, symmetric, zero diagonal, int32 indices: how alike two linked rows are.
    vectors: [N, D] float32 the graph was made from, or None.
    neighbours: [N, k] int32, nearest first, -1 for none; or None.
    distances: [N, k] float32 to the neighbours (Euclidean, or 1 - cosine); or None.
    metric: "euclidean", "cosine" or "precomputed".
    recall: the share of true nearest neighbours in the lists: 1.0 where exact, else measured on a sample.
    notes: sentences about what was met: duplicates, zero vectors, components, a recall below its target.
    """

    weights: sparse.csr_array
    vectors: np.ndarray | None = None
    neighbours: np.ndarray | None = None
    distances: np.ndarray | None = None
    metric: str = "precomputed"
    recall: float = 1.0
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return self.weights.shape[0]

    @cached_property
    def degrees(self) -> np.ndarray:
        """[N] float64, the sum of each row's weights."""
        return self.weights @ np.ones(self.weights.shape[0])  # a sum of float32 weights is rounded to float32

    @property
    def n_neighbors(self) -> int | None:
        """The length of the neighbour lists, None where there are none."""
        return None if self.neighbours is None else self.neighbours.shape[1]

    @cached_property
    def system(self) -> Any:
        """The graph as a linear system, with the factors made for it so far (see `handful.graph.solver`)."""
        from handful.graph.system import System

        return System(self.weights)

    @cached_property
    def _components(self) -> np.ndarray:
        return csgraph.connected_components(self.weights, directed=False)[1].astype(np.int32)

    def components(self) -> np.ndarray:
        """Return [N] int32, the number of the connected component of each row."""
        return self._components

    def save(self, path: str | os.PathLike[str], *, with_vectors: bool = True) -> None:
        """Write the graph as one npz file; a file of that name is replaced only by a whole one."""
        arrays: dict[str, Any] = {
            "data": self.weights.data,
            "indices": self.weights.indices,
            "indptr": self.weights.indptr,
            "metric": np.array(self.metric),
            "recall": np.array(self.recall),
            "notes": np.array(self.notes, dtype=str),
        }
        optional = {"neighbours": self.neighbours, "distances": self.distances}
        optional |= {"vectors": self.vectors if with_vectors else None}
        arrays |= {name: array for name, array in optional.items() if array is not None}
        path = Path(path)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, **arrays)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, vectors: np.ndarray | None = None) -> Graph:
        """Return the graph that `save` wrote, with `vectors` in place of those in the file."""
        with np.load(path, allow_pickle=False) as file:
            n = len(file["indptr"]) - 1
            weights = sparse.csr_array((file["data"], file["indices"], file["indptr"]), shape=(n, n))
            if vectors is None and "vectors" in file:
                vectors = file["vectors"]
            return cls(
                weights=weights,
                vectors=vectors,
                neighbours=file["neighbours"] if "neighbours" in file else None,
                distances=file["distances"] if "distances" in file else None,
                metric=str(file["metric"]),
                recall=float(file["recall"]),
                notes=tuple(str(note) for note in file["notes"]),
            )

    @classmethod
    def from_weights(cls, weights: Any, vectors: Any = None) -> Graph:
        """Return the graph of a matrix [N, N] of weights, sparse or dense: symmetric, none negative.

        The diagonal is dropped. Raises InputError for a matrix that is not square, not symmetric, not finite or
        has negative weights.
        """
        matrix = _checked_weights(weights)
        if vectors is not None:
            vectors = as_vectors(vectors)
            if len(vectors) != matrix.shape[0]:
                raise InputError(
                    f"vectors has {len(vectors)} rows but the graph has {matrix.shape[0]}: give one vector a row."
                )
        graph = cls(weights=matrix, vectors=vectors)
        notes = _component_notes(graph.components())
        return cls(weights=matrix, vectors=vectors, notes=notes)


def knn_graph(
    vectors: Any,
    n_neighbors: int = 10,
    *,
    metric: str = "euclidean",
    weights: str = "gaussian",
    approximate: bool | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Graph:
    """Return the graph that links each row of `vectors` [N, D] to its nearest rows.

    vectors: an array, a memory map, or anything with such an array as `.vectors`.
    metric: "euclidean" or "cosine".
    weights: "gaussian" (falls with the distance) or "connectivity" (1 for every edge).
    approximate: None for exact below about 100,000 rows.
    progress: called with (rows done, rows in all).

    Raises InputError for vectors that are not finite, fewer than two rows, no columns, or n_neighbors not below N.
    """
    check_choice("metric", metric, METRICS)
    check_choice("weights", weights, KERNELS)
    vectors = as_vectors(vectors)
    check_n_neighbors(n_neighbors, len(vectors))
    points = np.ascontiguousarray(vectors, np.float32)
    if metric == "cosine":
        norms = np.linalg.norm(points, axis=1, keepdims=True)
        points = points / np.where(norms > 0, norms, 1)
    else:
        points = points - points.mean(axis=0)
        points /= max(float(np.abs(points).max()), np.finfo(np.float32).tiny)
    found = exact_neighbours(points, n_neighbors, progress=progress)
    graph = Graph(
        weights=edge_weights(found.rows, found.squared, kernel=weights),
        vectors=np.asarray(vectors),
        neighbours=found.rows,
        distances=found.squared / 2 if metric == "cosine" else np.sqrt(found.squared),
        metric=metric,
        recall=found.recall,
    )
    object.__setattr__(graph, "notes", _component_notes(graph.components()))
    return graph


def as_vectors(vectors: Any) -> np.ndarray:
    """Return `vectors` as a finite array [N, D]; raises InputError where they are not."""
    vectors = getattr(vectors, "vectors", vectors)
    array = vectors if isinstance(vectors, np.ndarray) else np.asarray(vectors)
    if array.dtype.kind not in "fiub":
        raise InputError(f"vectors must be numbers, got an array of {array.dtype}: convert them first.")
    if array.ndim != 2:
        raise InputError(f"vectors must be one vector a row, shape (N, D), got shape {array.shape}.")
    if array.shape[0] < 2 or array.shape[1] < 1:
        raise InputError(f"vectors must have at least 2 rows and 1 column, got shape {array.shape}.")
    if array.dtype.kind == "f":
        bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
        if len(bad):
            raise InputError(
                f"vectors must be finite, got NaN or infinity in {len(bad)} of {len(array)} rows, the first of them"
                f" row {bad[0]}: drop or repair these rows."
            )
    return array


def check_n_neighbors(n_neighbors: int, n: int) -> None:
    """Raise InputError unless `n_neighbors` is a whole number from 1 to n - 1."""
    whole = isinstance(n_neighbors, int | np.integer) and not isinstance(n_neighbors, bool)
    if not whole or not 1 <= n_neighbors < n:
        raise InputError(
            f"n_neighbors must be a whole number of at least 1 and below the number of rows ({n}), got {n_neighbors!r}."
        )


def _checked_weights(weights: Any) -> sparse.csr_array:
    """Return a user's matrix as symmetric float32 sparse rows, or raise InputError."""
    matrix = sparse.csr_array(weights)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"a precomputed graph must be a square matrix, shape (N, N), got shape {matrix.shape}.")
    matrix = matrix.astype(np.float64)
    matrix.sum_duplicates()
    if not np.isfinite(matrix.data).all():
        raise InputError("a precomputed graph must have finite weights, got NaN or infinity: drop these edges.")
    if (matrix.data < 0).any():
        raise InputError(
            f"a precomputed graph must have weights of at least 0, got {matrix.data.min():g}: use similarities."
        )
    difference = abs(matrix - matrix.T)
    if difference.nnz and difference.max() > 1e-5 * matrix.data.max():
        raise InputError(
            "a precomputed graph must be symmetric, got W[i, j] != W[j, i]: symmetrise it, for example with"
            " W.maximum(W.T)."
        )
    matrix = ((matrix + matrix.T) / 2).astype(np.float32).tocsr()
    matrix.setdiag(0)
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return sparse.csr_array(
        (matrix.data, matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)), shape=matrix.shape
    )


def _component_notes(components: np.ndarray) -> tuple[str, ...]:
    sizes = np.bincount(components)
    if len(sizes) == 1:
        return ()
    return (
        f"The graph has {len(sizes)} components without an edge between them; the largest has {sizes.max()} of"
        f" {len(components)} rows: a label reaches only its own component.",
    )
