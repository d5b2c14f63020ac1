import numpy as np
import pytest
from sklearn.datasets import load_digits, load_wine
from sklearn.preprocessing import StandardScaler

from handful.graph import Graph, knn_graph
from handful.propagation.calibrate import calibrate, temper
from handful.propagation.problem import Problem
from handful.propagation.rules import RULES


def drawn(load, *, given, seed):
    vectors, truth = load(return_X_y=True)
    rng = np.random.default_rng(seed)
    codes = np.full(len(truth), -1, dtype=np.int32)
    for code in np.unique(truth):
        codes[rng.choice(np.flatnonzero(truth == code), given, replace=False)] = code
    graph = knn_graph(StandardScaler().fit_transform(vectors), 10)
    return Problem(graph, codes, int(truth.max()) + 1), truth


def calibrated(problem, rule="pwll", **options):
    return calibrate(problem, RULES[rule](problem), RULES[rule], **options)


def test_temper_reaches_the_wanted_top_and_keeps_the_order():
    rng = np.random.default_rng(0)
    scores = rng.dirichlet(np.ones(5), 200)
    top = rng.uniform(0.25, 0.99, 200)
    tempered = temper(scores, top)
    np.testing.assert_allclose(tempered.sum(axis=1), 1)
    np.testing.assert_allclose(tempered.max(axis=1), top, atol=1e-4)
    assert (np.argsort(tempered, axis=1) == np.argsort(scores, axis=1)).all()


def test_temper_leaves_a_tie_a_tie():
    assert temper(np.full((1, 4), 0.25), np.array([0.9])).tolist() == [[0.25] * 4]


@pytest.mark.parametrize("rule", ["pwll", "spreading", "head_spread"])
def test_probabilities_sum_to_one_and_their_top_is_the_confidence(rule):
    problem, _ = drawn(load_wine, given=2, seed=0)
    answer = calibrated(problem, rule)
    np.testing.assert_allclose(answer.probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(answer.probabilities.max(axis=1), answer.confidence)
    open_rows = problem.codes < 0
    assert (answer.probabilities.argmax(axis=1) == RULES[rule](problem).argmax(axis=1))[open_rows].all()


def test_given_rows_are_certain_and_unreached_rows_are_not_guessed():
    weights = np.zeros((40, 40))
    weights[:30, :30] = np.random.default_rng(0).uniform(0, 1, (30, 30)) > 0.8
    weights[30:, 30:] = 1
    weights = np.maximum(weights, weights.T)
    codes = np.full(40, -1, dtype=np.int32)
    codes[[0, 1]] = [0, 1]
    problem = Problem(Graph.from_weights(weights), codes, 2)
    answer = calibrated(problem)
    assert answer.confidence[:2].tolist() == [1, 1]
    assert answer.confidence[~problem.reached].tolist() == [0] * 10
    assert not answer.probabilities[~problem.reached].any()


def test_all_rows_given_leaves_nothing_to_doubt():
    problem, truth = drawn(load_wine, given=5, seed=0)
    everything = problem.with_codes(truth)
    answer = calibrated(everything)
    assert answer.expected_accuracy.value == 1
    assert (answer.confidence == 1).all()


def test_stated_accuracy_is_the_mean_confidence_inside_its_interval():
    problem, _ = drawn(load_digits, given=5, seed=0)
    answer = calibrated(problem)
    stated = answer.expected_accuracy
    assert stated.value == pytest.approx(answer.confidence[problem.codes < 0].mean())
    assert 0.1 < stated.low < stated.value < stated.high <= 1


def test_stated_accuracy_comes_near_the_true_one():
    misses, held = [], []
    for seed in range(4):
        problem, truth = drawn(load_digits, given=5, seed=seed)
        stated = calibrated(problem).expected_accuracy
        true = (RULES["pwll"](problem).argmax(axis=1) == truth)[problem.codes < 0].mean()
        misses.append(abs(stated.value - true))
        held.append(stated.low <= true <= stated.high)
    assert np.mean(misses) < 0.1
    assert np.mean(held) >= 0.75


def test_surer_rows_are_right_more_often():
    problem, truth = drawn(load_digits, given=1, seed=1)
    answer = calibrated(problem)
    open_rows = np.flatnonzero(problem.codes < 0)
    right = (answer.probabilities.argmax(axis=1) == truth)[open_rows]
    sure = answer.confidence[open_rows] > np.median(answer.confidence[open_rows])
    assert right[sure].mean() > right[~sure].mean() + 0.05


def test_the_same_seed_gives_the_same_answer():
    problem, _ = drawn(load_wine, given=2, seed=3)
    first, again = calibrated(problem, seed=7), calibrated(problem, seed=7)
    assert (first.confidence == again.confidence).all()


def test_names_of_classes_do_not_matter():
    problem, _ = drawn(load_wine, given=3, seed=0)
    swapped = problem.with_codes(np.where(problem.codes < 0, -1, 2 - problem.codes))
    first, second = calibrated(problem), calibrated(swapped)
    assert abs(first.expected_accuracy.value - second.expected_accuracy.value) < 0.05
