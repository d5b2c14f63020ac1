"""How far a label of the live answer can be trusted, learnt from the labels themselves.

Every known row is judged by the labels of the others: what its neighbours would have said of it, and whether that is
right. A logistic curve from two signs to the chance of being right is fitted to these cases beside what such curves
have been on other data sets, so that with few labels it is theirs and with many it is its own. The signs are the log
ratio of the two best classes, and the nearness of labels: the rows that people are shown lie far from each other, so
without it they would make all rows look harder than they are. The spread of the fitted curve gives the interval of the
accuracy to be expected (Laplace's approximation).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CENTRE = np.array([0.3, 1.5, 0.3])
SPREAD = np.array([0.8, 0.5, 0.4])
MOST = 0.995
NINE_IN_TEN = 1.645
WIDEST = 8.0  # of log ratios
FARTHEST = 4.0  # of the logarithm of nearness, either way


@dataclass(frozen=True)
class Curve:
    """Chance of being right = sigmoid(at . (1, signs)), from chance among K classes up. at: [3]; spread: [3, 3]."""

    at: np.ndarray
    spread: np.ndarray
    n_classes: int

    def __call__(self, signs: np.ndarray) -> np.ndarray:
        """Return [M] the probability that rows with `signs` [M, 2] are right."""
        return np.clip(_sigmoid(self.at[0] + signs @ self.at[1:]), 1 / max(self.n_classes, 1), MOST)

    def expect(self, signs: np.ndarray) -> tuple[float, float, float]:
        """Return the share of rows that are right, and the interval that holds it nine times in ten."""
        if not len(signs):
            return 1.0, 1.0, 1.0
        chance = _sigmoid(self.at[0] + signs @ self.at[1:])
        mean = float(np.clip(chance, 1 / max(self.n_classes, 1), MOST).mean())
        slope = chance * (1 - chance)
        gradient = np.array([slope.mean(), *(slope @ signs / len(signs))])
        deviation = float(np.sqrt(gradient @ self.spread @ gradient + mean * (1 - mean) / len(signs)))
        logit, width = np.log(mean / (1 - mean)), NINE_IN_TEN * deviation / (mean * (1 - mean))
        low, high = _sigmoid(np.array([logit - width, logit + width])).tolist()
        return mean, low, high


def signs_of(share: np.ndarray, next_share: np.ndarray, nearness: np.ndarray) -> np.ndarray:
    """Return [M, 2] the log of the best class's share over the runner-up's, and that of the nearness of labels."""
    ratio = np.clip(np.log((share + 1e-6) / (next_share + 1e-6)), 0, WIDEST)
    near = np.clip(np.log(np.maximum(nearness, 1e-9)), -FARTHEST, FARTHEST)
    return np.stack([ratio, near], axis=1).astype(np.float64)


def fit_curve(signs: np.ndarray, right: np.ndarray, weight: np.ndarray, n_classes: int) -> Curve:
    """Return the curve of known rows: signs [M, 2] without their own label, right [M] bool, weight [M] of each."""
    at = CENTRE.copy()
    design = np.column_stack([np.ones(len(signs)), signs])
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
