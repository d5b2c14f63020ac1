"""Figures of an answer: accuracy and calibration error."""

from __future__ import annotations

import numpy as np


def accuracy(right: np.ndarray) -> float:
    """Return the share of right rows, `right` [M] bool; NaN where there are none."""
    return float(right.mean()) if len(right) else float("nan")


def calibration_error(confidence: np.ndarray, right: np.ndarray, *, bins: int = 15) -> float:
    """Return the expected calibration error (Guo et al. 2017): the mean over rows of |confidence - accuracy| by bin.

    confidence: [M] in 0 to 1; right: [M] bool. Bins are of equal width. NaN where there are no rows.
    """
    if not len(right):
        return float("nan")
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    size = np.bincount(which, minlength=bins)
    gap = np.bincount(which, weights=confidence, minlength=bins) - np.bincount(which, weights=right, minlength=bins)
    return float(np.abs(gap[size > 0]).sum() / len(right))
