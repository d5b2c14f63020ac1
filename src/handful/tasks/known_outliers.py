"""Scores that use a few known outliers: how near a row is to them, and what sets them apart from the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from handful.tasks.anomaly_parts import LOWEST, Oddness, combine

FIT_ROWS = 20_000  # unlabelled rows that the regression sees
SHRINKAGE = 0.01  # scikit-learn's C: five outliers must not be fitted in thirty columns
CLIP = 5.0  # spreads: beyond it a column says no more
OWN_WEIGHT = 0.5  # of the score without labels
_BLOCK = 8192


@dataclass(frozen=True)
class KnownOutliers:
    """known: [K, E] float32 scaled rows of known outliers; weights, intercept: of the regression on the scaled columns
    and the three parts; levels, units: [2] of what the two give."""

    known: np.ndarray
    weights: np.ndarray
    intercept: float
    levels: np.ndarray
    units: np.ndarray

    def score(self, oddness: Oddness, X: np.ndarray, parts: np.ndarray) -> np.ndarray:
        """Return the scores [N] of the rows of `X` [N, D], whose parts [N, 3] are known."""
        raw = self._measure(oddness, X, parts)
        learnt = np.maximum((raw - self.levels) / self.units, LOWEST).sum(1)
        return (learnt + OWN_WEIGHT * combine(parts)) / (2 + OWN_WEIGHT)

    def _measure(self, oddness: Oddness, X: np.ndarray, parts: np.ndarray) -> np.ndarray:
        found = np.empty((len(X), 2))
        for start in range(0, len(X), _BLOCK):
            block = slice(start, start + _BLOCK)
            rows = oddness.scaling(X[block])
            coarse = parts[block, 0] * oddness.units[0] + oddness.levels[0]
            found[block, 0] = coarse - _log_nearest(rows, self.known)
            found[block, 1] = _features(rows, parts[block]) @ self.weights + self.intercept
        return found

    def state(self) -> dict[str, np.ndarray]:
        """Return all of it as arrays by name."""
        return {f"known.{name}": np.asarray(value) for name, value in vars(self).items()}

    @classmethod
    def from_state(cls, arrays: Mapping[str, np.ndarray]) -> KnownOutliers | None:
        """Return what `state` described, None where there is nothing."""
        if "known.known" not in arrays:
            return None
        own: dict[str, Any] = {name: arrays[f"known.{name}"] for name in cls.__dataclass_fields__}
        return cls(**{**own, "intercept": float(own["intercept"])})


def fit_known(oddness: Oddness, X: np.ndarray, parts: np.ndarray, given: np.ndarray, *, seed: int = 0) -> KnownOutliers:
    """Return what known outliers teach. given: [N] bool, the known ones, at least one and not all.

    The others count as normal: most of them are. A regression on few outliers is held to small weights.
    """
    draw = np.random.default_rng(seed)
    others = np.flatnonzero(~given)
    if len(others) > FIT_ROWS:
        others = np.sort(draw.choice(others, FIT_ROWS, replace=False))
    rows = np.concatenate([np.flatnonzero(given), others])
    features = _features(oddness.scaling(X[rows]), parts[rows])
    centre, spread = features.mean(0), np.maximum(features.std(0), 1e-9)
    model = LogisticRegression(C=SHRINKAGE, class_weight="balanced", max_iter=500)
    model.fit((features - centre) / spread, given[rows])
    weights = model.coef_[0] / spread
    intercept = float(model.intercept_[0] - centre @ weights)
    blank = KnownOutliers(oddness.scaling(X[given]), weights, intercept, np.zeros(2), np.ones(2))
    raw = blank._measure(oddness, X[others], parts[others])
    levels = np.median(raw, 0)
    above = np.where(raw >= levels, raw - levels, np.nan)
    return KnownOutliers(blank.known, weights, intercept, levels, np.maximum(np.nanmedian(above, 0), 1e-6))


def _features(rows: np.ndarray, parts: np.ndarray) -> np.ndarray:
    return np.concatenate([np.clip(rows, -CLIP, CLIP), np.minimum(parts, 4 * CLIP)], 1).astype(np.float64)


def _log_nearest(rows: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the logarithm of the distance per column of each row to the nearest known outlier but itself."""
    squared = np.stack([np.square(rows - outlier).mean(1) for outlier in known], 1)  # [B, K]
    squared[squared == 0] = np.inf
    nearest = squared.min(1)
    nearest[np.isinf(nearest)] = 1e-6
    return 0.5 * np.log(np.maximum(nearest, 1e-6))
