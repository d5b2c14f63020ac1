"""The graph over the rows: what every rule that spreads labels works on."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
from scipy import sparse

from handful.errors import InputError
from handful.files import written_whole
from handful.graph.near import LEAST_ROWS, OrderedRows, TakenRows, near_order, reordered
from handful.graph.rows import AllRows, Rows
from handful.graph.vectors import as_vectors


@dataclass(frozen=True, eq=False)
class Graph:
    """Rows linked to their nearest rows.

    weights: [N, N] float32 sparse rows, symmetric, zero diagonal, int32 indices: how alike two linked rows are.
    vectors: [N, D] float32 the graph was made from, or None.
    neighbours: [N, k] int32, nearest first, -1 for none; or None.
    distances: [N, k] float32 to the neighbours (Euclidean, or 1 - cosine); or None.
    metric: "euclidean", "cosine" or "precomputed".
    kernel: how distances became weights, "gaussian" or "connectivity".
    recall: the share of true nearest neighbours in the lists: 1.0 where exact, else measured on a sample.
    notes: sentences about what was met: duplicates, zero vectors, components, a recall below its target.
    rows: which rows of a graph over several processes these are; weights is then [n, n + borders]. All, by default.
    """

    weights: sparse.csr_array
    vectors: np.ndarray | None = None
    neighbours: np.ndarray | None = None
    distances: np.ndarray | None = None
    metric: str = "precomputed"
    kernel: str = "gaussian"
    recall: float = 1.0
    notes: tuple[str, ...] = ()
    rows: Rows = field(default=None, repr=False)  # type: ignore[assignment]  # set below

    def __post_init__(self) -> None:
        if self.rows is None:
            object.__setattr__(self, "rows", AllRows(self.weights.shape[0]))

    def __len__(self) -> int:
        return self.weights.shape[0]

    @cached_property
    def degrees(self) -> np.ndarray:
        """[N] float64, the sum of each row's weights."""
        return self.weights @ np.ones(self.weights.shape[1])  # a sum of float32 weights is rounded to float32

    @property
    def n_neighbors(self) -> int | None:
        """The length of the neighbour lists, None where there are none."""
        return None if self.neighbours is None else self.neighbours.shape[1]

    @cached_property
    def system(self) -> Any:
        """The graph as a linear system, with the factors made for it so far (see `handful.graph.solver`)."""
        from handful.graph.system import System

        return System(self.weights, self.rows)

    @cached_property
    def near(self) -> Graph:
        """The same graph with linked rows near each other in memory, where so many are held here that it is faster."""
        if type(self.rows) is not AllRows or len(self) < LEAST_ROWS:
            return self
        order = near_order(self.weights)
        vectors: Any = None if self.vectors is None else TakenRows(self.vectors, order)
        rows = OrderedRows(count=len(self), order=order, labels=self.components()[order])
        return Graph(reordered(self.weights, order), vectors, metric=self.metric, kernel=self.kernel, rows=rows)

    @cached_property
    def _components(self) -> np.ndarray:
        return self.rows.components(self.weights)

    def components(self) -> np.ndarray:
        """Return [N] int32, the number of the connected component of each row."""
        return self._components

    def save(self, path: str | os.PathLike[str] | IO[bytes], *, with_vectors: bool = True) -> None:
        """Write the graph as one npz file, or to an open one; a file of that name is replaced only by a whole one."""
        arrays: dict[str, Any] = {
            "data": self.weights.data,
            "indices": self.weights.indices,
            "indptr": self.weights.indptr,
            "metric": np.array(self.metric),
            "kernel": np.array(self.kernel),
            "recall": np.array(self.recall),
            "notes": np.array(self.notes, dtype=str),
        }
        optional = {"neighbours": self.neighbours, "distances": self.distances}
        optional |= {"vectors": self.vectors if with_vectors else None}
        arrays |= {name: array for name, array in optional.items() if array is not None}
        if isinstance(path, str | os.PathLike):
            with written_whole(Path(path)) as file:
                np.savez(file, allow_pickle=False, **arrays)
        else:
            np.savez(path, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, vectors: np.ndarray | None = None) -> Graph:
        """Return the graph that `save` wrote, with `vectors` in place of those in the file."""
        with Path(path).open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            n = len(file["indptr"]) - 1
            weights = sparse.csr_array((file["data"], file["indices"], file["indptr"]), shape=(n, n))
            return cls(
                weights=weights,
                vectors=file.get("vectors") if vectors is None else vectors,
                neighbours=file.get("neighbours"),
                distances=file.get("distances"),
                metric=str(file["metric"]),
                kernel=str(file["kernel"]),
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
        notes = component_notes(graph.components())
        return cls(weights=matrix, vectors=vectors, notes=notes)


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


def component_notes(components: np.ndarray) -> tuple[str, ...]:
    """Return a sentence that counts the components [N], or nothing where there is one."""
    sizes = np.bincount(components)
    if len(sizes) == 1:
        return ()
    return (
        f"The graph has {len(sizes)} components without an edge between them; the largest has {sizes.max()} of"
        f" {len(components)} rows: a label reaches only its own component.",
    )
