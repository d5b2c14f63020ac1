"""Every rule against its formula written slowly on a small dense graph, and what no rule may depend on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from handful.errors import InputError
from handful.graph import Graph, knn_graph
from handful.propagation.consensus import settle
from handful.propagation.problem import Problem
from handful.propagation.rules import RULES, consensus, laplace, poisson, propagation, pwll, spreading


def three_clusters(n: int = 30, *, per_class: int = 2, seed: int = 0, spread: float = 1.0) -> Problem:
    """Return `n` rows in three overlapping clusters, `per_class` given rows in each."""
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % 3
    vectors = rng.normal(0, spread, (n, 4)) + 2.0 * np.eye(3, 4)[truth]
    codes = np.where(np.arange(n) < 3 * per_class, truth, -1).astype(np.int32)
    return Problem(knn_graph(vectors, 8), codes, 3, priors=np.array([0.5, 0.3, 0.2]))


def dense(problem: Problem) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the weights, the degrees and the indicator rows of the given labels [N, K], zeros elsewhere."""
    weights = problem.graph.weights.toarray().astype(np.float64)
    labels = np.zeros((len(weights), problem.n_classes))
    labels[problem.given, problem.codes[problem.given]] = 1
    return weights, weights.sum(axis=1), labels


def shares(values: np.ndarray) -> np.ndarray:
    return values / values.sum(axis=1, keepdims=True)


def softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values / values.std())
    return powers / powers.sum(axis=1, keepdims=True)


def harmonic(weights: np.ndarray, labels: np.ndarray, given: np.ndarray) -> np.ndarray:
    free = np.setdiff1d(np.arange(len(weights)), given)
    laplacian = np.diag(weights.sum(axis=1)) - weights
    values = labels.copy()
    values[free] = np.linalg.solve(laplacian[np.ix_(free, free)], weights[np.ix_(free, given)] @ labels[given])
    return values


@pytest.mark.parametrize("alpha", [0.2, 0.5, 0.95, 0.99])
def test_spreading_equals_its_closed_form(alpha: float) -> None:
    problem = three_clusters()
    weights, degrees, labels = dense(problem)
    normalised = weights / np.sqrt(degrees) / np.sqrt(degrees)[:, None]
    expected = shares(np.linalg.inv(np.eye(30) - alpha * normalised) @ labels)
    np.testing.assert_allclose(spreading(problem, alpha=alpha), expected, atol=1e-4)


def test_propagation_equals_the_harmonic_extension() -> None:
    problem = three_clusters()
    weights, _, labels = dense(problem)
    np.testing.assert_allclose(propagation(problem), harmonic(weights, labels, problem.given), atol=1e-4)


def test_laplace_shifts_the_harmonic_extension_by_its_mean() -> None:
    problem = three_clusters()
    weights, _, labels = dense(problem)
    extension = harmonic(weights, labels, problem.given)
    np.testing.assert_allclose(laplace(problem), softmax(extension - extension.mean(axis=0)), atol=1e-3)


def test_poisson_solves_the_poisson_equation() -> None:
    problem = three_clusters()
    weights, degrees, labels = dense(problem)
    sources = labels.copy()
    sources[problem.given] -= labels[problem.given].mean(axis=0)
    expected = np.linalg.pinv(np.diag(degrees) - weights) @ sources
    expected -= degrees @ expected / degrees.sum()
    np.testing.assert_allclose(poisson(problem), softmax(expected), atol=1e-3)


def test_pwll_is_the_harmonic_extension_on_reweighted_edges() -> None:
    problem = three_clusters()
    weights, degrees, labels = dense(problem)
    sources = labels.sum(axis=1) - labels.sum() / len(labels)
    level = np.linalg.pinv(np.diag(degrees) - weights) @ sources
    level += 1e-5 * (level.max() - level.min()) - level.min()
    expected = harmonic(weights * level * level[:, None], labels, problem.given)
    np.testing.assert_allclose(pwll(problem), expected, atol=1e-3)


def test_consensus_equals_its_rounds_written_row_by_row() -> None:
    problem = three_clusters()
    weights, degrees, labels = dense(problem)
    first = pwll(problem)
    current = first.copy()
    for _ in range(3):
        current[problem.given] = labels[problem.given]
        mean = current.copy()
        for _ in range(4):
            mean = np.array([0.7 * weights[i] @ mean / degrees[i] + 0.3 * current[i] for i in range(30)])
        votes = np.array([(mean[i] ** 2 / current.mean(axis=0)) * (first[i] + 1e-3) for i in range(30)])
        current = shares(votes)
    found = settle(problem, first, rounds=3, steps=4, alpha=0.7, power=2, pull=0.5)
    np.testing.assert_allclose(found, shares(votes ** (1 / 3)), atol=1e-4)


def test_consensus_finds_the_thin_boundary_that_a_rim_label_misses() -> None:
    rng = np.random.default_rng(0)
    vectors = np.vstack([rng.normal(0, 1, (300, 2)), rng.normal((4.5, 0), 1, (100, 2))])
    codes = np.full(400, -1, dtype=np.int32)
    codes[vectors[:300, 0].argmax()], codes[300 + vectors[300:, 0].argmax()] = 0, 1
    problem = Problem(knn_graph(vectors, 10), codes, 2)
    truth = np.repeat([0, 1], [300, 100])
    right = {rule: (rule(problem).argmax(axis=1) == truth).mean() for rule in (propagation, pwll, consensus)}
    assert right[consensus] > 0.97
    assert right[consensus] >= max(right.values())


