import numpy as np
import pytest
from sklearn.datasets import load_digits

from handful.errors import InputError
from handful.graph import Graph, knn_graph
from handful.propagation.problem import Problem
from handful.propagation.rules import pwll
from handful.propagation.suggest import leading_directions, suggest_rows, walk


@pytest.fixture(scope="module")
def digits():
    vectors, truth = load_digits(return_X_y=True)
    return knn_graph(vectors, 10), truth


def clusters(n_clusters=6, size=40):
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(n_clusters), size)
    return knn_graph(rng.normal(size=(len(truth), n_clusters)) + 12 * np.eye(n_clusters)[truth], 8), truth


def accuracy(graph, truth, rows):
    classes, given = np.unique(truth[rows], return_inverse=True)
    codes = np.full(len(truth), -1, dtype=np.int32)
    codes[rows] = given
    answer = classes[pwll(Problem(graph, codes, len(classes))).argmax(axis=1)]
    return (answer == truth)[codes < 0].mean()


def test_each_cluster_gets_one_suggestion():
    graph, truth = clusters()
    assert sorted(truth[suggest_rows(graph, 6)]) == list(range(6))


def test_known_clusters_get_none():
    graph, truth = clusters()
    codes = np.full(len(truth), -1)
    codes[[0, 40, 80]] = [0, 1, 2]
    assert sorted(truth[suggest_rows(graph, 3, codes=codes)]) == [3, 4, 5]


def test_rows_of_low_confidence_are_suggested():
    graph, truth = clusters()
    confidence = np.where(truth == 4, 0.4, 0.99)
    assert (truth[suggest_rows(graph, 2, confidence=confidence)] == 4).any()


def test_suggestions_are_distinct_and_never_given(digits):
    graph, truth = digits
    codes = np.full(len(truth), -1)
    codes[:300] = truth[:300]
    rows = suggest_rows(graph, 40, codes=codes)
    assert len(set(rows.tolist())) == 40
    assert (codes[rows] < 0).all()


def test_suggested_rows_teach_more_than_random_ones(digits):
    graph, truth = digits
    random = [accuracy(graph, truth, np.random.default_rng(seed).choice(len(truth), 10, False)) for seed in range(5)]
    assert accuracy(graph, truth, suggest_rows(graph, 10)) > np.mean(random) + 0.2


def test_more_than_there_are_gives_every_open_row():
    graph, _ = clusters(2, 10)
    codes = np.full(20, -1)
    codes[3] = 0
    assert sorted(suggest_rows(graph, 100, codes=codes).tolist()) == [row for row in range(20) if row != 3]


def test_a_graph_without_vectors_or_distances_will_do():
    graph, truth = clusters()
    rows = suggest_rows(Graph.from_weights(graph.weights), 6)
    assert sorted(truth[rows]) == list(range(6))


def test_the_same_seed_suggests_the_same_rows(digits):
    assert suggest_rows(digits[0], 7, seed=3).tolist() == suggest_rows(digits[0], 7, seed=3).tolist()


def test_places_are_unit_vectors(digits):
    np.testing.assert_allclose(np.linalg.norm(walk(*leading_directions(digits[0])), axis=1), 1)


def test_bad_input_is_told():
    graph, _ = clusters(2, 10)
    with pytest.raises(InputError, match="n must be a number of at least 1, got 0"):
        suggest_rows(graph, 0)
    with pytest.raises(InputError, match="confidence must have one value for each of the graph's 20 rows, got 3"):
        suggest_rows(graph, 2, confidence=np.ones(3))
