"""Linked rows near each other in memory: another order within, the same answers without."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_digits

import handful.graph.graph as graph_module
from handful.graph import Graph, knn_graph
from handful.graph.factor import factorise
from handful.graph.near import near_order, reordered
from handful.graph.solver import solve_dirichlet
from handful.propagation import propagate
from handful.propagation.audit import find_label_issues
from handful.propagation.problem import Problem

VECTORS, TRUTH = load_digits(return_X_y=True)
FAR_ISLAND = 1000 + np.random.default_rng(0).random((15, 64))


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> Graph:
    """Digits and an island that no label reaches, held in a near order however few they are."""
    monkeypatch.setattr(graph_module, "LEAST_ROWS", 0)
    return knn_graph(np.vstack([VECTORS, FAR_ISLAND]).astype(np.float32), 10)


def codes_of(graph: Graph, per_class: int = 3) -> np.ndarray:
    codes = np.full(len(graph), -1, np.int32)
    for digit in range(10):
        codes[np.random.default_rng(digit).choice(np.flatnonzero(digit == TRUTH), per_class, replace=False)] = digit
    return codes


def as_it_stands(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> Graph:
    monkeypatch.setattr(graph_module, "LEAST_ROWS", 10**9)
    return Graph(graph.weights, graph.vectors, metric=graph.metric)


def test_linked_rows_come_near_each_other(graph: Graph) -> None:
    def reach(weights: sparse.csr_array) -> float:
        rows, columns = weights.nonzero()
        return float(np.abs(rows - columns).mean())

    assert reach(graph.near.weights) < 0.5 * reach(graph.weights)


def test_a_reordered_matrix_has_the_same_entries(graph: Graph) -> None:
    order = near_order(graph.weights)
    np.testing.assert_array_equal(
        reordered(graph.weights, order).toarray(), graph.weights.toarray()[np.ix_(order, order)]
    )


def test_rows_are_numbered_as_before(graph: Graph) -> None:
    rows, values = graph.near.rows, np.arange(3 * len(graph)).reshape(-1, 3)
    held, some = rows.take(values), np.array([5, 1700, 40, 40])
    np.testing.assert_array_equal(rows.join(np.arange(len(graph)), held), values)
    np.testing.assert_array_equal(rows.collect(some, held), values[some])
    np.testing.assert_array_equal(values[rows.numbers(np.arange(4))], held[:4])
    np.testing.assert_array_equal(graph.near.components(), graph.components()[rows.numbers(np.arange(len(graph)))])
    np.testing.assert_array_equal(graph.near.vectors[some], graph.vectors[rows.numbers(some)])


@pytest.mark.parametrize("rule", ["auto", "spreading", "head_spread"])
def test_the_answer_is_the_same(graph: Graph, monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    labels = codes_of(graph)
    near = propagate(graph, labels, rule)
    plain = propagate(as_it_stands(graph, monkeypatch), labels, rule)
    assert near.labels.tolist() == plain.labels.tolist()
    assert near.reason == plain.reason
    np.testing.assert_allclose(near.probabilities, plain.probabilities, atol=2e-5)
    np.testing.assert_array_equal(near.reached, plain.reached)
    assert (~near.reached).sum() == 15


def test_the_doubtful_labels_are_the_same(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = codes_of(graph, 8)
    codes[np.flatnonzero(codes == 3)[:2]] = 5
    near = find_label_issues(Problem(graph, codes, 10))
    plain = find_label_issues(Problem(as_it_stands(graph, monkeypatch), codes, 10))
    np.testing.assert_array_equal(near.rows, plain.rows)
    np.testing.assert_allclose(near.scores, plain.scores, atol=2e-4)


def test_a_factor_keeps_each_place_behind_those_it_waits_for(graph: Graph) -> None:
    factor = factorise(graph.weights, np.zeros(len(graph)), np.zeros(len(graph), bool))
    pointers, places, _ = factor.rows
    assert (places < np.repeat(np.arange(len(graph)), np.diff(pointers))).all()
    pointers, places, _ = factor.columns
    assert (places > np.repeat(np.arange(len(graph)), np.diff(pointers))).all()
    assert sorted(factor.order) == list(range(len(graph)))


def test_an_island_without_a_label_needs_no_factor_of_its_own(graph: Graph) -> None:
    for seed in (0, 1):
        rows = np.random.default_rng(seed).choice(len(VECTORS), 20, replace=False)
        found = solve_dirichlet(graph, rows, np.eye(10)[TRUTH[rows]])
        assert found.residual.max() <= 1e-6
        assert not found.x[len(VECTORS) :].any()
    assert len(graph.system.factors) == 1
