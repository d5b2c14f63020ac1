"""A graph as a linear system: its Laplacian, its components and the factors made for it so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from handful.graph.components import label_components
from handful.graph.conjugate import Operator, Preconditioner, Solution, conjugate_gradients
from handful.graph.factor import Factor, factorise
from handful.graph.rows import AllRows, Rows

_MOST_CORRECTED = 64  # pinned rows that a factor is corrected for; with more a new factor is cheaper
_STRONG_SHIFT = 0.05  # share of the degree from which a division by the diagonal is enough
_MILD_SHIFT = 0.005  # likewise for so many rows that a factor, .25 GB a million, and its corrections take too much
_MOST_FACTORED = 4_000_000  # rows on a machine
_MANY_PINNED = 0.1  # share of the rows, likewise
_FACTORS_KEPT = 2
_AT_A_TIME = 16  # of these, while the correction is found
_ROUNDING = 1e-7  # of responses, relative to the largest


@dataclass
class System:
    """The systems (L + diag(shift)) x = B with some rows pinned to zero, L = D - W.

    Of N rows in all, the n in `rows` are held here; `weights` is [n, n + borders]. A factor is made when it is first
    needed and kept: it serves other right-hand sides, a few more pinned rows and small shifts; a component whose rows
    are all pinned needs none. A factor is of the rows held here among themselves, the rows of others taken as pinned
    (block Jacobi).
    """

    weights: sparse.csr_array
    rows: Rows
    factors: list[tuple[np.ndarray | None, Factor]] = field(default_factory=list)

    @cached_property
    def degrees(self) -> np.ndarray:
        """[n] float64 row sums of the weights."""
        return self.weights @ np.ones(self.weights.shape[1])  # a sum of float32 weights is rounded to float32

    @cached_property
    def components(self) -> np.ndarray:
        """[n] the connected component of each row."""
        return self.rows.components(self.weights)

    @cached_property
    def n_components(self) -> int:
        """The number of connected components of all rows."""
        return int(self.rows.highest(self.components.max(initial=-1))) + 1

    @cached_property
    def _inner(self) -> sparse.csr_array:
        """[n, n] the weights among the rows held here."""
        return self.weights[:, : self.weights.shape[0]] if self.rows.borders else self.weights

    @cached_property
    def _outward(self) -> np.ndarray:
        """[n] float64, the weight of each row on rows of others."""
        if not self.rows.borders:
            return np.zeros(len(self.degrees))
        return np.maximum(self.degrees - self._inner @ np.ones(len(self.degrees)), 0)

    @cached_property
    def _inner_components(self) -> np.ndarray:
        return label_components(self._inner) if self.rows.borders else self.components

    def times_weights(self, x: np.ndarray) -> np.ndarray:
        """Return W x [n, ...] for `x` [n, ...]."""
        return self.weights @ self.rows.with_borders(x)

    def solve(
        self,
        B: np.ndarray,
        *,
        shift: np.ndarray | None = None,
        pinned: np.ndarray | None = None,
        x0: np.ndarray | None,
        tol: float,
        max_steps: int,
        preconditioner: Preconditioner | None,
    ) -> Solution:
        """Return x [n, K] with (L + diag(shift)) x = B on the rows not `pinned` [n] bool, zero on these."""
        free = np.ones(len(B), bool) if pinned is None else ~pinned
        operator = Operator(self.weights, self.degrees if shift is None else self.degrees + shift, free, self.rows)
        B = np.where(free[:, None], B, 0.0)
        x0 = None if x0 is None else np.where(free[:, None], x0, 0.0)
        if preconditioner is None:
            preconditioner = self._preconditioner(operator, shift, ~free)
        return conjugate_gradients(operator, B, x0, tol, max_steps, preconditioner)

    def _preconditioner(self, operator: Operator, shift: np.ndarray | None, pinned: np.ndarray) -> Preconditioner:
        enough = _MILD_SHIFT if self.rows.most > _MOST_FACTORED else _STRONG_SHIFT
        strong = bool((operator.diagonal >= (1 + enough) * self.degrees)[~pinned].all())
        if strong or pinned.mean() >= _MANY_PINNED:
            return operator.divide_by_diagonal
        here, components = pinned.copy(), self._inner_components
        here[~np.bincount(components, ~pinned).astype(bool)[components]] = False  # nothing is asked of the whole of it
        for index, (known_shift, factor) in enumerate(self.factors):
            more = np.flatnonzero(here & ~factor.pinned)
            if (factor.pinned <= pinned).all() and len(more) <= _MOST_CORRECTED and _close(known_shift, shift):
                self.factors.insert(0, self.factors.pop(index))
                return self._corrected(factor, more)
        few = here.sum() <= _MOST_CORRECTED
        none = np.zeros(len(pinned), bool)
        grounded = self._outward if shift is None else self._outward + np.maximum(shift, 0)
        factor = factorise(self._inner, grounded, none if few else pinned)
        self.factors.insert(0, (shift, factor))
        del self.factors[_FACTORS_KEPT:]
        return self._corrected(factor, np.flatnonzero(here & ~factor.pinned))

    def _corrected(self, factor: Factor, rows: np.ndarray) -> Preconditioner:
        if not len(rows):
            return factor.apply
        return _pinned_to_zero(factor, rows, self._inner_components)


def _close(known: np.ndarray | None, wanted: np.ndarray | None) -> bool:
    """Tell whether a factor made for the shift `known` serves `wanted`: it need not be the same, only alike."""
    if known is None or wanted is None:
        return known is None and wanted is None
    return bool(np.abs(known - wanted).sum() <= 0.5 * known.sum())


def _pinned_to_zero(factor: Factor, rows: np.ndarray, components: np.ndarray) -> Preconditioner:
    """Return the exact inverse of the factored matrix without `rows` [m], given its inverse with them.

    Forces at the rows are chosen so that the solution vanishes there; a component [N] that nothing grounds has a free
    level besides, chosen so that its forces balance: one system of size m + levels, inverted once.
    """
    m = len(rows)
    response = np.empty((len(factor.pinned), m), np.float32)
    for start in range(0, m, _AT_A_TIME):
        some = rows[start : start + _AT_A_TIME]
        unit = np.zeros((len(factor.pinned), len(some)))
        unit[some, np.arange(len(some))] = 1
        response[:, start : start + _AT_A_TIME] = factor.apply(unit)
    floating = np.intersect1d(components[factor.order[factor.inverse == 0]], components[rows])
    member = (components[rows][:, None] == floating).astype(np.float64)  # [m, levels]
    corner = np.zeros((len(floating), len(floating)))
    at_rows = response[rows].astype(np.float64)
    scale = float(max(np.abs(at_rows).max(), np.finfo(np.float32).tiny))
    saddle = np.block([[(at_rows + at_rows.T) / (2 * scale), member], [member.T, corner]])
    # Of rows that are all but one node of the graph the responses are equal within rounding: no plain inverse exists.
    units = np.concatenate([np.full(m, scale**-0.5), np.full(len(floating), scale**0.5)])
    inverse = np.linalg.pinv(saddle, rcond=_ROUNDING, hermitian=True) * units * units[:, None]
    whole = components.max() == 0
    inside: list[Any] = [slice(None) if whole else np.flatnonzero(components == number) for number in floating]

    def apply(residuals: np.ndarray) -> np.ndarray:
        solution = factor.apply(residuals)
        totals = [residuals[own].sum(axis=0, keepdims=True) for own in inside]
        unknown = inverse @ -np.concatenate([solution[rows], *totals])
        solution += response @ unknown[:m].astype(np.float32)
        for own, level in zip(inside, unknown[m:], strict=True):
            solution[own] += level
        solution[rows] = 0
        return solution

    return apply


def system_of(weights: Any) -> System:
    """Return the system of a Graph, kept with it, or of sparse or dense weights."""
    kept = getattr(weights, "system", None)
    return kept if isinstance(kept, System) else _system_of_all(as_weights(weights))


def _system_of_all(weights: sparse.csr_array) -> System:
    return System(weights, AllRows(weights.shape[0]))


def as_weights(weights: Any) -> sparse.csr_array:
    """Return the sparse weights of a Graph, or `weights` itself as sparse rows with a zero diagonal."""
    if hasattr(weights, "weights"):
        return weights.weights
    matrix = sparse.csr_array(weights)
    if matrix.diagonal().any():
        matrix = matrix.copy()
        matrix.setdiag(0)
    return matrix
