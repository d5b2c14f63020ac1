"""Rules with a linear head on the vectors that the graph was made from."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from sklearn.linear_model import LogisticRegression

from handful.errors import InputError
from handful.graph.solver import solve_spreading
from handful.propagation.consensus import consensus, settle
from handful.propagation.problem import Problem, as_shares
from handful.propagation.redraw import predicted_codes

MOST_TAUGHT = 5000
AT_A_TIME = 1 << 16  # rows of the vectors that are read


def head(problem: Problem, *, strength: float = 10.0) -> np.ndarray:
    """Return the probabilities of a multinomial logistic regression on the graph's vectors.

    strength: the inverse of the L2 penalty, for vectors of mean length one.

    Raises InputError where the graph carries no vectors.
    """
    rows = problem.rows.join(problem.given, problem.rows.numbers(problem.given))
    codes = problem.rows.join(problem.given, problem.codes[problem.given])
    return as_shares(_fit_head(problem, rows, codes, strength), problem)


def head_spread(problem: Problem, *, strength: float = 10.0, alpha: float = 0.95, tol: float = 1e-4) -> np.ndarray:
    """Return the head's probabilities, squared and renormalised, spread over the graph with given rows clamped."""
    return spread_answer(problem, head(problem, strength=strength), alpha=alpha, tol=tol)


def spread_answer(problem: Problem, shares: np.ndarray, *, alpha: float = 0.95, tol: float = 1e-4) -> np.ndarray:
    """Return the `shares` [N, K] of a head as `head_spread` spreads them."""
    return _spread_from(problem, shares**2, alpha, tol)


def spread_head(
    problem: Problem, *, share: float = 0.3, strength: float = 10.0, alpha: float = 0.9, tol: float = 1e-4
) -> np.ndarray:
    """Return what a head says that was taught the surest rows of `consensus`, spread over the graph and settled again.

    share: the part of each class's rows that teach the head: the surest by margin, and the given rows.
    """
    taught = teach_head(problem, consensus(problem), share=share, strength=strength, alpha=alpha, tol=tol)
    return settle(problem, taught, sizes=problem.priors)


def teach_head(
    problem: Problem,
    scores: np.ndarray,
    *,
    share: float = 0.3,
    strength: float = 10.0,
    alpha: float = 0.9,
    tol: float = 1e-4,
) -> np.ndarray:
    """Return the shares [N, K], spread over the graph, of a head that was taught the surest rows of `scores` [N, K].

    share: the part of each class's rows that teach it: the surest by margin, and the given rows.
    """
    rows, codes = _surest(problem, scores, share)
    return _spread_from(problem, _fit_head(problem, rows, codes, strength), alpha, tol)


def _spread_from(problem: Problem, start: np.ndarray, alpha: float, tol: float) -> np.ndarray:
    start = as_shares(start, problem)
    start[problem.given] = problem.one_hot
    return as_shares(solve_spreading(problem.graph, start, alpha, tol=tol).x, problem)


def _surest(problem: Problem, scores: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers among all rows of those that teach, ascending, and their classes."""
    held = np.arange(len(scores))
    codes = problem.rows.join(held, predicted_codes(problem, scores))
    ranked = np.partition(scores, -2, axis=1)
    margin = problem.rows.join(held, ranked[:, -1] - ranked[:, -2])
    given = problem.rows.join(problem.given, problem.rows.numbers(problem.given))
    kept = [given]
    for code in range(problem.n_classes):
        rows = np.flatnonzero(codes == code)
        kept.append(rows[np.argsort(-margin[rows], kind="stable")[: int(share * len(rows))]])
    rows = np.unique(np.concatenate(kept))
    if len(rows) > MOST_TAUGHT:
        rows = np.union1d(given, rows[:: -(-len(rows) // MOST_TAUGHT)])
    return rows, codes[rows]


def _fit_head(problem: Problem, rows: np.ndarray, codes: np.ndarray, strength: float) -> np.ndarray:
    """Return what a head says that was taught `codes` [m] at the `rows` [m] of all rows."""
    vectors = problem.graph.vectors
    if vectors is None:
        raise InputError("a rule with a head needs the graph's vectors, got a graph without: make it with knn_graph.")
    scaled = _scaling(problem, vectors)
    model = LogisticRegression(C=strength, max_iter=200, tol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model.fit(scaled(problem.rows.collect(rows, vectors)), codes)
    probabilities = np.zeros((len(vectors), problem.n_classes))
    for some in _in_parts(len(vectors)):
        probabilities[some, model.classes_] = model.predict_proba(scaled(vectors[some]))
    return probabilities


def _scaling(problem: Problem, vectors: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return what brings rows of `vectors` [N, D] to a mean of zero and a mean length of one, over all rows."""
    count, parts = float(problem.rows.count), _in_parts(len(vectors))
    sums = np.zeros(vectors.shape[1])
    for some in parts:
        sums += vectors[some].sum(axis=0, dtype=np.float64)
    centre = (problem.rows.total(sums) / count).astype(np.float32)
    lengths = 0.0
    for some in parts:
        lengths += float(np.linalg.norm(_float32(vectors[some]) - centre, axis=1).sum(dtype=np.float64))
    length = np.float32(max(float(problem.rows.total(lengths)) / count, float(np.finfo(np.float32).tiny)))
    return lambda rows: (_float32(rows) - centre) / length


def _in_parts(n: int) -> list[slice]:
    return [slice(start, min(start + AT_A_TIME, n)) for start in range(0, n, AT_A_TIME)]


def _float32(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows, dtype=np.float32)
