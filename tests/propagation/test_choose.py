import numpy as np
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

from handful.graph import Graph, knn_graph
from handful.propagation import choose
from handful.propagation.choose import choose_rule
from handful.propagation.problem import Problem
from handful.propagation.rules import RULES


def wine(*, given=3, vectors=True):
    points, truth = load_wine(return_X_y=True)
    codes = np.full(len(truth), -1, dtype=np.int32)
    rng = np.random.default_rng(0)
    for code in range(3):
        codes[rng.choice(np.flatnonzero(truth == code), given, replace=False)] = code
    graph = knn_graph(StandardScaler().fit_transform(points), 10)
    return Problem(graph if vectors else Graph.from_weights(graph.weights), codes, 3), truth


def test_another_rule_is_taken_only_where_it_leads_the_default_clearly():
    choice = choose_rule(wine()[0])
    expected = {row["rule"]: row["expected_accuracy"] for row in choice.table}
    assert list(expected.values()) == sorted(expected.values(), reverse=True)
    lead = choose.LEAD / 3
    leads = max(expected.values()) > expected[choose.DEFAULT] + lead
    assert choice.rule == (max(expected, key=expected.get) if leads else choose.DEFAULT)


def test_the_scores_are_those_of_the_chosen_rule_on_all_rows():
    problem, _ = wine()
    choice = choose_rule(problem)
    np.testing.assert_allclose(choice.scores, RULES[choice.rule](problem), atol=1e-6)


def test_the_reason_names_the_rule_and_the_figures():
    choice = choose_rule(wine()[0])
    assert choice.rule in choice.reason
    assert "%" in choice.reason


def test_a_graph_without_vectors_gets_a_rule_without_a_head():
    choice = choose_rule(wine(vectors=False)[0])
    assert {row["rule"] for row in choice.table} == {"consensus", "laplace"}
    assert choice.rule in ("consensus", "laplace")


def test_the_choice_is_right_about_as_often_as_the_best_candidate():
    problem, truth = wine(given=10)
    right = {name: RULES[name](problem).argmax(axis=1) == truth for name in choose.CANDIDATES}
    share = {name: hits[problem.codes < 0].mean() for name, hits in right.items()}
    assert share[choose_rule(problem).rule] > max(share.values()) - 0.05


def test_a_large_graph_is_judged_on_a_part_that_holds_the_given_rows():
    rng = np.random.default_rng(0)
    codes = np.full(3000, -1, dtype=np.int32)
    codes[[5, 2999]] = [0, 1]
    problem = Problem(knn_graph(rng.normal(size=(3000, 3)), 10), codes, 2)
    small = choose._smaller(problem, rng)
    assert len(small.codes) == choose.MOST_ROWS
    assert np.bincount(small.codes[small.given]).tolist() == [1, 1]


def test_nothing_to_judge_by_still_gives_a_rule():
    problem, truth = wine()
    choice = choose_rule(problem.with_codes(truth))
    assert choice.rule in RULES
    assert choice.table == ()
