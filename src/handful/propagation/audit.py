"""Given labels that the graph contradicts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from handful.propagation.problem import Problem, RuleFunction
from handful.propagation.rules import pwll

MOST_FOLDS = 5
FLOOR = 1e-6
POWERS = np.geomspace(0.05, 8, 25)
WRONG_SHARES = np.array([0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.16, 0.2, 0.25, 0.3, 0.4, 0.5])


@dataclass(frozen=True)
class LabelIssues:
    """The M given rows, most doubtful first.

    rows: [M] the given rows.
    scores: [M] the probability that the given label is wrong, 0 where it cannot be judged: the only one of its class.
    given: [M] the code that was given.
    suggested: [M] the code that the other labels call for: the most probable one besides the given one.
    wrong_share: the estimated share of wrong labels among the given ones.
    """

    rows: np.ndarray
    scores: np.ndarray
    given: np.ndarray
    suggested: np.ndarray
    wrong_share: float

    def above(self, score: float = 0.5) -> LabelIssues:
        """Return only the rows whose score is above `score`."""
        kept = self.scores > score
        return LabelIssues(self.rows[kept], self.scores[kept], self.given[kept], self.suggested[kept], self.wrong_share)


def find_label_issues(problem: Problem, rule: RuleFunction = pwll, *, seed: int = 0) -> LabelIssues:
    """Return the given rows ordered by the probability that their label is wrong.

    Each given row is judged by the labels of the others: the given rows are left out in turn, a part of each class at
    a time. How sharp the rule's shares should be and how many labels are wrong are fitted together: the pair under
    which the given labels are most likely, if a wrong label is any other class at random. The idea that held-out
    probabilities expose wrong labels is that of Northcutt, Jiang and Chuang, Confident learning, 2021.
    """
    problem = problem.near
    rows, codes = _given(problem)
    shares = _leave_out(problem, rule, np.random.default_rng(seed))
    judged = ~np.isnan(shares[:, 0])
    scores, wrong_share = np.zeros(len(rows)), 0.0
    if judged.any():
        power, wrong_share = _most_likely(shares[judged], codes[judged], problem.n_classes)
        scores[judged] = _wrong(shares[judged], codes[judged], power, wrong_share)
    others = np.where(np.eye(problem.n_classes, dtype=bool)[codes], -1, np.nan_to_num(shares))
    order = np.argsort(-scores, kind="stable")
    return LabelIssues(rows[order], scores[order], codes[order], others.argmax(axis=1)[order], wrong_share)


def _given(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers [M] of all given rows, ascending, and their classes [M]."""
    join, held = problem.rows.join, problem.given
    return join(held, problem.rows.numbers(held)), join(held, problem.codes[held])


def _leave_out(problem: Problem, rule: RuleFunction, rng: np.random.Generator) -> np.ndarray:
    """Return [M, K] what `rule` says of each given row without its label; NaN for the only row of a class."""
    rows, codes = _given(problem)
    counts = np.bincount(codes, minlength=problem.n_classes)
    shares = np.full((len(rows), problem.n_classes), np.nan)
    n_folds = min(MOST_FOLDS, int(counts.max()))
    folds = np.full(len(rows), -1)
    for code in np.flatnonzero(counts > 1):
        members = rng.permutation(np.flatnonzero(codes == code))
        folds[members] = (np.arange(len(members)) + rng.integers(n_folds)) % min(n_folds, len(members))
    for fold in np.unique(folds[folds >= 0]):
        left_out = np.flatnonzero(folds == fold)
        kept = np.full(problem.rows.count, -1, np.int32)
        kept[rows] = codes
        kept[rows[left_out]] = -1
        said = problem.rows.once(partial(rule, problem.with_codes(problem.rows.take(kept))))
        answer = problem.rows.collect(rows[left_out], said)
        answer[answer.sum(axis=1) == 0] = np.nan
        shares[left_out] = answer
    return shares


def _sharpened(shares: np.ndarray, codes: np.ndarray, power: float) -> np.ndarray:
    """Return [M] the share of the given class after each row is raised to `power`."""
    powers = np.maximum(shares, FLOOR) ** power
    return powers[np.arange(len(codes)), codes] / powers.sum(axis=1)


def _most_likely(shares: np.ndarray, codes: np.ndarray, n_classes: int) -> tuple[float, float]:
    """Return the power and the share of wrong labels under which the given labels are most likely."""
    best = (-np.inf, 1.0, 0.0)
    for power in POWERS:
        right = _sharpened(shares, codes, float(power))[:, None]
        likely = right * (1 - WRONG_SHARES) + (1 - right) * WRONG_SHARES / (n_classes - 1)
        # One imagined wrong label in twenty keeps the share away from its ends when few rows are given.
        total = np.log(likely).sum(axis=0) + np.log(WRONG_SHARES) + 19 * np.log(1 - WRONG_SHARES)
        best = max(best, (float(total.max()), float(power), float(WRONG_SHARES[total.argmax()])))
    return best[1], best[2]


def _wrong(shares: np.ndarray, codes: np.ndarray, power: float, wrong_share: float) -> np.ndarray:
    """Return [M] the probability that the given label is wrong, by Bayes' rule."""
    right = _sharpened(shares, codes, power)
    wrong = (1 - right) * wrong_share / (shares.shape[1] - 1)
    return wrong / (wrong + right * (1 - wrong_share))
