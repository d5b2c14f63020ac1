import numpy as np
import pytest
from sklearn.datasets import load_digits

from handful.graph import knn_graph
from handful.propagation.audit import find_label_issues
from handful.propagation.problem import Problem


@pytest.fixture(scope="module")
def graph_and_truth():
    vectors, truth = load_digits(return_X_y=True)
    return knn_graph(vectors, 10), truth


def with_wrong(truth, *, given=15, wrong=12, seed=0):
    rng = np.random.default_rng(seed)
    codes = np.full(len(truth), -1, dtype=np.int32)
    for code in range(10):
        rows = rng.choice(np.flatnonzero(truth == code), given, replace=False)
        codes[rows] = code
    bad = rng.choice(np.flatnonzero(codes >= 0), wrong, replace=False)
    codes[bad] = (codes[bad] + rng.integers(1, 10, wrong)) % 10
    return codes, bad


def test_wrong_labels_come_first_with_the_right_one_suggested(graph_and_truth):
    graph, truth = graph_and_truth
    codes, bad = with_wrong(truth)
    issues = find_label_issues(Problem(graph, codes, 10))
    first = issues.rows[: len(bad)]
    assert np.isin(first, bad).mean() > 0.8
    found = np.isin(issues.rows, bad)
    assert (issues.suggested[found] == truth[issues.rows[found]]).mean() > 0.8


def test_the_flagged_rows_are_about_the_wrong_ones(graph_and_truth):
    graph, truth = graph_and_truth
    codes, bad = with_wrong(truth)
    flagged = find_label_issues(Problem(graph, codes, 10)).above(0.5)
    assert np.isin(flagged.rows, bad).mean() > 0.7
    assert np.isin(bad, flagged.rows).mean() > 0.7
    assert 0.03 < flagged.wrong_share < 0.2


def test_right_labels_raise_few_doubts(graph_and_truth):
    graph, truth = graph_and_truth
    codes, _ = with_wrong(truth, wrong=0)
    assert len(find_label_issues(Problem(graph, codes, 10)).above(0.5).rows) <= 4


def test_scores_are_probabilities_in_falling_order_for_every_given_row(graph_and_truth):
    graph, truth = graph_and_truth
    codes, _ = with_wrong(truth, given=3, wrong=2)
    issues = find_label_issues(Problem(graph, codes, 10))
    assert sorted(issues.rows) == np.flatnonzero(codes >= 0).tolist()
    assert ((issues.scores >= 0) & (issues.scores <= 1)).all()
    assert (np.diff(issues.scores) <= 0).all()
    assert (issues.suggested != issues.given).all()
    assert (issues.given == codes[issues.rows]).all()


def test_the_only_row_of_a_class_is_not_judged(graph_and_truth):
    graph, truth = graph_and_truth
    codes = np.full(len(truth), -1, dtype=np.int32)
    for code in range(10):
        codes[np.flatnonzero(truth == code)[0]] = code
    issues = find_label_issues(Problem(graph, codes, 10))
    assert issues.scores.tolist() == [0] * 10
    assert issues.wrong_share == 0