def permuted_classes(problem: Problem) -> tuple[Problem, Callable[[np.ndarray], np.ndarray]]:
    order = np.array([2, 0, 1])
    codes = np.where(problem.codes >= 0, order[problem.codes], -1)
    assert problem.priors is not None
    priors = np.empty(3)
    priors[order] = problem.priors
    return replace(problem.with_codes(codes), priors=priors), lambda scores: scores[:, order]


def permuted_rows(problem: Problem) -> tuple[Problem, Callable[[np.ndarray], np.ndarray]]:
    order = np.random.default_rng(1).permutation(len(problem.codes))
    weights = sparse.csr_array(problem.graph.weights[order][:, order])
    weights.sort_indices()
    assert problem.graph.vectors is not None
    graph = Graph(weights=weights, vectors=problem.graph.vectors[order])
    back = np.argsort(order)
    return Problem(graph, problem.codes[order], 3, problem.priors), lambda scores: scores[back]


def heavier_edges(problem: Problem) -> tuple[Problem, Callable[[np.ndarray], np.ndarray]]:
    graph = Graph(weights=problem.graph.weights * np.float32(64), vectors=problem.graph.vectors)
    return replace(problem, graph=graph), lambda scores: scores


@pytest.mark.parametrize("change", [permuted_classes, permuted_rows, heavier_edges], ids=lambda change: change.__name__)
@pytest.mark.parametrize("name", RULES)
def test_no_rule_depends_on_names_order_or_scale(
    name: str, change: Callable[[Problem], tuple[Problem, Callable[[np.ndarray], np.ndarray]]]
) -> None:
    problem = three_clusters(60)
    changed, undo = change(problem)
    np.testing.assert_allclose(undo(RULES[name](changed)), RULES[name](problem), atol=2e-3)


@pytest.mark.parametrize("name", RULES)
def test_scores_are_shares_and_zero_where_no_label_reaches(name: str) -> None:
    rng = np.random.default_rng(0)
    vectors = np.vstack([rng.normal(0, 1, (30, 3)), rng.normal(100, 1, (20, 3))])
    codes = np.full(50, -1, dtype=np.int32)
    codes[:4] = [0, 1, 0, 1]
    problem = Problem(knn_graph(vectors, 5), codes, 2, priors=np.array([0.5, 0.5]))
    scores = RULES[name](problem)
    np.testing.assert_array_equal(problem.reached, np.arange(50) < 30)
    np.testing.assert_allclose(scores.sum(axis=1), problem.reached, atol=1e-6)
    assert scores.min() >= 0


@pytest.mark.parametrize("name", sorted(set(RULES) - {"head", "head_spread", "spread_head"}))
def test_a_component_takes_the_one_class_it_holds(name: str) -> None:
    rng = np.random.default_rng(0)
    vectors = np.vstack([rng.normal(centre, 1, (25, 3)) for centre in (0, 100, 200)])
    codes = np.full(75, -1, dtype=np.int32)
    codes[[0, 25, 50, 51]] = [0, 1, 2, 2]
    problem = Problem(knn_graph(vectors, 6), codes, 3, priors=np.array([0.2, 0.2, 0.6]))
    np.testing.assert_array_equal(RULES[name](problem).argmax(axis=1), np.repeat([0, 1, 2], 25))


@pytest.mark.parametrize("alpha", [0.1, 0.6, 0.99])
def test_spreading_reaches_the_far_end_of_a_long_path(alpha: float) -> None:
    steps = np.ones(999)
    path = Graph.from_weights(sparse.diags_array([steps, steps], offsets=[-1, 1]))
    codes = np.full(1000, -1, dtype=np.int32)
    codes[[0, 99]] = [0, 1]
    scores = spreading(Problem(path, codes, 2), alpha=alpha)
    assert (scores[200:].argmax(axis=1) == 1).all()
    np.testing.assert_allclose(scores.sum(axis=1), 1)


@pytest.mark.parametrize("name", ["head", "head_spread", "spread_head"])
def test_a_head_without_vectors_is_refused_in_a_sentence(name: str) -> None:
    problem = three_clusters()
    bare = replace(problem, graph=Graph(weights=problem.graph.weights))
    with pytest.raises(InputError, match="needs the graph's vectors, got a graph without"):
        RULES[name](bare)


def test_robust_stands_wrong_labels_that_mislead_the_clamping_rule() -> None:
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], 100)
    graph = knn_graph(rng.normal(size=(300, 2)) + 4 * np.array([(0, 0), (1, 0), (0, 1)])[truth])
    codes = np.full(300, -1, dtype=np.int32)
    given = np.concatenate([rng.choice(np.flatnonzero(truth == code), 20, replace=False) for code in range(3)])
    codes[given] = truth[given]
    wrong = rng.choice(given, 20, replace=False)
    codes[wrong] = (truth[wrong] + 1) % 3
    hidden = codes < 0
    clamped, tolerant = (
        (RULES[name](Problem(graph, codes, 3)).argmax(axis=1) == truth)[hidden].mean() for name in ("pwll", "robust")
    )
    assert tolerant > 0.9
    assert tolerant > clamped + 0.1
