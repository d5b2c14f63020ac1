"""Graphs from vectors: built whole, or extended by new rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from handful.errors import InputError, check_choice
from handful.graph.graph import Graph, component_notes
from handful.graph.vectors import Points, as_vectors, prepare
from handful.graph.weights import KERNELS, edge_weights

if TYPE_CHECKING:
    from handful.graph.neighbours import Neighbours

METRICS = ("euclidean", "cosine")
_EXACT_ROWS = 100_000  # exact search costs seconds up to here
_EXACT_ROWS_ON_GPU = 1_000_000
_RECALL_TARGET = 0.97


class Search(Protocol):
    """What finds the neighbours in the place of this process: the machines of a cluster."""

    def __call__(
        self, points: np.ndarray, scale: np.ndarray, n_neighbors: int, *, approximate: bool, seed: int
    ) -> Neighbours:
        """Return near other rows of each row of `points` [N, D] float32 times its `scale` [N]."""


def knn_graph(
    vectors: Any,
    n_neighbors: int = 10,
    *,
    metric: str = "euclidean",
    weights: str = "gaussian",
    approximate: bool | None = None,
    seed: int = 0,
    progress: Any = None,
    search: Search | None = None,
) -> Graph:
    """Return the graph that links each row of `vectors` [N, D] to its nearest rows.

    vectors: an array, a memory map (float32 is read in place), or anything with such an array as `.vectors`.
    metric: "euclidean" or "cosine".
    weights: "gaussian" (falls with the distance, whatever its scale) or "connectivity" (1 for every edge).
    approximate: None for exact up to 100,000 rows, or a million where torch is loaded and sees a GPU.
    progress: called with (rows done, rows in all).
    search: what finds the neighbours elsewhere (`handful.cluster`), without a GPU; this process by default.

    Rows with more than k/2 copies are linked with some of these and with the nearest other vectors. Under the cosine
    metric zero vectors get no edges. Both are told in the graph's notes.
    Raises InputError for vectors that are not finite numbers, fewer than two rows, no columns, or n_neighbors not
    below N.
    """
    from handful.graph.duplicates import find_copies, spread_to_copies

    check_choice("metric", metric, METRICS)
    check_choice("weights", weights, KERNELS)
    vectors = as_vectors(vectors)
    check_n_neighbors(n_neighbors, len(vectors))
    points = prepare(vectors, metric)
    copies = find_copies(points.rows, points.scale, most=max(1, n_neighbors // 2), empty=points.empty)
    if len(copies.kept) == len(vectors):
        found = _search(points.rows, points.scale, n_neighbors, approximate, seed, progress, search)
    else:
        searched = None
        if len(copies.kept) > 1:
            rows, scale = points.rows[copies.kept], points.scale[copies.kept]
            searched = _search(rows, scale, min(n_neighbors, len(rows) - 1), approximate, seed, progress, search)
        found = spread_to_copies(searched, copies, len(vectors), n_neighbors)
    notes = _notes(copies.groups, points, found.recall)
    return _linked(vectors, points, found.rows, found.squared, found.recall, metric, weights, notes)


def extend(graph: Graph, new_vectors: Any) -> Graph:
    """Return `graph` with rows for `new_vectors` [M, D] after its own, searched exactly, without a rebuild.

    Old rows take new ones into their lists where these are nearer. Where many rows are copies of each other, the graph
    is built anew. Raises InputError for a graph without vectors or with other columns.
    """
    from handful.graph import neighbours
    from handful.graph.duplicates import find_copies

    if graph.vectors is None or graph.neighbours is None or graph.distances is None:
        raise InputError("graph cannot be extended: it keeps no vectors and neighbour lists; build it with knn_graph.")
    new = as_vectors(np.atleast_2d(np.asarray(getattr(new_vectors, "vectors", new_vectors))), least_rows=1)
    if new.shape[1] != graph.vectors.shape[1]:
        raise InputError(
            f"new_vectors must have the graph's {graph.vectors.shape[1]} columns, got {new.shape[1]}: embed the new"
            " rows with the same encoder."
        )
    n, k = graph.neighbours.shape
    vectors = np.concatenate([graph.vectors, new])
    points = prepare(vectors, graph.metric)
    if find_copies(points.rows, points.scale, most=max(1, k // 2), empty=points.empty).groups:
        return knn_graph(vectors, k, metric=graph.metric, weights=graph.kernel)
    found = neighbours.joined(points.rows, points.scale, graph.neighbours, points.empty, n)
    recall = graph.recall if graph.recall == 1 else neighbours.measure_recall(points.rows, points.scale, found.rows, 0)
    notes = _notes([], points, recall)
    return _linked(vectors, points, found.rows, found.squared, recall, graph.metric, graph.kernel, notes)


def check_n_neighbors(n_neighbors: int, n: int) -> None:
    """Raise InputError unless `n_neighbors` is a whole number from 1 to n - 1."""
    whole = isinstance(n_neighbors, int | np.integer) and not isinstance(n_neighbors, bool)
    if not whole or not 1 <= n_neighbors < n:
        raise InputError(
            f"n_neighbors must be a whole number of at least 1 and below the number of rows ({n}), got {n_neighbors!r}."
        )


def _search(
    rows: np.ndarray,
    scale: np.ndarray,
    n_neighbors: int,
    approximate: bool | None,
    seed: int,
    progress: Any,
    search: Search | None,
) -> Neighbours:
    from handful.graph import neighbours
    from handful.graph.cuda import gpu_at_hand

    gpu = search is None and gpu_at_hand()
    if approximate is None:
        approximate = len(rows) > (_EXACT_ROWS_ON_GPU if gpu else _EXACT_ROWS)
    if search is not None:
        return search(rows, scale, n_neighbors, approximate=approximate, seed=seed)
    if approximate:
        return neighbours.approximate_neighbours(rows, n_neighbors, scale=scale, seed=seed, progress=progress)
    if gpu:
        return neighbours.exact_neighbours_on_gpu(rows, n_neighbors, scale=scale)
    return neighbours.exact_neighbours(rows, n_neighbors, scale=scale, progress=progress)


def _linked(
    vectors: np.ndarray,
    points: Points,
    rows: np.ndarray,
    squared: np.ndarray,
    recall: float,
    metric: str,
    kernel: str,
    notes: tuple[str, ...],
) -> Graph:
    rows[points.empty] = -1
    squared[points.empty] = np.inf
    graph = Graph(
        weights=edge_weights(rows, squared, kernel=kernel),
        vectors=vectors if vectors.dtype == np.float32 else vectors.astype(np.float32),
        neighbours=rows,
        distances=squared / 2 if metric == "cosine" else np.sqrt(squared) * np.float32(points.unit),
        metric=metric,
        kernel=kernel,
        recall=recall,
        notes=notes,
    )
    with_components = replace(graph, notes=notes + component_notes(graph.components()))
    vars(with_components).update(_components=graph.components())
    return with_components


def _notes(groups: list[np.ndarray], points: Points, recall: float) -> tuple[str, ...]:
    notes = []
    if groups:
        notes.append(
            f"{sum(map(len, groups))} rows are copies of {len(groups)} vectors: each is linked with some of its copies"
            " and with the nearest other vectors."
        )
    if len(points.empty):
        notes.append(
            f"{len(points.empty)} rows are zero vectors, which have no direction under the cosine metric, the first of"
            f" them row {points.empty[0]}: they get no edges, so no label reaches them."
        )
    if recall < _RECALL_TARGET:
        notes.append(
            f"The lists hold {100 * recall:.1f} % of the nearest rows, below the {100 * _RECALL_TARGET:.0f} % aimed at:"
            " approximate=False makes them exact."
        )
    return tuple(notes)
