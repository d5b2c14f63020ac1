"""From pooled vectors to vectors whose angles mean likeness."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from handful.encoders.standardise import Standardise
from handful.errors import InputError


def _vectors(n: int = 60, width: int = 6) -> np.ndarray:
    draw = np.random.default_rng(0)
    return (draw.normal(5, 1, (n, width)) * np.array([9, 5, 3, 1, 0.5, 0.1])[:width]).astype(np.float32)


def test_rows_have_length_one_and_stand_about_the_origin() -> None:
    finished = Standardise.fit(_vectors(), components=4)(torch.from_numpy(_vectors()))
    assert finished.shape == (60, 4)
    torch.testing.assert_close(finished.norm(dim=1), torch.ones(60))
    assert float(finished.mean(0).abs().max()) < 0.3


def test_shifting_all_vectors_changes_nothing() -> None:
    vectors = _vectors()
    shifted = vectors + np.float32(10)
    one, other = (Standardise.fit(v, components=4)(torch.from_numpy(v)) for v in (vectors, shifted))
    torch.testing.assert_close(one.abs(), other.abs(), atol=1e-3, rtol=1e-3)


def test_without_a_ridge_all_directions_are_alike_and_with_an_infinite_one_nothing_changes() -> None:
    vectors = torch.from_numpy(_vectors(4000))
    even = Standardise.fit(vectors.numpy(), components=6, ridge=0.0)
    spread = ((vectors - even.mean) @ even.axes).std(0)
    torch.testing.assert_close(spread, torch.ones(6), atol=1e-3, rtol=0)
    plain = Standardise.fit(vectors.numpy(), components=6, ridge=float("inf"))
    torch.testing.assert_close(plain.axes.norm(dim=0), torch.ones(6))


def test_no_more_components_than_rows_or_columns() -> None:
    assert Standardise.fit(_vectors(), components=99).components == 6
    assert Standardise.fit(_vectors(4), components=99).components == 4


def test_equal_vectors_and_vectors_that_are_not_finite_are_refused() -> None:
    with pytest.raises(InputError, match="all samples have the same vector"):
        Standardise.fit(np.ones((5, 3), np.float32), components=2)
    broken = _vectors()
    broken[3, 1] = np.nan
    with pytest.raises(InputError, match="not finite: train it again with a lower learning rate"):
        Standardise.fit(broken, components=2)


def test_without_centring_the_angles_are_those_of_the_vectors_themselves():
    vectors = _vectors() + 2.0
    finished = Standardise.fit(vectors, components=6, ridge=float("inf"), centred=False)(torch.from_numpy(vectors))
    own = torch.nn.functional.normalize(torch.from_numpy(vectors), dim=1)
    torch.testing.assert_close(finished @ finished.T, own @ own.T, atol=1e-4, rtol=1e-4)
    values = np.linalg.svd(vectors.astype(np.float64))[1]
    few = Standardise.fit(vectors, components=2, ridge=float("inf"), centred=False)
    kept = np.linalg.norm(few.coordinates(torch.from_numpy(vectors), 2).numpy())
    assert kept == pytest.approx(np.linalg.norm(values[:2]), rel=1e-4)
