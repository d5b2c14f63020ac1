"""Columns of numbers on one scale, whatever their units and however far their outliers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TAIL = 0.005  # the share at either end that does not count for the spread: a few wild values must not hide the others
SAMPLE_ROWS = 50_000  # rows that quantiles are taken of
FURTHEST = 1e4  # spreads: further apart is as far as can be told, and squares stay finite in float32
ABSENT = 3.0  # spreads that a missing cell counts where none was missing before


@dataclass(frozen=True)
class Scaling:
    """Maps [N, D] to [N, E] float32: the columns that vary, centred and divided by their spread; then, for each column
    that had missing cells, whether it is missing, scaled alike.

    columns: [E'] which of the D columns are kept; missing: those of them that had missing cells; centre, spread: [E].
    usual: [D] the median of each column.
    """

    n_columns: int
    columns: np.ndarray
    missing: np.ndarray
    centre: np.ndarray
    spread: np.ndarray
    usual: np.ndarray

    @property
    def owners(self) -> np.ndarray:
        """[E] which of the D columns each scaled one comes from."""
        return np.concatenate([self.columns, self.missing])

    def __call__(self, X: np.ndarray) -> np.ndarray:
        absent = np.isnan(X)
        scaled = np.empty((len(X), len(self.centre)), np.float32)
        n = len(self.columns)
        with np.errstate(over="ignore"):
            values = (X[:, self.columns] - self.centre[:n]) / self.spread[:n]
        values[absent[:, self.columns]] = 0
        new = ~np.isin(self.columns, self.missing)
        values[:, new] += ABSENT * absent[:, self.columns[new]]
        scaled[:, :n] = np.clip(values, -FURTHEST, FURTHEST)
        scaled[:, n:] = (absent[:, self.missing] - self.centre[n:]) / self.spread[n:]
        return scaled


def fit_scaling(X: np.ndarray, *, seed: int = 0) -> Scaling:
    """Return what puts the columns of `X` [N, D] float64, NaN where a cell is missing, on one scale.

    The spread is the standard deviation of what lies within the middle 99 %, the rest pulled to its ends. Columns that
    do not vary are left out.
    """
    sample = X
    if len(X) > SAMPLE_ROWS:
        sample = X[np.sort(np.random.default_rng(seed).choice(len(X), SAMPLE_ROWS, replace=False))]
    absent_share = np.isnan(X).mean(0)
    centre, spread, usual = np.zeros(X.shape[1]), np.zeros(X.shape[1]), np.full(X.shape[1], np.nan)
    for column in np.flatnonzero(absent_share < 1):
        centre[column], spread[column], usual[column] = _measure(sample[:, column], X[:, column])
    kept = np.flatnonzero(spread > 0)
    missing = np.flatnonzero((absent_share > 0) & (absent_share < 1))
    shares = absent_share[missing]
    return Scaling(
        X.shape[1],
        kept,
        missing,
        np.concatenate([centre[kept], shares]),
        np.concatenate([spread[kept], np.sqrt(shares * (1 - shares))]),
        usual,
    )


def _measure(sample: np.ndarray, column: np.ndarray) -> tuple[float, float, float]:
    """Return the mean, the spread and the median of a column; the spread is 0 where it does not vary."""
    present = sample[~np.isnan(sample)]
    if not len(present):
        present = column[~np.isnan(column)]
    low, usual, high = np.quantile(present, [TAIL, 0.5, 1 - TAIL])
    inner = np.clip(present, low, high)
    unit = max(abs(low), abs(high), 1e-300)  # squares of very large numbers are not finite
    spread = float((inner / unit).std() * unit)
    if spread <= 1e-12 * unit:  # all but a few are equal: then these few are the spread
        whole = column[~np.isnan(column)]
        unit = max(float(np.abs(whole).max()), 1e-300)
        spread = float((whole / unit).std() * unit)
        spread = 0.0 if spread <= 1e-12 * unit else spread
    return float((inner / unit).mean() * unit), spread, float(usual)
