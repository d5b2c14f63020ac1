"""Which rows to label next."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.linalg import eigsh
from sklearn.cluster import KMeans

from handful.errors import InputError, check_at_least
from handful.graph import Graph, knn_graph
from handful.propagation.problem import Problem
from handful.propagation.rules import pwll

MOST_ROWS = 5_000
N_EIGENVECTORS = 100
N_STEPS = 5
WALKS = (2, 5, 10, 20)
FEW = 25  # up to so many rows several proposals are compared: each costs one propagation with as many classes


def suggest_rows(
    graph: Graph,
    n: int,
    *,
    codes: np.ndarray | None = None,
    confidence: np.ndarray | None = None,
    seed: int = 0,
) -> np.ndarray:
    """Return [n] the rows to label next, the most useful first; fewer where fewer carry no label.

    The rows are grouped into `n` parts by where a few steps of a random walk on the graph lead from them, and each
    part gives its most typical row: dense, and near the part's middle. Rows that are already known count for little:
    a row counts by 1 - confidence, or where that is not known by its distance from the given rows.

    codes: [N] the given labels, -1 for none; None where nothing is labelled.
    confidence: [N] the probability that a row's propagated label is right.

    Raises InputError where n is below 1, or an array does not fit the graph.

    Related: typical rows of clusters, Hacohen, Dekel and Weinshall, Active learning on a budget, 2022; the space is
    the diffusion map of Coifman and Lafon, 2006.
    """
    check_at_least("n", n, 1)
    for name, values in (("codes", codes), ("confidence", confidence)):
        if values is not None and len(values) != len(graph):
            raise InputError(
                f"{name} must have one value for each of the graph's {len(graph)} rows, got {len(values)}."
            )
    rng = np.random.default_rng(seed)
    given = np.zeros(len(graph), bool) if codes is None else np.asarray(codes) >= 0
    rows = _sample(given, confidence, max(MOST_ROWS, 4 * n), rng)
    graph = _take(graph, rows)
    values, vectors = leading_directions(graph, seed=seed)
    density = _density(graph)
    weight = _unknown(walk(values, vectors), given[rows], None if confidence is None else np.asarray(confidence)[rows])
    n = min(n, int((~given[rows]).sum()))
    if given.any() or confidence is not None or not 1 < n <= FEW:
        return rows[_typical_rows(walk(values, vectors), density, weight, n, seed)]
    proposals = [
        _typical_rows(walk(values, vectors, steps=steps), density, weight, n, seed + repeat)
        for steps in WALKS
        for repeat in range(2)
    ]
    return rows[_most_telling(graph, proposals)]


def leading_directions(graph: Graph, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return the eigenvalues [E] and eigenvectors [N, E] of the random walk on the graph that decay last."""
    if len(graph) < 4:
        return np.ones(len(graph)), np.eye(len(graph))
    scale = 1 / np.sqrt(np.where(graph.degrees > 0, graph.degrees, 1))
    weights = graph.weights.astype(np.float64)
    symmetric = weights.multiply(scale[:, None]).multiply(scale[None, :]).tocsr()
    start = np.random.default_rng(seed).uniform(0.5, 1.5, len(graph))
    return eigsh(symmetric, k=min(N_EIGENVECTORS, len(graph) - 2), which="LA", tol=1e-3, v0=start)


def walk(values: np.ndarray, vectors: np.ndarray, *, steps: int = N_STEPS) -> np.ndarray:
    """Return [N, E] unit vectors: where `steps` steps of the random walk lead from each row."""
    places = vectors * np.clip(values, 0, 1) ** steps
    return places / np.maximum(np.linalg.norm(places, axis=1, keepdims=True), 1e-12)


def _most_telling(graph: Graph, proposals: list[np.ndarray]) -> np.ndarray:
    """Return the proposal whose rows, each a class of its own, divide the graph most evenly and most surely."""
    evenness, sureness = [], []
    for rows in proposals:
        codes = np.full(len(graph), -1, dtype=np.int32)
        codes[rows] = np.arange(len(rows))
        problem = Problem(graph, codes, len(rows))
        scores = pwll(problem)[problem.reached]
        shares = np.bincount(scores.argmax(axis=1), minlength=len(rows)) / max(len(scores), 1)
        ranked = np.partition(scores, -2, axis=1)
        evenness.append(-(shares * np.log(np.maximum(shares, 1e-12))).sum())
        sureness.append((ranked[:, -1] - ranked[:, -2]).mean())
    return proposals[int((_ranks(np.array(evenness)) + _ranks(np.array(sureness))).argmax())]


def _sample(given: np.ndarray, confidence: np.ndarray | None, most: int, rng: np.random.Generator) -> np.ndarray:
    """Return all rows, or `most` of them: a part of the given rows, the rest at random."""
    if len(given) <= most:
        return np.arange(len(given))
    kept = rng.permutation(np.flatnonzero(given))[: most // 4]
    others = rng.permutation(np.flatnonzero(~given))[: most - len(kept)]
    return np.sort(np.concatenate([kept, others]))


def _take(graph: Graph, rows: np.ndarray) -> Graph:
    """Return the graph of these rows: linked anew by their vectors, or, where there are none, with the edges kept."""
    if len(rows) == len(graph):
        return graph
    if graph.vectors is None:
        return Graph.from_weights(csr_array(graph.weights)[rows][:, rows])
    metric = graph.metric if graph.metric != "precomputed" else "euclidean"
    return knn_graph(np.asarray(graph.vectors)[rows], min(graph.n_neighbors or 10, len(rows) - 1), metric=metric)


def _density(graph: Graph) -> np.ndarray:
    """Return [N] a figure that is higher where rows lie closer together."""
    return graph.degrees if graph.distances is None else -np.asarray(graph.distances).mean(axis=1)


def _unknown(places: np.ndarray, given: np.ndarray, confidence: np.ndarray | None) -> np.ndarray:
    """Return [N] how much is still to be learnt of each row, 0 for given rows."""
    if confidence is not None:
        unknown = 1 - np.asarray(confidence, float)
    elif given.any():
        unknown = 1 - np.clip((places @ places[given].T).max(axis=1), 0, 1) ** 2
    else:
        unknown = np.ones(len(places))
    return np.where(given, 0, np.maximum(unknown, 1e-3))


def _typical_rows(places: np.ndarray, density: np.ndarray, weight: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Return the most typical row of each of `n` parts, the weightiest part first."""
    if n < 1:
        return np.empty(0, dtype=int)
    open_rows = np.flatnonzero(weight > 0)
    parts = KMeans(n, n_init=3, random_state=seed).fit(places[open_rows], sample_weight=weight[open_rows])
    found, mass = [], []
    for part, centre in enumerate(parts.cluster_centers_):
        members = open_rows[parts.labels_ == part]
        if not len(members):
            continue
        far = _ranks(((places[members] - centre) ** 2).sum(axis=1))
        badness = far + _ranks(-density[members]) + _ranks(-weight[members])
        found.append(members[badness.argmin()])
        mass.append(weight[members].sum())
    chosen = np.array(found, dtype=int)[np.argsort(-np.array(mass), kind="stable")]
    spare = np.setdiff1d(open_rows, chosen)
    return np.concatenate([chosen, spare[np.argsort(-weight[spare] * _ranks(density[spare]))][: n - len(chosen)]])


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return the ranks of `values` from 0 to 1; equal values share the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    upper = np.cumsum(counts)
    return ((2 * upper - counts - 1) / 2)[inverse] / max(len(values) - 1, 1)
