import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

import handful
from handful.errors import InputError
from handful.graph import Graph, knn_graph
from handful.propagation import blend
from handful.propagation.choose import choose_rule
from handful.propagation.problem import Problem
from handful.propagation.rules import RULES


def wine(*, given=3, vectors=True, priors=None):
    points, truth = load_wine(return_X_y=True)
    codes = np.full(len(truth), -1, dtype=np.int32)
    rng = np.random.default_rng(0)
    for code in range(3):
        codes[rng.choice(np.flatnonzero(truth == code), given, replace=False)] = code
    graph = knn_graph(StandardScaler().fit_transform(points), 10)
    return Problem(graph if vectors else Graph.from_weights(graph.weights), codes, 3, priors), truth


def test_the_scores_are_those_of_the_chosen_rule():
    problem, _ = wine()
    choice = choose_rule(problem)
    np.testing.assert_allclose(choice.scores, RULES[choice.rule](problem), atol=1e-6)


def test_the_reason_says_what_counted_how_much_by_how_many_labels():
    reason = choose_rule(wine()[0]).reason
    assert "3 labels a class" in reason
    assert all(f"{part} " in reason for part in ("consensus", "laplace", "head_spread"))
    assert "surest rows agrees on" in reason


def test_a_graph_without_vectors_gets_a_rule_without_a_head():
    choice = choose_rule(wine(vectors=False)[0])
    assert "head" not in choice.reason


def test_class_priors_are_met():
    problem, _ = wine(priors=np.array([0.2, 0.6, 0.2]))
    choice = choose_rule(problem)
    assert choice.rule == "consensus"
    assert "priors" in choice.reason


def test_nothing_to_find_still_gives_an_answer():
    problem, truth = wine()
    choice = choose_rule(problem.with_codes(truth))
    assert (choice.scores.argmax(axis=1) == truth).all()


def test_priors_that_a_rule_would_pass_over_are_refused():
    problem, _ = wine()
    labels = np.where(problem.codes < 0, -1, problem.codes)
    for rule in ("consensus", "balanced", "spread_head", "auto"):
        handful.propagate(problem.graph, labels, rule, priors=[0.2, 0.6, 0.2])
    with pytest.raises(InputError, match="the rule 'blend' meets no class priors: take 'auto' or one of balanced"):
        handful.propagate(problem.graph, labels, "blend", priors=[0.2, 0.6, 0.2])


def test_an_earlier_answer_keeps_its_rule_and_what_its_parts_have_proved(monkeypatch):
    problem, truth = wine(given=5)
    labels = problem.codes.copy()
    first = handful.propagate(problem.graph, labels)
    monkeypatch.setattr(blend, "fit_weights", lambda *_: pytest.fail("the parts were weighed again"))
    again = handful.propagate(problem.graph, labels, warm_start=first)
    assert again.rule == first.rule == "blend"
    assert again.mixture == first.mixture
    assert again.reason == f"kept from the earlier answer: {first.reason}"
    np.testing.assert_array_equal(again.labels, first.labels)
    labels[np.flatnonzero(labels < 0)[0]] = truth[np.flatnonzero(labels < 0)[0]]
    assert handful.propagate(problem.graph, labels, warm_start=first).mixture == first.mixture
