import numpy as np
import pytest
from sklearn.datasets import load_digits

from handful.graph import Graph, knn_graph
from handful.propagation import stacking
from handful.propagation.blend import PARTS, ask, mix, weigh
from handful.propagation.problem import Problem
from handful.propagation.rules import RULES
from handful.propagation.stacking import fit_weights

TRUTH = np.arange(600) % 3


def problem_with(n, truth=TRUTH, vectors=None, seed=0):
    rng, codes = np.random.default_rng(seed), np.full(len(truth), -1, dtype=np.int32)
    for code in np.unique(truth):
        codes[rng.choice(np.flatnonzero(truth == code), n, replace=False)] = code
    return Problem(knn_graph(rng.normal(size=(len(truth), 5)) if vectors is None else vectors, 5), codes, 3)


def says(truth, share, seed=0):
    """A part that gives the truth two thirds on a `share` of the rows, and nothing known elsewhere."""
    known = np.random.default_rng(seed).random(len(truth)) < share
    shares = np.full((len(truth), 3), 1 / 3)
    shares[known] = np.eye(3)[truth[known]] / 2 + 1 / 6
    return shares


def ask_of(parts):
    return lambda problem, names: [(name, parts[name]) for name in names]


def test_a_part_that_is_misled_gives_its_weight_to_one_that_does():
    parts = {"knows": says(TRUTH, 0.9), "misled": says(np.random.default_rng(1).permutation(TRUTH), 0.9)}
    expected = {"knows": 0.2, "misled": 0.8}
    few, many = (fit_weights(problem_with(n), ask_of(parts), expected)["knows"] for n in (2, 100))
    assert 0.2 < few < 0.4
    assert many > 0.6


def test_no_row_is_judged_by_a_part_that_was_told_its_label():
    problem, told = problem_with(10), []

    def ask(folded, names):
        told.append(folded.codes)
        return [("part", np.full((len(TRUTH), 3), 1 / 3))]

    fit_weights(problem, ask, {"part": 1.0})
    left_out = [np.flatnonzero((problem.codes >= 0) & (codes < 0)) for codes in told]
    assert sorted(np.concatenate(left_out)) == problem.given.tolist()
    assert all(len(np.unique(codes[codes >= 0])) == 3 for codes in told)


def test_without_a_second_label_in_any_class_the_expected_weights_stay():
    assert fit_weights(problem_with(1), ask_of({}), {"a": 1.0, "b": 3.0}) == {"a": 0.25, "b": 0.75}


def test_the_gradient_is_that_of_the_loss():
    rng = np.random.default_rng(0)
    logs, truth, known = np.log(rng.dirichlet(np.ones(4), (3, 20))), rng.integers(0, 4, 20), np.array([0.5, 0.3, 0.2])
    at = np.array([0.9, 0.4, 0.3])
    slope = stacking._loss(at, logs, truth, known)[1]
    for k in range(3):
        step = np.eye(3)[k] * 1e-6
        ends = [stacking._loss(at + side * step, logs, truth, known)[0] for side in (1, -1)]
        assert slope[k] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-4)


def test_where_neighbours_mix_the_classes_the_head_counts_most():
    """Classes along one column of thirty, the others of which make the neighbourhoods: a plane parts them."""
    rng = np.random.default_rng(0)
    vectors = np.concatenate([2.0 * (TRUTH[:, None] - 1), rng.normal(size=(600, 29))], axis=1)
    problem = problem_with(40, vectors=vectors.astype(np.float32))
    mixed = mix(problem)
    assert mixed.mixture.proved["head"] > 1.2
    hidden = problem.codes < 0
    right = {name: (RULES[name](problem).argmax(axis=1) == TRUTH)[hidden].mean() for name in PARTS}
    assert right["head"] == max(right.values())
    assert (mixed.shares.argmax(axis=1) == TRUTH)[hidden].mean() > right["head"] - 0.02


def test_a_graph_without_vectors_and_one_class_cut_off_still_get_weights():
    points, truth = load_digits(n_class=3, return_X_y=True)
    graph = knn_graph(points, 5)
    far = knn_graph(np.concatenate([points[truth < 2], points[truth == 2] + 1000]), 5)
    codes = np.full(len(truth), -1, dtype=np.int32)
    codes[:12] = truth[:12]
    bare = Problem(Graph.from_weights(graph.weights), codes, 3)
    assert sum(fit_weights(bare, ask, weigh(bare)).values()) == pytest.approx(1)
    order = np.concatenate([truth[truth < 2], truth[truth == 2]])
    cut = np.where(np.isin(np.arange(len(order)), [0, 1, 2, 3, 4, 5, len(order) - 1]), order, -1).astype(np.int32)
    weights = fit_weights(Problem(far, cut, 3), ask, {"consensus": 1.0, "laplace": 1.0})
    assert sum(weights.values()) == pytest.approx(1)
