"""What each part of a blend counts, by how well it foretells given rows that it was not told.

A logarithmic opinion pool (Genest and Zidek, Combining probability distributions, 1986): the shares of the parts are
multiplied, each to the power of its weight. The weights are those under which rows left out of the given ones are most
likely (Wolpert, Stacked generalization, 1992), held back towards weights that are known beforehand: a few left-out rows
move them little, hundreds decide.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

import numpy as np
from scipy.optimize import minimize

from handful.propagation.problem import Problem

Ask = Callable[[Problem, Collection[str]], Iterable[tuple[str, np.ndarray]]]
"""Gives the parts of some names on a problem, each with its shares [N, K], one at a time."""

FOLDS = 3
HELD_BACK = 60.0
"""Rows' worth of log likelihood that a move of all the weight from one part to another has to gain, twice over."""
LEAST_SHARE = 1e-4
"""What a part says at the least of a class: a single part cannot rule one out."""
LEAST_POWER, MOST_POWER = 1e-6, 5.0


def fit_weights(problem: Problem, ask: Ask, expected: Mapping[str, float]) -> dict[str, float]:
    """Return what each part counts, summing to one, from left-out given rows and the weights that are `expected`.

    A row is left out in one of `FOLDS` folds, each class spread over all; a class with one given row is never left
    without. Where no class has two, the expected weights come back.
    """
    names = list(expected)
    known = np.array([expected[name] for name in names]) / sum(expected.values())
    told = [_foretell(problem, ask, names, codes, left_out) for codes, left_out in _folds(problem)]
    logs = np.concatenate([logs for logs, _ in told], axis=1) if told else np.empty((len(names), 0, 1))
    truth = np.concatenate([truth for _, truth in told]) if told else np.empty(0, dtype=int)
    if not len(truth):
        return dict(zip(names, known.tolist(), strict=True))
    first = np.maximum(known, 1e-3)
    found = minimize(
        _loss, first, (logs, truth, known), "L-BFGS-B", jac=True, bounds=[(LEAST_POWER, MOST_POWER)] * len(names)
    )
    return dict(zip(names, (found.x / found.x.sum()).tolist(), strict=True))


def _folds(problem: Problem) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return for each fold the codes [N] without its rows, and its rows [m], by their numbers among all rows."""
    given = problem.rows.join(problem.given, problem.rows.numbers(problem.given))
    codes = problem.rows.join(problem.given, problem.codes[problem.given])
    draw, fold = np.random.default_rng(0), np.full(len(given), -1)
    for code in range(problem.n_classes):
        of_class = draw.permutation(np.flatnonzero(codes == code))
        if len(of_class) > 1:
            fold[of_class] = (np.arange(len(of_class)) + draw.integers(FOLDS)) % FOLDS
    kept = []
    for number in range(FOLDS):
        left_out = fold == number
        if left_out.any():
            rest = np.full(problem.rows.count, -1, dtype=np.int32)
            rest[given[~left_out]] = codes[~left_out]
            kept.append((rest, given[left_out]))
    return kept


def _foretell(
    problem: Problem, ask: Ask, names: list[str], codes: np.ndarray, left_out: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the log shares [P, m, K] that the parts give to rows left out and reached, and their classes [m]."""
    rows = problem.rows
    told = problem.with_codes(rows.take(codes))
    said = {name: rows.collect(left_out, shares) for name, shares in ask(told, names)}
    truth = rows.collect(left_out, problem.codes)
    reached = rows.collect(left_out, told.reached)
    return np.log(np.stack([said[name] for name in names])[:, reached] + LEAST_SHARE), truth[reached]


def _loss(powers: np.ndarray, logs: np.ndarray, truth: np.ndarray, known: np.ndarray) -> tuple[float, np.ndarray]:
    """Return how unlikely the classes are under the pool, the pull to the known weights added, and the gradient.

    powers: [P] the weights times a common power, which the pull leaves free: how sure the parts are is not judged.
    """
    pooled = np.tensordot(powers, logs, 1)
    pooled -= pooled.max(axis=1, keepdims=True)
    shares = np.exp(pooled)
    shares /= shares.sum(axis=1, keepdims=True)
    at_truth = np.arange(len(truth)), truth
    whole = powers.sum()
    moved = powers / whole - known
    loss = -np.log(np.maximum(shares[at_truth], 1e-300)).sum() + HELD_BACK * (moved**2).sum()
    slope = np.einsum("mk,pmk->p", shares, logs) - logs[:, *at_truth].sum(axis=1)
    slope += 2 * HELD_BACK / whole * (moved - moved @ powers / whole)
    return float(loss), slope
