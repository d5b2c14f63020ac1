"""Which rule to use, judged without spare labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from handful.graph import knn_graph
from handful.propagation.calibrate import confidence_of
from handful.propagation.evidence import gather_evidence
from handful.propagation.problem import Problem
from handful.propagation.rules import RULES

GRAPH_RULES = ("pwll", "laplace", "spreading", "poisson")
HEAD_RULES = ("head_spread", "spread_head")
MOST_ROWS = 1500
MANY_EDGES = 300_000


@dataclass(frozen=True)
class Choice:
    """The rule that was chosen.

    rule: its name in `RULES`.
    reason: one sentence with the figures that decided.
    scores: [N, K] what the rule gives on the problem.
    table: one row a candidate, best first: `rule`, `expected_accuracy`, and the signs it was read from.
    """

    rule: str
    reason: str
    scores: np.ndarray
    table: tuple[dict[str, Any], ...]


def choose_rule(problem: Problem, *, seed: int = 0) -> Choice:
    """Return the rule that is expected to be right most often.

    The expectation is the one `calibrate` states. Where the graph carries vectors it is formed on a graph of at most
    1,500 of the rows, the given ones among them.
    """
    if not (problem.reached & (problem.codes < 0)).any():
        return Choice("pwll", "no row is left to judge rules by", RULES["pwll"](problem), ())
    small = _smaller(problem, np.random.default_rng(seed))
    table = sorted(
        (_judge(small, name, seed) for name in _candidates(small)), key=lambda row: -row["expected_accuracy"]
    )
    best = table[0]["rule"]
    return Choice(best, _in_words(table, len(small.codes)), RULES[best](problem), tuple(table))


def _candidates(problem: Problem) -> tuple[str, ...]:
    if problem.graph.vectors is not None:
        return GRAPH_RULES + HEAD_RULES
    return GRAPH_RULES if problem.graph.weights.nnz <= MANY_EDGES else GRAPH_RULES[:2]


def _judge(problem: Problem, name: str, seed: int) -> dict[str, Any]:
    """Return what there is to know of one candidate; every candidate sees the same draws."""
    rule = RULES[name]
    evidence = gather_evidence(problem, rule(problem), rule, rng=np.random.default_rng(seed), n_redraws=2)
    confidence = confidence_of(evidence, problem.n_classes)
    wanted = ("stability", "partnership", "unity", "held_out_excess")
    signs = {sign: round(float(evidence.signs[sign][0]), 3) for sign in wanted if sign in evidence.signs}
    return {"rule": name, "expected_accuracy": round(float(confidence.mean()), 4)} | signs


def _smaller(problem: Problem, rng: np.random.Generator) -> Problem:
    """Return the problem on at most `MOST_ROWS` rows and the given ones, linked anew; the same without vectors."""
    graph = problem.graph
    n_open = MOST_ROWS - len(problem.given)
    if graph.vectors is None or len(graph) <= MOST_ROWS or n_open < len(problem.given):
        return problem
    others = rng.choice(np.flatnonzero(problem.codes < 0), n_open, replace=False)
    rows = np.sort(np.concatenate([problem.given, others]))
    metric = graph.metric if graph.metric != "precomputed" else "euclidean"
    smaller = knn_graph(np.asarray(graph.vectors)[rows], min(graph.n_neighbors or 10, len(rows) - 1), metric=metric)
    return Problem(smaller, problem.codes[rows], problem.n_classes, problem.priors)


def _in_words(table: list[dict[str, Any]], n_rows: int) -> str:
    first, *others = (f"{row['rule']} {100 * row['expected_accuracy']:.1f} %" for row in table)
    return f"expected to be right on the most rows: {first}, against {', '.join(others)} (judged on {n_rows} rows)"
