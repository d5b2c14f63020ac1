"""Linear systems of the graph Laplacian L = D - W, all columns at once.

Every rule that spreads labels solves one of these; W is a Graph, which keeps the factor that makes later solves
fast, or its symmetric sparse weights [N, N]:

    solve_dirichlet(W, given_rows [m], values [m, K])         L x = 0 on the other rows, x = values on the given rows
    solve_reweighted(W, gamma [N], given_rows, values)        the same on the weights gamma_i w_ij gamma_j
    solve_poisson(W, sources [N, K])                          L x = sources, one mean per component
    solve_shifted(W, shift [N], B [N, K])                     (L + diag(shift)) x = B
    solve_spreading(W, Y [N, K], alpha)                       (I - alpha S) x = Y with S = D^-1/2 W D^-1/2
    solve(A, B)                                               any symmetric positive (semi)definite sparse A

Each takes x0=None (warm start, [N, K]), tol=1e-6 (relative to the right-hand side, per column), max_steps and
preconditioner=None (a function from residuals [N, K] to corrections [N, K]), and returns
Solution(x [N, K] float64, steps, residual [K]). A warm start does not change what is solved, only how soon.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from handful.errors import InputError
from handful.graph import lanes
from handful.graph.conjugate import Operator, Preconditioner, Solution, conjugate_gradients
from handful.graph.rows import AllRows
from handful.graph.system import System, as_weights, system_of

__all__ = [
    "Preconditioner",
    "Solution",
    "laplacian",
    "solve",
    "solve_dirichlet",
    "solve_poisson",
    "solve_reweighted",
    "solve_shifted",
    "solve_spreading",
]

_MAX_STEPS = 5000
_MOST_NUMBERS = 1 << 26  # of a block [N, columns] that is solved at a time: a dozen such blocks are held


def laplacian(weights: Any) -> sparse.csr_array:
    """Return D - W [N, N] float64, D the diagonal of row sums."""
    matrix = as_weights(weights).astype(np.float64)
    return sparse.csr_array(sparse.diags_array(np.asarray(matrix.sum(axis=1)).ravel()) - matrix)


def solve(
    A: Any,
    B: np.ndarray,
    *,
    x0: np.ndarray | None = None,
    tol: float = 1e-6,
    max_steps: int = _MAX_STEPS,
    preconditioner: Preconditioner | None = None,
) -> Solution:
    """Return x with A x = B by conjugate gradients; None as the preconditioner divides by A's diagonal.

    A: [N, N] symmetric positive semidefinite; where it is singular, B must lie in its range.
    """
    matrix = sparse.csr_array(A).astype(np.float64)
    diagonal = matrix.diagonal()
    off_diagonal = sparse.csr_array(sparse.diags_array(diagonal) - matrix)
    operator = Operator(off_diagonal, diagonal, np.ones(len(diagonal), bool), AllRows(len(diagonal)))
    start = None if x0 is None else _columns(x0)
    return conjugate_gradients(
        operator, _columns(B), start, tol, max_steps, preconditioner or operator.divide_by_diagonal
    )


def solve_dirichlet(
    weights: Any,
    given_rows: np.ndarray,
    values: np.ndarray,
    *,
    x0: np.ndarray | None = None,
    tol: float = 1e-6,
    max_steps: int = _MAX_STEPS,
    preconditioner: Preconditioner | None = None,
) -> Solution:
    """Return the harmonic extension of `values` [m, K] at `given_rows` [m]: each other row its neighbours' mean.

    A row that no given row reaches gets zeros. Zhu, Ghahramani and Lafferty, Semi-supervised learning using Gaussian
    fields and harmonic functions, 2003.
    """
    return _extend(weights, None, given_rows, values, x0, tol, max_steps, preconditioner)


def solve_reweighted(
    weights: Any,
    gamma: np.ndarray,
    given_rows: np.ndarray,
    values: np.ndarray,
    *,
    x0: np.ndarray | None = None,
    tol: float = 1e-6,
    max_steps: int = _MAX_STEPS,
    preconditioner: Preconditioner | None = None,
) -> Solution:
    """Return the harmonic extension of `values` at `given_rows` on the weights gamma_i w_ij gamma_j, gamma [N] > 0.

    In z = gamma x this is (L + diag(W gamma / gamma - D)) z = 0: the same Laplacian with a shift, so that a
    factor of the graph serves every gamma like it.
    """
    gamma = np.asarray(gamma, np.float64)
    if not (np.isfinite(gamma).all() and (gamma > 0).all()):
        raise InputError(f"gamma must be finite and above 0 at every row, got a least value of {gamma.min():g}.")
    return _extend(weights, gamma, given_rows, values, x0, tol, max_steps, preconditioner)


def solve_poisson(
    weights: Any,
    sources: np.ndarray,
    *,
    x0: np.ndarray | None = None,
    tol: float = 1e-6,
    max_steps: int = _MAX_STEPS,
    preconditioner: Preconditioner | None = None,
) -> Solution:
    """Return x with L x = sources and a degree-weighted mean of 0 in each component.

    In a component whose sources do not sum to zero their mean is subtracted from each of its rows first. Calder, Cook,
    Thorpe and Slepcev, Poisson learning: graph based semi-supervised learning at very low label rates, 2020.
    """
    system = system_of(weights)

    def solve_some(sources: np.ndarray, start: np.ndarray | None) -> Solution:
        B = _centred(sources, system, np.ones(len(system.degrees)))
        found = system.solve(B, x0=start, tol=tol, max_steps=max_steps, preconditioner=preconditioner)
        return Solution(_centred(found.x, system, system.degrees), found.steps, found.residual)

    return _by_columns(solve_some, system, sources, x0)


def solve_shifted(
    weights: Any,
    shift: np.ndarray | float,
    B: np.ndarray,
    *,
    x0: np.ndarray | None = None,
    tol: float = 1e-6,
    max_steps: int = _MAX_STEPS,
    preconditioner: Preconditioner | None = None,
) -> Solution:
    """Return x with (L + diag(shift)) x = B, `shift` [N] or one number, none negative.

    In a component whose shift is 0 throughout, B must sum to zero.
    """
    system = system_of(weights)
    shift = np.broadcast_to(np.asarray(shift, np.float64), system.degrees.shape)
    if not (np.isfinite(shift).all() and (shift >= 0).all()):
        raise InputError(f"shift must be finite and at least 0 at every row, got a least value of {shift.min():g}.")
    extra = np.ascontiguousarray(shift) if shift.any() else None

    def solve_some(B: np.ndarray, start: np.ndarray | None) -> Solution:
        return system.solve(B, shift=extra, x0=start, tol=tol, max_steps=max_steps, preconditioner=preconditioner)

    return _by_columns(solve_some, system, B, x0)


def solve_spreading(
    weights: Any,
    Y: np.ndarray,
    alpha: float,
    *,
    x0: np.ndarray | None = None,
    tol: float = 1e-6,
    max_steps: int = _MAX_STEPS,
    preconditioner: Preconditioner | None = None,
) -> Solution:
    """Return x with (I - alpha S) x = Y, S = D^-1/2 W D^-1/2; a row without edges keeps its Y.

    alpha: from 0 to below 1. The residual is that of the equivalent (L + (1 - alpha) / alpha D) z = D^1/2 Y / alpha,
    x = D^1/2 z. Zhou, Bousquet, Lal, Weston and Schölkopf, Learning with local and global consistency, 2004.
    """
    if not 0 <= alpha < 1:
        raise InputError(f"alpha must be at least 0 and below 1, got {alpha!r}.")
    if alpha == 0:
        Y = _columns(Y)
        return Solution(Y.copy(), 0, np.zeros(Y.shape[1]))
    system = system_of(weights)
    linked = (system.degrees > 0)[:, None]
    root = np.sqrt(np.where(linked, system.degrees[:, None], 1.0))

    def solve_some(Y: np.ndarray, start: np.ndarray | None) -> Solution:
        found = system.solve(
            np.where(linked, Y * root / alpha, 0.0),
            shift=(1 - alpha) / alpha * system.degrees,
            x0=None if start is None else start / root,
            tol=tol,
            max_steps=max_steps,
            preconditioner=preconditioner,
        )
        return Solution(np.where(linked, found.x * root, Y), found.steps, found.residual)

    return _by_columns(solve_some, system, Y, x0)


def _extend(
    weights: Any,
    gamma: np.ndarray | None,
    given_rows: np.ndarray,
    values: np.ndarray,
    x0: np.ndarray | None,
    tol: float,
    max_steps: int,
    preconditioner: Preconditioner | None,
) -> Solution:
    system = system_of(weights)
    given_rows = np.asarray(given_rows)
    stretch = np.ones((len(system.degrees), 1)) if gamma is None else gamma[:, None]
    reached = np.zeros(system.n_components, bool)
    reached[system.components[given_rows]] = True
    reached = system.rows.highest(reached)
    pinned = ~reached[system.components]
    pinned[given_rows] = True
    extra = None if gamma is None else _shift_of(system.times_weights(gamma) / gamma, system.degrees)

    def solve_some(values: np.ndarray, start: np.ndarray | None) -> Solution:
        fixed = np.zeros((len(stretch), values.shape[1]))
        fixed[given_rows] = values * stretch[given_rows]
        found = system.solve(
            system.times_weights(fixed),
            pinned=pinned,
            shift=extra,
            x0=None if start is None else start * stretch,
            tol=tol,
            max_steps=max_steps,
            preconditioner=preconditioner,
        )
        x = found.x / stretch
        x[given_rows] = values
        return Solution(x, found.steps, found.residual)

    return _by_columns(solve_some, system, values, x0)


def columns_at_a_time(rows: int) -> int:
    """Return how many columns are solved at a time where a machine holds so many rows."""
    return max(1, _MOST_NUMBERS // max(rows, 1) // lanes.DOUBLE) * lanes.DOUBLE


def _by_columns(
    solve_some: Callable[[np.ndarray, np.ndarray | None], Solution],
    system: System,
    B: np.ndarray,
    x0: np.ndarray | None,
) -> Solution:
    """Return the solution [n, K] for all columns of `B`, as many at a time as memory allows: each is its own system."""
    B = _as_block(B)
    x0 = None if x0 is None else _as_block(x0)
    width = columns_at_a_time(system.rows.most)
    if B.shape[1] <= width:
        return solve_some(_columns(B), None if x0 is None else _columns(x0))
    x, residual, steps = np.empty((len(system.degrees), B.shape[1])), np.empty(B.shape[1]), 0
    for first in range(0, B.shape[1], width):
        some = slice(first, first + width)
        found = solve_some(_columns(B[:, some]), None if x0 is None else _columns(x0[:, some]))
        x[:, some], residual[some], steps = found.x, found.residual, max(steps, found.steps)
    return Solution(x, steps, residual)


def _shift_of(reweighted: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """Return reweighted - degrees [N], zero where that is rounding alone."""
    shift = reweighted - degrees
    return np.where(np.abs(shift) > 1e-12 * degrees, shift, 0.0)


def _columns(values: Any) -> np.ndarray:
    return np.ascontiguousarray(_as_block(values), dtype=np.float64)


def _as_block(values: Any) -> np.ndarray:
    """Return `values` as [N, K], where they are [N] as one column."""
    values = np.asarray(values)
    return values[:, None] if values.ndim == 1 else values


def _centred(x: np.ndarray, system: System, mass: np.ndarray) -> np.ndarray:
    """Return x [n, K] less its mean, weighted by `mass` [n], in each component."""
    total, components = system.rows.total, system.components
    if system.n_components == 1:
        whole = total(mass.sum())
        return x - total(mass @ x) / whole if whole > 0 else x
    totals = total(np.bincount(components, mass, system.n_components))
    sums = total(np.stack([np.bincount(components, mass * column, system.n_components) for column in x.T], axis=1))
    return x - (sums / np.where(totals > 0, totals, 1)[:, None])[components]
