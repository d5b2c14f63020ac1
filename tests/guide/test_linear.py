"""Linear guesses, against the slow way of leaving rows out one by one."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from handful.guide.linear import _RIDGES, guessed_share, kept_share, symbol_shares


def left_out(features: np.ndarray, targets: np.ndarray) -> float:
    """Return the best share over the ridges, each row predicted by a regression fitted on the others."""
    rows = np.arange(len(features))
    centred = features - features.mean(0)
    scale = np.linalg.eigvalsh(centred @ centred.T).clip(0).mean()
    total = sum(np.square(targets[i] - targets[rows != i].mean(0)).sum() for i in rows)
    shares = [0.0]
    for ridge in _RIDGES:
        fits = [Ridge(alpha=ridge * scale).fit(features[rows != i], targets[rows != i]) for i in rows]
        errors = [np.square(fit.predict(features[[i]]) - targets[i]).sum() for i, fit in enumerate(fits)]
        shares.append(1 - sum(errors) / total)
    return max(shares)


@pytest.mark.parametrize("width", [4, 60])
def test_guessed_share_equals_leaving_rows_out(width: int) -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(2, 1, (30, width))
    targets = features[:, :3] @ rng.normal(size=(3, 2)) + rng.normal(0, 0.5, (30, 2))
    assert guessed_share(features @ features.T, targets) == pytest.approx(left_out(features, targets), abs=1e-6)


def test_what_has_nothing_to_do_with_it_tells_nothing() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(200, 20))
    assert guessed_share(features @ features.T, rng.normal(size=(200, 3))) < 0.05
    assert guessed_share(features @ features.T, features @ rng.normal(size=(20, 3))) > 0.95


def test_kept_share_is_whole_for_data_of_few_directions() -> None:
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(80, 2)) @ rng.normal(size=(2, 30))
    assert kept_share(plane, 2) == pytest.approx(1)
    assert kept_share(rng.normal(size=(80, 30)), 2) < 0.2


def test_symbols_that_follow_each_other_are_told_and_shuffled_ones_are_not() -> None:
    rng = np.random.default_rng(0)
    chain = (rng.integers(0, 9, (200, 1)) + np.arange(12)) % 9
    present = np.ones(chain.shape, bool)
    hidden, following = symbol_shares(chain, present)
    assert hidden > 0.8
    assert following > 0.8
    assert max(symbol_shares(rng.permuted(chain, axis=1), present)) < 0.1
