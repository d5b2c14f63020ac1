"""Block conjugate gradients for x -> diagonal * x - W x on the free rows, all columns at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from handful.graph import lanes
from handful.graph import solver_kernels as kernels
from handful.graph.rows import Rows
from handful.graph.threads import in_threads, row_blocks

Preconditioner = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Solution:
    """x: [N, K] float64; steps: of conjugate gradients; residual: [K] relative to the right-hand side."""

    x: np.ndarray
    steps: int
    residual: np.ndarray


@dataclass(frozen=True)
class Operator:
    """x -> diagonal * x - W x where `free` [N] bool, zero elsewhere; W sparse rows with a zero diagonal.

    Of N rows in all, those in `rows` are held here: W is [n, n + borders], everything else has n rows.
    """

    weights: sparse.csr_array
    diagonal: np.ndarray
    free: np.ndarray
    rows: Rows

    def times(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the image [n, K] of `x` [n + borders, K], zero on rows that are not free, and the dot products [K].

        The borders of `x` are written. K is a multiple of four.
        """
        self.rows.fetch(x)
        n = len(self.diagonal)
        out = np.empty((n, x.shape[1]))
        matrix = (self.weights.indptr, self.weights.indices, self.weights.data, self.diagonal, self.free)
        return out, self.rows.total(_summed(kernels.multiply, n, *matrix, x, out))

    def divide_by_diagonal(self, residuals: np.ndarray) -> np.ndarray:
        """Return residuals / diagonal, the Jacobi preconditioner; zero where the diagonal is."""
        safe = np.where(self.diagonal > 0, self.diagonal, 1.0)
        return residuals * np.where(self.diagonal > 0, 1 / safe, 0.0)[:, None]


def conjugate_gradients(
    operator: Operator, B: np.ndarray, x0: np.ndarray | None, tol: float, max_steps: int, precondition: Preconditioner
) -> Solution:
    """Return x with operator x = B [n, K]; `B` and `x0` are zero on rows that are not free.

    Each column has its own step lengths and rests once its residual is below `tol` times its right-hand side.
    """
    rows, (n, columns) = operator.rows, B.shape
    scale = np.sqrt(rows.total((B * B).sum(axis=0)))
    scale = np.where(scale > 0, scale, 1.0)
    place = rows.kept()
    state = place.load() or _begin(operator, B / scale, None if x0 is None else x0 / scale)
    x, r, slope, residual, steps = (state[name] for name in ("x", "r", "slope", "residual", "steps"))
    p = np.zeros((n + rows.borders, x.shape[1]))
    p[:n] = state["p"]
    while not state["ended"] and steps < max_steps and (residual > tol).any():
        z = precondition(r)
        next_slope = rows.total(_summed(kernels.dot_columns, n, r, z))
        shares = np.where(slope > 0, next_slope / np.where(slope > 0, slope, 1), 0.0) if steps else np.zeros_like(slope)
        slope = next_slope
        in_threads(kernels.turn, [(*block, shares, z, p) for block in row_blocks(n)])
        image, curvature = operator.times(p)
        active = (residual > tol) & (curvature > 0) & (slope > 0)
        if not active.any():
            break
        lengths = np.where(active, slope / np.where(active, curvature, 1), 0.0)
        residual = np.sqrt(rows.total(_summed(kernels.advance, n, lengths, p, image, x, r)))
        steps += 1
        told = {"slope": slope, "residual": residual, "steps": steps}
        place.keep(steps, {"x": x, "r": r, "p": p[:n], **told, "ended": False})
    place.finish({"x": x, "r": r[:, :0], "p": 0.0, "slope": slope, "residual": residual, "steps": steps, "ended": True})
    return Solution(x[:, :columns] * scale, steps, residual[:columns])


def _begin(operator: Operator, B: np.ndarray, x0: np.ndarray | None) -> dict[str, Any]:
    """Return the state before the first step."""
    rows, r = operator.rows, _padded(B)
    x = np.zeros_like(r)
    if x0 is not None:
        x = _padded(x0)
        r -= operator.times(rows.with_borders(x))[0]
    residual = np.sqrt(rows.total((r * r).sum(axis=0)))
    return {"x": x, "r": r, "p": 0.0, "slope": np.ones(r.shape[1]), "residual": residual, "steps": 0, "ended": False}


def _padded(x: np.ndarray) -> np.ndarray:
    """Return `x` [N, K] with columns of zeros up to the next multiple of what a register holds."""
    return np.pad(x, ((0, 0), (0, -x.shape[1] % lanes.DOUBLE)))


def _summed(kernel: Callable[..., np.ndarray], n: int, *arguments: np.ndarray) -> np.ndarray:
    """Return the sum over all blocks of the rows held here of what `kernel` returns, in the order of the blocks."""
    return np.sum(in_threads(kernel, [(*block, *arguments) for block in row_blocks(n)]), axis=0)
