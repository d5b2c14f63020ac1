"""Rows that do not fit: a detector with the faces of scikit-learn and PyOD, and the columns that made a row odd."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from handful.errors import InputError
from handful.tasks.anomaly_parts import Oddness, combine, fit_oddness
from handful.tasks.known_outliers import KnownOutliers, fit_known

PARTS = ("samples", "neighbours", "reconstruction")


class AnomalyDetector(OutlierMixin, BaseEstimator):
    """Scores rows by how little they fit the others; needs no labels, uses known outliers where some are given.

    Three measures on one scale: the distance to small random samples, to neighbours, and the error of each column
    guessed from the others (`handful.tasks.anomaly_parts`). The same rows, settings and seed give the same scores.

    Methods speak as scikit-learn's do: `score_samples` and `decision_function` are higher for ordinary rows,
    `predict` gives 1 for ordinary and -1 for odd ones. Attributes are PyOD's: `decision_scores_` [N] of the fitted
    rows, higher for odder, `threshold_`, and `labels_` [N], 1 above the threshold and else 0.

    contamination: the share of the fitted rows that lies above the threshold, above 0 and at most 0.5.
    random_state: of the samples that rows are compared with.
    """

    def __init__(self, contamination: float = 0.1, *, random_state: Any = 0) -> None:
        self.contamination = contamination
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn what is ordinary from the rows of `X` [N, D], NaN where a cell is missing.

        y: None, or [N]: 1 for a known outlier, anything else where nothing is known.
        Raises InputError for infinite values, fewer than two rows, or rows that are all the same.
        """
        share = self.contamination
        if isinstance(share, bool) or not isinstance(share, int | float | np.number) or not 0 < share <= 0.5:
            raise InputError(f"contamination must be a share above 0 and at most 0.5, got {share!r}.")
        X = self._checked(X, reset=True)
        given = _known(y, len(X))
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self.oddness_, parts = _fit(X, seed)
        self.known_ = fit_known(self.oddness_, X, parts, given, seed=seed) if given.any() else None
        self.decision_scores_ = self._combined(X, parts)
        return self.set_threshold(share=float(share))

    def fit_predict(self, X: Any, y: Any = None) -> np.ndarray:
        """Return -1 for the odd rows among the fitted ones and 1 for the others, [N]."""
        return np.where(self.fit(X, y).labels_ == 1, -1, 1)

    def score_samples(self, X: Any) -> np.ndarray:
        """Return how ordinary the rows of `X` [M, D] are, [M]: lower for odder; minus `decision_scores_`."""
        return -self._scores(X)

    def decision_function(self, X: Any) -> np.ndarray:
        """Return `score_samples` less the threshold [M]: below 0 for the rows that `predict` finds odd."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> np.ndarray:
        """Return -1 for the odd rows of `X` [M, D] and 1 for the others, [M]."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def parts(self, X: Any) -> dict[str, np.ndarray]:
        """Return each measure on its own [M], higher for odder: "samples", "neighbours", "reconstruction"."""
        check_is_fitted(self)
        found = self.oddness_.parts(self._checked(X, reset=False))
        return dict(zip(PARTS, found.T, strict=True))

    def explain(self, X: Any) -> np.ndarray:
        """Return how much each column added to the oddness of the rows of `X` [M, D], [M, D]: each row sums to 1."""
        check_is_fitted(self)
        return self.oddness_.explain(self._checked(X, reset=False))

    def expect(self, X: Any) -> np.ndarray:
        """Return what each cell of `X` [M, D] would be by the other cells of its row, [M, D]."""
        check_is_fitted(self)
        return self.oddness_.expect(self._checked(X, reset=False))

    def set_threshold(
        self,
        value: float | None = None,
        *,
        share: float | None = None,
        normals: Any = None,
        false_alarm_rate: float | None = None,
    ) -> Self:
        """Move the threshold and return the detector.

        value: of the scores, as in `decision_scores_`. Or share: of the fitted rows that lie above it. Or normals: rows
        [M, D] known to be ordinary, and false_alarm_rate: the share of such rows that may lie above it.
        Raises InputError where M rows cannot tell so small a rate.
        """
        check_is_fitted(self)
        if sum(way is not None for way in (value, share, false_alarm_rate)) != 1:
            raise InputError("the threshold needs one of value, share, or normals with false_alarm_rate.")
        if share is not None:
            _check_share("share", share)
            if not hasattr(self, "decision_scores_"):
                raise InputError("a share is of the fitted rows, which a loaded detector does not keep: give a value.")
            value = float(np.quantile(self.decision_scores_, 1 - share))
        elif false_alarm_rate is not None:
            _check_share("false_alarm_rate", false_alarm_rate)
            if normals is None:
                raise InputError("false_alarm_rate needs normals: rows that are known to be ordinary.")
            value = threshold_at(self._scores(normals), false_alarm_rate)
        self.threshold_ = float(value or 0)
        self.offset_ = -self.threshold_
        if hasattr(self, "decision_scores_"):
            self.labels_ = (self.decision_scores_ > self.threshold_).astype(int)
        return self

    def state(self) -> dict[str, np.ndarray]:
        """Return all that scoring needs, as arrays by name, for `from_state`."""
        check_is_fitted(self)
        known = self.known_.state() if self.known_ is not None else {}
        own = {"threshold": np.float64(self.threshold_), "contamination": np.float64(self.contamination)}
        return {**self.oddness_.state(), **known, **{name: np.asarray(value) for name, value in own.items()}}

    @classmethod
    def from_state(cls, arrays: Mapping[str, np.ndarray]) -> AnomalyDetector:
        """Return a fitted detector from the arrays of `state`; it knows no longer the scores of the fitted rows."""
        made = cls(contamination=float(arrays["contamination"]))
        made.oddness_ = Oddness.from_state(arrays)
        made.known_ = KnownOutliers.from_state(arrays)
        made.threshold_ = float(arrays["threshold"])
        made.offset_ = -made.threshold_
        made.n_features_in_ = int(made.oddness_.scaling.n_columns)
        return made

    def _scores(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        X = self._checked(X, reset=False)
        return self._combined(X, self.oddness_.parts(X))

    def _combined(self, X: np.ndarray, parts: np.ndarray) -> np.ndarray:
        return combine(parts) if self.known_ is None else self.known_.score(self.oddness_, X, parts)

    def _checked(self, X: Any, *, reset: bool) -> np.ndarray:
        try:
            found = validate_data(
                self,
                X,
                dtype=np.float64,
                ensure_all_finite="allow-nan",
                ensure_min_samples=2 if reset else 1,
                reset=reset,
            )
        except InputError:
            raise
        except ValueError as error:
            raise InputError(" ".join(str(error).split())) from None
        return found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def threshold_at(scores: np.ndarray, false_alarm_rate: float) -> float:
    """Return the score that a new ordinary row exceeds with a probability of at most `false_alarm_rate`.

    scores: [M] of rows known to be ordinary, higher for odder. The threshold is the order statistic that holds the
    rate whatever the distribution (Vovk, Gammerman and Shafer 2005); a rate below 1 / (M + 1) needs more rows.
    """
    n = len(scores)
    allowed = int(np.floor(false_alarm_rate * (n + 1) + 1e-9))
    if allowed < 1:
        needed = int(np.ceil(1 / false_alarm_rate)) - 1
        raise InputError(
            f"a false alarm rate of {false_alarm_rate:g} needs at least {needed} rows known to be ordinary, got {n}."
        )
    return float(np.sort(scores)[n - allowed])


def _fit(X: np.ndarray, seed: int) -> tuple[Oddness, np.ndarray]:
    if not (np.nanmax(X, axis=0, initial=-np.inf) > np.nanmin(X, axis=0, initial=np.inf)).any():
        raise InputError(f"all {len(X)} rows are the same: there is nothing that could be odd.")
    return fit_oddness(X, seed=seed)


def _known(y: Any, n: int) -> np.ndarray:
    """Return which rows are known outliers, [N] bool."""
    if y is None:
        return np.zeros(n, bool)
    given = np.asarray(y)
    if given.shape != (n,):
        raise InputError(f"y must be one value a row, shape ({n},), got {given.shape}.")
    known = given == 1
    if known.all():
        raise InputError("y marks every row as a known outlier (1): nothing is left that could be ordinary.")
    return known


def _check_share(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 < value < 1:
        raise InputError(f"{name} must be a share above 0 and below 1, got {value!r}.")
