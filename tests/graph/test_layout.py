"""The map: neighbours of the graph are neighbours in the plane, the same each time."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from handful.errors import InputError
from handful.graph import Graph, knn_graph
from handful.graph.layout import layout, local_weights

EMPTY = csr_array((5, 5), dtype=np.float32)


@pytest.fixture(scope="module")
def digits() -> Graph:
    return knn_graph(load_digits().data.astype(np.float32), 10)


def kept_neighbours(graph: Graph, positions: np.ndarray, near: int = 10) -> float:
    """Return the share of graph neighbours that are among the `near` nearest in the map."""
    found = NearestNeighbors(n_neighbors=near + 1).fit(positions).kneighbors(return_distance=False)
    assert graph.neighbours is not None
    return float(np.mean([np.isin(a, b).mean() for a, b in zip(graph.neighbours, found, strict=True)]))


def test_map_keeps_twice_the_neighbours_of_two_principal_components(digits: Graph) -> None:
    kept = kept_neighbours(digits, layout(digits))
    assert kept > 2 * kept_neighbours(digits, PCA(2).fit_transform(digits.vectors))
    assert kept > 0.4


def test_same_seed_same_map_and_another_seed_another(digits: Graph) -> None:
    first = layout(digits, seed=1, epochs=20)
    assert np.array_equal(first, layout(digits, seed=1, epochs=20))
    assert not np.allclose(first, layout(digits, seed=2, epochs=20))


def test_two_groups_without_an_edge_stay_apart() -> None:
    random = np.random.default_rng(0)
    vectors = np.concatenate([random.normal(0, 1, (60, 8)), random.normal(40, 1, (60, 8))]).astype(np.float32)
    positions = layout(knn_graph(vectors, 6))
    centres = positions[:60].mean(axis=0), positions[60:].mean(axis=0)
    within = max(np.linalg.norm(part - part.mean(axis=0), axis=1).max() for part in (positions[:60], positions[60:]))
    assert np.linalg.norm(centres[0] - centres[1]) > within


def test_graph_without_vectors_gets_a_map_as_near_to_its_neighbours(digits: Graph) -> None:
    bare = Graph.from_weights(digits.weights)
    kept = kept_neighbours(digits, layout(bare))
    assert kept > 0.8 * kept_neighbours(digits, layout(digits))


@pytest.mark.parametrize(
    "graph",
    [
        Graph(weights=EMPTY, vectors=np.ones((5, 3), np.float32)),
        Graph(weights=EMPTY),
        Graph(weights=EMPTY, vectors=np.arange(5, dtype=np.float32)[:, None]),
        Graph(weights=csr_array((1, 1), dtype=np.float32), vectors=np.ones((1, 3), np.float32)),
    ],
    ids=["equal vectors", "no vectors", "one column", "one row"],
)
def test_rows_without_an_edge_have_a_finite_place(graph: Graph) -> None:
    positions = layout(graph, epochs=5)
    assert positions.shape == (len(graph), 2)
    assert np.isfinite(positions).all()


def test_local_weights_give_every_row_one_neighbour_of_weight_one(digits: Graph) -> None:
    weights = local_weights(digits.weights)
    assert np.allclose(weights.max(axis=1).toarray(), 1)
    assert abs(weights - weights.T).max() < 1e-6
    assert weights.data.min() >= 0


def test_local_weights_join_both_directions_by_the_probabilistic_sum() -> None:
    dense = np.array([[0, 0.5, 0.1], [0.5, 0, 0.4], [0.1, 0.4, 0]], np.float32)
    share = dense / dense.max(axis=1, keepdims=True)
    assert np.allclose(local_weights(csr_array(dense)).toarray(), share + share.T - share * share.T)


def test_layout_leaves_the_graph_as_it_was(digits: Graph) -> None:
    weights, vectors = digits.weights.data.copy(), np.array(digits.vectors)
    layout(digits, epochs=2)
    assert np.array_equal(weights, digits.weights.data)
    assert np.array_equal(vectors, digits.vectors)


def test_epochs_below_one_are_refused(digits: Graph) -> None:
    with pytest.raises(InputError, match="epochs must be a number of at least 1, got 0"):
        layout(digits, epochs=0)
