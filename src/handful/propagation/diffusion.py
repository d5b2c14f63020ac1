"""The solves behind the rules: raw values [N, K] with the steps they took, from a warm start where there is one."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from handful.graph.solver import Solution, solve_dirichlet, solve_poisson, solve_reweighted, solve_spreading
from handful.propagation.problem import Problem, as_shares

SWEPT_BELOW = 0.9
"""Below this alpha plain sweeps meet the tolerance in fewer products than conjugate gradients, and exactly so in rows
far from any label, whose mass is many orders below the largest."""

SOLVED_FURTHER = 1e-7
"""How far below the tolerance in shares the solve goes, whose error is relative to the largest mass. A million rows
with 50 labels: to 1e-3 of it 17 steps, which left a thousand sweeps and more, to 1e-7 of it 26 and 4."""

LEAST_ERROR = 1e-13
"""What the solve can reach at all."""

FAINT = 1e-150
"""A mass below this is no mass: further from the labels it would lose its digits, then vanish."""


def spread_mass(
    problem: Problem, *, alpha: float, start: np.ndarray | None = None, tol: float = 1e-5, max_steps: int = 1000
) -> Solution:
    """Return F = (I - alpha S)^-1 Y, S = D^-1/2 W D^-1/2, to `tol` in the shares of every row.

    Conjugate gradients stop at an error relative to the whole, which is more than all the mass of a row far from
    every label. So such rows are set to zero and filled by sweeps F <- alpha S F + Y, which only add and multiply.
    """
    mass = np.zeros((len(problem.codes), problem.n_classes))
    mass[problem.given] = problem.one_hot
    steps, filled = 0, mass.copy()
    if start is not None or alpha >= SWEPT_BELOW:
        # a sweep costs as much as a step of the solve and gains far less: the solve leaves it few rows
        error = max(tol * SOLVED_FURTHER, LEAST_ERROR)
        solved = solve_spreading(problem.graph, mass, alpha, x0=start, tol=error, max_steps=max_steps)
        largest = float(problem.rows.highest(np.abs(solved.x).max(initial=0.0)))
        filled = np.where(solved.x.max(axis=1, keepdims=True) > 10 * error * largest, solved.x, 0)
        steps, filled = solved.steps, np.maximum(filled, mass)
    walk, rows = _normalised(problem), problem.rows
    change, shares, met = np.inf, as_shares(filled, problem), 0
    while steps < max_steps and change > tol:
        filled = alpha * (walk @ rows.with_borders(filled)) + mass
        filled[filled < FAINT] = 0
        before, shares = shares, as_shares(filled, problem)
        met_before, met = met, int(rows.total(filled.any(axis=1).sum()))
        change = np.inf if met > met_before else float(rows.highest(np.abs(shares - before).max(initial=0.0)))
        steps += 1
    return Solution(_fill(walk, filled, problem), steps, np.full(problem.n_classes, change))


def extend_harmonically(
    problem: Problem,
    *,
    reach: np.ndarray | None = None,
    start: np.ndarray | None = None,
    tol: float = 1e-5,
    max_steps: int = 1000,
) -> Solution:
    """Return the harmonic extension of the given labels: every other row is the weighted mean of its neighbours.

    reach: [N], the weights are then reach_i w_ij reach_j.
    """
    if reach is None:
        return solve_dirichlet(problem.graph, problem.given, problem.one_hot, x0=start, tol=tol, max_steps=max_steps)
    return solve_reweighted(
        problem.graph, reach, problem.given, problem.one_hot, x0=start, tol=tol, max_steps=max_steps
    )


def pour_sources(
    problem: Problem, *, start: np.ndarray | None = None, tol: float = 1e-5, max_steps: int = 1000
) -> Solution:
    """Return u with L u = sum over given rows j of (y_j - mean of y) delta_j, a mean for each component.

    The equation has no solution where the sources of a component do not cancel.
    """
    sources = np.zeros((len(problem.codes), problem.n_classes))
    held = problem.components[problem.given]
    counts = np.maximum(problem.rows.total(np.bincount(held, minlength=len(problem.present))), 1)
    shares = np.stack([np.bincount(held, column, len(counts)) for column in problem.one_hot.T], axis=1)
    shares = problem.rows.total(shares)
    sources[problem.given] = problem.one_hot - (shares / counts[:, None])[held]
    return solve_poisson(problem.graph, sources, x0=start, tol=tol, max_steps=max_steps)


def measure_reach(problem: Problem, *, floor: float = 1e-5, tol: float = 1e-5, max_steps: int = 1000) -> np.ndarray:
    """Return g [N] above 0, high near given rows: L g = sum over given rows j of (delta_j - 1/N).

    It is shifted to a least value of `floor` times its largest in every component.
    """
    sources = np.zeros(len(problem.codes))
    sources[problem.given] = 1
    level = solve_poisson(problem.graph, sources, tol=tol, max_steps=max_steps).x[:, 0]
    least = np.full(len(problem.present), np.inf)
    np.minimum.at(least, problem.components, level)
    least = -problem.rows.highest(-least)
    level -= least[problem.components]
    return level + max(floor * float(problem.rows.highest(level.max(initial=0.0))), np.finfo(np.float64).tiny)


def _normalised(problem: Problem) -> sparse.csr_array:
    """Return S = D^-1/2 W D^-1/2 [n, n + borders]."""
    degrees = problem.graph.degrees
    root = problem.rows.with_borders(np.sqrt(np.where(degrees > 0, degrees, 1)))
    walk = sparse.csr_array(problem.graph.weights, dtype=np.float64, copy=True)
    walk.data /= np.repeat(root[: len(degrees)], np.diff(walk.indptr)) * root[walk.indices]
    return walk


def _fill(walk: sparse.csr_array, mass: np.ndarray, problem: Problem) -> np.ndarray:
    """Return `mass` with its empty reached rows filled from their neighbours, nearest to a label first."""
    rows = problem.rows
    front = np.asarray(mass.any(axis=1))
    waiting = problem.reached & ~front
    if not rows.total(waiting.sum()):
        return mass
    beside = walk.T.tocsr()  # [n + borders, n]: who has a row among its neighbours
    while rows.total(front.sum()):
        found = beside[np.flatnonzero(rows.with_borders(front))].indices
        met = np.unique(found[waiting[found]])
        inflow = walk[met] @ rows.with_borders(mass)
        mass[met] = inflow * (FAINT / np.maximum(inflow.max(axis=1, keepdims=True), FAINT**2))
        front = np.zeros(len(waiting), dtype=bool)
        front[met], waiting[met] = True, False
    return mass
