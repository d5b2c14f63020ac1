"""The confidence of the live answer: what is usual without cases, the cases' own with many."""

from __future__ import annotations

import numpy as np

from handful.reviewing.confidence import CENTRE, fit_curve, signs_of


def cases(n: int, at: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return signs and outcomes of rows whose chance of being right follows a curve."""
    draw = np.random.default_rng(seed)
    signs = np.column_stack([draw.exponential(1.0, n), draw.normal(0, 1, n)])
    return signs, draw.random(n) < 1 / (1 + np.exp(-(at[0] + signs @ at[1:])))


def test_without_cases_the_curve_is_the_usual_one() -> None:
    curve = fit_curve(np.empty((0, 2)), np.empty(0), np.empty(0), 2)
    assert np.allclose(curve.at, CENTRE)


def test_many_cases_find_their_own_curve() -> None:
    at = np.array([-0.5, 1.0, 0.6])
    signs, right = cases(4000, at, 0)
    assert np.allclose(fit_curve(signs, right, np.ones(4000), 2).at, at, atol=0.2)


def test_the_interval_holds_the_accuracy_of_rows_drawn_alike() -> None:
    held = 0
    for seed in range(100):
        at = CENTRE + np.random.default_rng(seed).normal(0, 0.3, 3)
        signs, right = cases(40, at, seed)
        others, truth = cases(2000, at, seed + 1000)
        value, low, high = fit_curve(signs, right, np.ones(40), 2).expect(others)
        assert low <= value <= high
        held += low <= truth.mean() <= high
    assert held >= 88


def test_signs_grow_with_sureness_and_nearness() -> None:
    signs = signs_of(np.array([0.5, 0.9]), np.array([0.5, 0.1]), np.array([0.1, 2.0]))
    assert signs[0, 0] == 0
    assert (np.diff(signs, axis=0) > 0).all()
