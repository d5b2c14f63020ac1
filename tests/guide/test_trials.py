"""Which trial comes first."""

from __future__ import annotations

import numpy as np
import pytest

from handful.guide.trials import Trial, _lead, rank_trials


def _ranked(**found: tuple[float | None, float | None, float]) -> list[str]:
    trials = [
        Trial(name, 1, 1.0, right=right, lead=lead, agreement=shared) for name, (right, lead, shared) in found.items()
    ]
    return [trial.method for trial in rank_trials([*trials, Trial("broken", 0, 0.0, failed="no")])]


def test_a_lead_counts_the_labels_that_one_of_two_alone_found() -> None:
    mine, usual = np.array([1, 1, 1, 1, 1, 0], bool), np.array([1, 0, 0, 0, 0, 1], bool)
    assert _lead(mine, usual) == pytest.approx((4 - 1) / 5**0.5)
    assert _lead(usual, usual) == 0
    assert _lead(mine, None) is None


def test_what_leads_by_chance_only_stands_behind_auto() -> None:
    found = {"simclr": (0.90, 0.9, 0.1), "auto": (0.88, 0.0, 0.5), "pca": (0.80, -2.0, 0.6)}
    assert _ranked(**found) == ["auto", "simclr", "pca", "broken"]
    assert _ranked(**{**found, "masked": (0.97, 2.0, 0.1)}) == ["masked", "auto", "simclr", "pca", "broken"]


def test_without_labels_agreement_decides() -> None:
    assert _ranked(simclr=(None, None, 0.4), pca=(None, None, 0.6)) == ["pca", "simclr", "broken"]
