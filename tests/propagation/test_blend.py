import numpy as np
import pytest
from sklearn.datasets import load_digits, load_wine
from sklearn.preprocessing import StandardScaler

from handful.graph import Graph, knn_graph
from handful.propagation import blend as blending
from handful.propagation.blend import Mixture, mix, weigh
from handful.propagation.problem import Problem
from handful.propagation.rules import RULES


def draw(truth, n, seed=0):
    rng, codes = np.random.default_rng(seed), np.full(len(truth), -1, dtype=np.int32)
    for code in np.unique(truth):
        codes[rng.choice(np.flatnonzero(truth == code), n, replace=False)] = code
    return codes


def wine(n=3, seed=0):
    points, truth = load_wine(return_X_y=True)
    return Problem(knn_graph(StandardScaler().fit_transform(points), 10), draw(truth, n, seed), 3), truth


def test_the_weights_are_those_of_the_formula():
    problem, _ = wine(4)  # 12 given rows of 178: dense
    assert weigh(problem) == pytest.approx(
        {"consensus": 1 / 4, "laplace": 1, "head_spread": 3 / 4, "head": 0.3 * 3 / 4}
    )
    codes = np.full(10_000, -1, dtype=np.int32)
    codes[:8] = np.arange(8) % 2
    sparse = Problem(knn_graph(np.random.default_rng(0).normal(size=(10_000, 2)), 5), codes, 2)
    dense = np.sqrt(8 / 10_000 / 0.01)
    head = 3 / 4 * dense
    wanted = {"consensus": 1 / (1 + 3 * dense), "laplace": dense, "head_spread": head, "head": 0.3 * head}
    assert weigh(sparse) == pytest.approx(wanted)


def test_one_label_a_class_and_a_graph_without_vectors_count_no_head():
    problem, _ = wine(1)
    assert set(weigh(problem)) == {"consensus", "laplace"}
    bare = Problem(Graph.from_weights(problem.graph.weights), wine(3)[0].codes, 3)
    assert set(mix(bare).mixture.weights(bare)) == {"consensus", "laplace"}
    assert mix(bare).agreement is None


def test_the_parts_are_brought_together_by_their_weighted_geometric_mean():
    problem, _ = wine()
    logs = sum(w * np.log(RULES[name](problem) + blending.LEAST_SHARE) for name, w in weigh(problem).items())
    wanted = np.exp(logs / sum(weigh(problem).values()))
    np.testing.assert_allclose(Mixture({})(problem), wanted / wanted.sum(axis=1, keepdims=True), rtol=1e-4)


def test_the_polish_is_taken_only_where_it_leaves_the_answer_nearly_as_it_is(monkeypatch):
    problem, _ = wine()
    plain = mix(problem).mixture(problem)
    monkeypatch.setattr(blending, "settle", lambda problem, shares: np.roll(plain, 1, axis=1))
    overturned = mix(problem)
    assert overturned.agreement == 0
    assert not overturned.polished
    np.testing.assert_allclose(overturned.shares, plain)
    monkeypatch.setattr(blending, "settle", lambda problem, shares: plain**2)
    kept = mix(problem)
    assert kept.agreement == 1
    assert kept.polished
    np.testing.assert_allclose(kept.shares, plain**2)


def test_it_is_about_as_right_as_the_best_of_its_parts_over_many_draws():
    points, truth = load_digits(return_X_y=True)
    graph = knn_graph(points[:700], 10)
    right = {name: [] for name in ("blend", *blending.PARTS)}
    for n in (1, 4):
        for seed in range(3):
            problem = Problem(graph, draw(truth[:700], n, seed), 10)
            for name, hits in right.items():
                hits.append((RULES[name](problem).argmax(axis=1) == truth[:700])[problem.codes < 0].mean())
    means = {name: np.mean(hits) for name, hits in right.items()}
    assert means["blend"] > max(means.values()) - 0.02
    assert means["blend"] > 0.8


def test_class_names_and_their_order_do_not_matter():
    problem, _ = wine()
    swapped = problem.with_codes(np.where(problem.codes >= 0, 2 - problem.codes, -1))
    np.testing.assert_allclose(mix(swapped).shares[:, ::-1], mix(problem).shares, atol=2e-2)
