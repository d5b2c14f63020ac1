"""How far a label of the live answer can be trusted, learnt from the labels themselves.

Every known row is judged by the labels of the others: what its neighbours would have said of it, and whether that is
right. A logistic curve from the log ratio of the two best classes to the chance of being right is fitted to these cases
beside what such curves have been on other data sets, so that with few labels it is theirs and with many it is its own.
The spread of the fitted curve gives the interval of the accuracy to be expected (Laplace's approximation).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CENTRE = np.array([0.3, 1.5])
SPREAD = np.array([0.8, 0.5])
MOST = 0.995
NINE_IN_TEN = 1.645
WIDEST = 8.0  # of log ratios


@dataclass(frozen=True)
class Curve:
    """Chance of being right = sigmoid(at[0] + at[1] * log ratio), from chance among K classes up. spread: [2, 2]."""

    at: np.ndarray
    spread: np.ndarray
    n_classes: int

    def __call__(self, ratios: np.ndarray) -> np.ndarray:
        """Return [M] the probability that rows with the log ratios `ratios` [M] are right."""
        return np.clip(_sigmoid(self.at[0] + self.at[1] * ratios), 1 / max(self.n_classes, 1), MOST)

    def expect(self, ratios: np.ndarray) -> tuple[float, float, float]:
        """Return the share of rows that are right, and the interval that holds it nine times in ten."""
        if not len(ratios):
            return 1.0, 1.0, 1.0
        chance = _sigmoid(self.at[0] + self.at[1] * ratios)
        mean = float(np.clip(chance, 1 / max(self.n_classes, 1), MOST).mean())
        slope = chance * (1 - chance)
        gradient = np.array([slope.mean(), (slope * ratios).mean()])
        deviation = float(np.sqrt(gradient @ self.spread @ gradient + mean * (1 - mean) / len(ratios)))
        logit, width = np.log(mean / (1 - mean)), NINE_IN_TEN * deviation / (mean * (1 - mean))
        low, high = _sigmoid(np.array([logit - width, logit + width])).tolist()
        return mean, low, high


def log_ratios(share: np.ndarray, next_share: np.ndarray) -> np.ndarray:
    """Return [M] the logarithm of the best class's share over the runner-up's, from 0 to `WIDEST`."""
    return np.clip(np.log((share + 1e-6) / (next_share + 1e-6)), 0, WIDEST).astype(np.float64)


def fit_curve(ratios: np.ndarray, right: np.ndarray, weight: np.ndarray, n_classes: int) -> Curve:
    """Return the curve for known rows: ratios [M] without their own label, right [M] bool, weight [M] of each case."""
    at = CENTRE.copy()
    design = np.stack([np.ones(len(ratios)), ratios], axis=1)
    precision = np.diag(1 / SPREAD**2)
    for _ in range(25):
        chance = _sigmoid(design @ at)
        slope = design.T @ (weight * (right - chance)) - precision @ (at - CENTRE)
        bend = (design * (weight * chance * (1 - chance))[:, None]).T @ design + precision
        step = np.linalg.solve(bend, slope)
        at = at + np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-6:
            break
    return Curve(at, np.linalg.inv(bend), n_classes)


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(values, -30, 30)))
