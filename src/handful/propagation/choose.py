"""Which rule to use, judged without spare labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from handful.graph import knn_graph
from handful.propagation.calibrate import confidence_of
from handful.propagation.evidence import gather_evidence
from handful.propagation.problem import Problem
from handful.propagation.rules import NEED_VECTORS, RULES

DEFAULT = "consensus"  # ahead of every other single rule, or level, at 1 to 5 labels a class on more than a few
# hundred rows: benchmarks/LOG.md
CANDIDATES = (DEFAULT, "laplace", "head_spread", "spread_head")
MEETING_PRIORS = (DEFAULT, "spread_head")
MOST_ROWS = 1500
LEAD = 0.08
LEAD_A_DOUBLING = 0.015


@dataclass(frozen=True)
class Choice:
    """The rule that was chosen.

    rule: its name in `RULES`.
    reason: one sentence with the figures that decided.
    scores: [N, K] what the rule gives on the problem.
    table: one row a candidate, highest expectation first: `rule`, `expected_accuracy`, and the signs it was read from.
    """

    rule: str
    reason: str
    scores: np.ndarray
    table: tuple[dict[str, Any], ...]


def choose_rule(problem: Problem, *, seed: int = 0) -> Choice:
    """Return the default rule, or one that is expected to be right clearly more often.

    The expectation is the one `calibrate` states. It errs by several points at few labels, so another rule has to lead
    by 8 points at one label a class, by 4 at two, and so on. Where the graph carries vectors the expectation is
    formed on a graph of at most 1,500 of the rows, the given ones among them; the default gains on the others with the
    number of rows, so they have to lead by 1.5 points more for each doubling beyond. With class priors only the rules
    that meet them are looked at.
    """
    names = [
        name
        for name in (CANDIDATES if problem.priors is None else MEETING_PRIORS)
        if problem.graph.vectors is not None or name not in NEED_VECTORS
    ]
    default = names[0]
    if not (problem.reached & (problem.codes < 0)).any():
        return Choice(default, "no row is left to judge rules by", RULES[default](problem), ())
    small = _smaller(problem, np.random.default_rng(seed))
    judged = {name: _judge(small, name, seed) for name in names}
    table = tuple(sorted(judged.values(), key=lambda row: -row["expected_accuracy"]))
    lead = LEAD * problem.n_classes / len(problem.given)
    lead += LEAD_A_DOUBLING * float(np.log2(len(problem.codes) / len(small.codes)))
    ahead = table[0]["expected_accuracy"] > judged[default]["expected_accuracy"] + lead
    rule = table[0]["rule"] if ahead else default
    return Choice(rule, _in_words(rule, default, table, lead, len(small.codes)), RULES[rule](problem), table)


def _judge(problem: Problem, name: str, seed: int) -> dict[str, Any]:
    """Return what there is to know of one candidate; every candidate sees the same draws."""
    rule = RULES[name]
    evidence = gather_evidence(problem, rule(problem), rule, rng=np.random.default_rng(seed), n_redraws=2)
    confidence = confidence_of(evidence, problem.n_classes)
    wanted = ("stability", "partnership", "unity", "held_out")
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


def _in_words(rule: str, default: str, table: tuple[dict[str, Any], ...], lead: float, n_rows: int) -> str:
    """Return why `rule` was taken, with the figures, in one sentence."""
    figures = ", ".join(f"{row['rule']} {100 * row['expected_accuracy']:.1f} %" for row in table)
    who = "no rule leads" if rule == default else f"{rule} leads"
    by = f"by more than {100 * lead:.1f} points in expected accuracy"
    return f"{who} the default rule {default} {by}, judged on {n_rows} rows: {figures}"
