from __future__ import annotations

import numpy as np
import pytest

from handful.evaluation.measures import accuracy, calibration_error


def test_calibration_error_equals_the_sum_over_bins() -> None:
    rng = np.random.default_rng(0)
    confidence, right = rng.random(500), rng.random(500) < 0.7
    which = np.minimum((confidence * 15).astype(int), 14)
    slow = sum(
        (which == k).mean() * abs(confidence[which == k].mean() - right[which == k].mean())
        for k in range(15)
        if (which == k).any()
    )
    assert calibration_error(confidence, right) == pytest.approx(slow)


def test_calibration_error_of_a_sure_and_wrong_answer_is_one() -> None:
    assert calibration_error(np.ones(10), np.zeros(10, bool)) == 1.0


def test_no_rows_give_no_figure() -> None:
    assert np.isnan(accuracy(np.zeros(0, bool)))
    assert np.isnan(calibration_error(np.zeros(0), np.zeros(0, bool)))
