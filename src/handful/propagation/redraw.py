"""Pretended problems: an answer taken as the truth, as many labels drawn from it, and the rule run again.

How much of its own answer a rule gets back says how well the labels pin the answer down, and needs no spare label.
It says nothing of what the graph itself has wrong, so it is one sign among several (see `evidence`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from handful.propagation.problem import Problem, RuleFunction


@dataclass(frozen=True)
class Redraw:
    """One pretended problem and what the rule made of it.

    scores: [N, K] the rule's scores on the pretended problem.
    judged: [M] the rows the rule had to find: reached, and neither drawn nor given.
    regained: [M] bool, whether a judged row got its pretended truth back.
    """

    scores: np.ndarray
    judged: np.ndarray
    regained: np.ndarray


def predicted_codes(problem: Problem, scores: np.ndarray) -> np.ndarray:
    """Return [N] the class of each row by `scores` [N, K]: as given where it was given, -1 where no label reaches."""
    codes = np.where(problem.reached, scores.argmax(axis=1), -1)
    codes[problem.given] = problem.codes[problem.given]
    return codes


def draw_codes(problem: Problem, truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return [N] int32 codes drawn from `truth` [N], as many of each class as the problem has given rows.

    A class with fewer rows in the truth gives all of them.
    """
    truth = problem.rows.join(np.arange(len(truth)), truth)
    codes = np.full(len(truth), -1, dtype=np.int32)
    counts = problem.rows.total(np.bincount(problem.codes[problem.given], minlength=problem.n_classes))
    for code, count in enumerate(counts):
        rows = np.flatnonzero(truth == code)
        codes[rng.choice(rows, size=min(count, len(rows)), replace=False)] = code
    return problem.rows.take(codes)


def redraw(
    problem: Problem, truth: np.ndarray, rule: RuleFunction, *, n: int, rng: np.random.Generator
) -> Iterator[Redraw]:
    """Yield `n` pretended problems with labels drawn from `truth` [N] (-1: none), each solved by `rule`."""
    for _ in range(n):
        pretended = problem.with_codes(draw_codes(problem, truth, rng))
        scores = problem.rows.once(partial(rule, pretended))
        judged = np.flatnonzero(pretended.reached & (pretended.codes < 0) & (problem.codes < 0) & (truth >= 0))
        yield Redraw(scores, judged, scores[judged].argmax(axis=1) == truth[judged])


def split_given(problem: Problem, rng: np.random.Generator) -> tuple[Problem, Problem] | None:
    """Return the problem with one half of each class's given rows and with the other, or None where no class has two.

    A class with a single given row keeps it in both halves.
    """
    given = problem.rows.join(problem.given, problem.rows.numbers(problem.given))
    codes = problem.rows.join(problem.given, problem.codes[problem.given])
    counts = np.bincount(codes, minlength=problem.n_classes)
    if counts.max() < 2:
        return None
    halves = [np.full(problem.rows.count, -1, dtype=np.int32) for _ in range(2)]
    for code, count in enumerate(counts):
        rows = rng.permutation(given[codes == code])
        parts = (rows, rows) if count == 1 else (rows[: count // 2], rows[count // 2 :])
        for half, part in zip(halves, parts[:: rng.choice([-1, 1])], strict=True):
            half[part] = code
    return problem.with_codes(problem.rows.take(halves[0])), problem.with_codes(problem.rows.take(halves[1]))
