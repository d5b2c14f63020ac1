"""What makes a row odd, measured three ways without labels, and put together on one scale.

- Distance to small samples: the mean distance to the nearest of 16 random rows, over 50 samples (after Sugiyama and
  Borgwardt, Rapid distance-based outlier detection via sampling, 2013). Small samples rarely hold one of a group of
  outliers, so that groups are found as well; the mean, not the mean logarithm, because a sample that does hold one must
  not outweigh those that do not.
- Distance to neighbours: the distance to the fifth nearest of 256 random rows.
- Reconstruction: each column guessed from all the others by ridge regression, in closed form; the squared errors, each
  in units of its own spread given the others, are those of a normal distribution (Mahalanobis distance).

Logarithms are taken of all three.

Each is then shifted to its median over the fitted rows and divided by its upper median deviation, so that 1 means "as
odd as the odder half usually is"; their weighted mean is the score, with weights 3, 1, 1: the first is the best alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.extmath import randomized_svd

from handful.graph.threads import in_threads
from handful.tasks import anomaly_kernels as kernels
from handful.tasks.anomaly_scaling import Scaling, fit_scaling

SAMPLE_SIZE, N_SAMPLES = 16, 50
N_REFERENCES, N_NEIGHBORS = 256, 5
RIDGE = 0.01  # of the mean variance; on the ten ODDS tables .1 measured the same and misses relations that are tight
WEIGHTS = {"samples": 3.0, "neighbours": 1.0, "reconstruction": 1.0}
LOWEST = -2.0  # deviations: how ordinary a row is beyond that says nothing
MOST_AXES = 512  # columns beyond which the covariance is kept by its first axes only
SHORT_AXES = 64
FIT_ROWS = 50_000
_BLOCK = 8192


@dataclass(frozen=True)
class Oddness:
    """How odd rows are, beside the rows it was fitted to.

    scaling: of the columns. references: [E, R] float32, scaled rows drawn at random, first `n_samples` samples of
    `sample_size`, then those that neighbours are taken of. axes: [E, r] principal axes and gains: [r], which give the
    inverse covariance as (1 - axes gains axes^T) / floor. precision: [E] its diagonal. levels, units: [3] of the parts.
    """

    scaling: Scaling
    references: np.ndarray
    sample_size: int
    n_samples: int
    axes: np.ndarray
    gains: np.ndarray
    floor: float
    precision: np.ndarray
    levels: np.ndarray
    units: np.ndarray

    def parts(self, X: np.ndarray) -> np.ndarray:
        """Return how odd the rows of `X` [N, D] float64 are in each of the three ways, [N, 3], in median deviations."""
        return np.maximum((self.raw_parts(X) - self.levels) / self.units, LOWEST)

    def score(self, X: np.ndarray) -> np.ndarray:
        """Return the scores [N] of the rows of `X` [N, D] float64, higher for odder."""
        return combine(self.parts(X))

    def raw_parts(self, X: np.ndarray) -> np.ndarray:
        """Return the three measures [N, 3] as they come."""
        found = np.empty((len(X), 3), np.float64)
        blocks = [(start, min(start + _BLOCK, len(X))) for start in range(0, len(X), _BLOCK)]
        in_threads(self._measure, [(X[start:stop], found[start:stop]) for start, stop in blocks])
        return found

    def _measure(self, X: np.ndarray, found: np.ndarray) -> None:
        rows = self.scaling(X)
        coarse, fine = np.empty(len(X), np.float32), np.empty(len(X), np.float32)
        kernels.measure_distances(
            rows, self.references, self.sample_size, self.n_samples, self._n_neighbors, coarse, fine
        )
        found[:, 0], found[:, 1] = coarse, fine
        squared = (rows.astype(np.float64) * self._weighed(rows)).sum(1) / rows.shape[1]
        found[:, 2] = 0.5 * np.log(np.maximum(squared, 1e-12))

    @property
    def _n_neighbors(self) -> int:
        return max(1, min(N_NEIGHBORS, self.references.shape[1] - self.n_samples * self.sample_size - 1))

    def _weighed(self, rows: np.ndarray) -> np.ndarray:
        """Return scaled rows [N, E] times the inverse covariance."""
        rows = rows.astype(np.float64)
        return (rows - (rows @ self.axes * self.gains) @ self.axes.T) / self.floor

    def explain(self, X: np.ndarray) -> np.ndarray:
        """Return the share of each column in what makes the rows of `X` odd, [N, D], rows that sum to 1.

        Each part's squared distance is a sum over columns; the parts count by how odd they found the row.
        """
        rows = self.scaling(X)
        shares = np.zeros((3, *rows.shape))
        sizes = (self.sample_size, self.n_samples, self._n_neighbors)
        kernels.share_distances(rows, self.references, *sizes, shares[0], shares[1])
        shares[2] = self._weighed(rows) ** 2 / self.precision
        shares /= np.maximum(shares.sum(2, keepdims=True), 1e-300)
        weights = np.maximum(self.parts(X), 0) * list(WEIGHTS.values()) + 1e-9  # [N, 3]
        weights /= weights.sum(1, keepdims=True)
        mixed = np.einsum("np,pne->ne", weights, shares)
        whole = np.zeros(X.shape)
        for place, column in enumerate(self.scaling.owners):
            whole[:, column] += mixed[:, place]
        return whole

    def expect(self, X: np.ndarray) -> np.ndarray:
        """Return what each cell would be by the other cells of its row, [N, D], in the units of `X`."""
        rows, scaling = self.scaling(X), self.scaling
        guessed = rows - self._weighed(rows) / self.precision
        expected = np.tile(scaling.usual, (len(X), 1))
        n = len(scaling.columns)
        expected[:, scaling.columns] = guessed[:, :n] * scaling.spread[:n] + scaling.centre[:n]
        return expected

    def state(self) -> dict[str, np.ndarray]:
        """Return all of it as arrays by name."""
        own = {name: np.asarray(value) for name, value in vars(self).items() if name != "scaling"}
        return own | {f"scaling.{name}": np.asarray(value) for name, value in vars(self.scaling).items()}

    @classmethod
    def from_state(cls, arrays: Mapping[str, np.ndarray]) -> Oddness:
        """Return what `state` described."""

        def plain(array: np.ndarray) -> Any:
            return array.item() if array.ndim == 0 else array

        scaling = {k.removeprefix("scaling."): plain(v) for k, v in arrays.items() if k.startswith("scaling.")}
        own = {name: plain(arrays[name]) for name in cls.__dataclass_fields__ if name != "scaling"}
        return cls(Scaling(**scaling), **own)


def combine(parts: np.ndarray) -> np.ndarray:
    """Return the weighted mean [N] of parts [N, 3]."""
    weights = np.array(list(WEIGHTS.values()))
    return parts @ (weights / weights.sum())


def fit_oddness(X: np.ndarray, *, seed: int = 0) -> tuple[Oddness, np.ndarray]:
    """Return what measures oddness beside the rows of `X` [N, D] float64 (NaN where missing), and their parts [N, 3].

    At least one column has to vary.
    """
    draw = np.random.default_rng(seed)
    scaling = fit_scaling(X, seed=seed)
    size = min(SAMPLE_SIZE, max(1, len(X) // 2))
    samples = [draw.choice(len(X), size, replace=False) for _ in range(N_SAMPLES)]
    larger = draw.choice(len(X), min(N_REFERENCES, len(X)), replace=False)
    references = scaling(X[np.concatenate([*samples, larger])])
    rows = X if len(X) <= FIT_ROWS else X[np.sort(draw.choice(len(X), FIT_ROWS, replace=False))]
    axes, gains, floor, precision = _inverse_covariance(scaling(rows).astype(np.float64), seed)
    blank = Oddness(
        scaling,
        np.ascontiguousarray(references.T),
        size,
        N_SAMPLES,
        axes,
        gains,
        floor,
        precision,
        np.zeros(3),
        np.ones(3),
    )
    raw = blank.raw_parts(X)
    levels = np.median(raw, 0)
    above = np.where(raw >= levels, raw - levels, np.nan)
    units = np.maximum(np.nanmedian(above, 0), 1e-6)
    fitted = Oddness(**{**vars(blank), "levels": levels, "units": units})
    return fitted, np.maximum((raw - levels) / units, LOWEST)


def _inverse_covariance(rows: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, float, np.ndarray]:
    """Return the axes, gains, floor and diagonal of the inverse of (covariance + ridge) of `rows` [N, E], centred."""
    n, width = rows.shape
    floor = RIDGE * float(np.square(rows).mean())
    if width <= MOST_AXES:
        variance, axes = np.linalg.eigh(rows.T @ rows / n)
        variance = np.maximum(variance, 0)
    else:
        _, singular, turned = randomized_svd(rows, min(SHORT_AXES, *rows.shape), random_state=seed)
        variance, axes = singular**2 / n, np.ascontiguousarray(turned.T)
    gains = variance / (variance + floor)
    return axes, gains, floor, (1 - (axes**2) @ gains) / floor
