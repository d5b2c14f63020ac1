"""The linear map of a series' last steps to its next, in closed form."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from handful.encoders.linear_ahead import LinearAhead, _ridge, cut_pairs


def _batch(series: list[np.ndarray]) -> dict[str, torch.Tensor]:
    """Return series of one channel as a batch."""
    longest = max(map(len, series))
    values = torch.zeros(len(series), 1, longest)
    for row, one in enumerate(series):
        values[row, 0, : len(one)] = torch.from_numpy(one)
    return {"values": values, "present": torch.arange(longest) < torch.tensor([len(one) for one in series])[:, None]}


def _waves(n: int, steps: int, seed: int = 0) -> list[np.ndarray]:
    begin = np.random.default_rng(seed).uniform(0, 24, (n, 1))
    return list(np.sin((np.arange(steps) + begin) * 2 * np.pi / 24).astype(np.float32))


def test_the_map_is_ridge_regression_written_slowly() -> None:
    draw = torch.Generator().manual_seed(0)
    known, truth = torch.randn(50, 6, generator=draw).double(), torch.randn(50, 2, generator=draw).double()
    found = _ridge(known.T @ known, known.T @ truth, 0.3)
    weight = 0.3 * float((known.T @ known).diagonal().mean())
    stacked = torch.cat([known, weight**0.5 * torch.eye(6).double()])  # the penalty as rows of data
    slow = torch.linalg.lstsq(stacked, torch.cat([truth, torch.zeros(6, 2).double()])).solution
    assert torch.allclose(found, slow, atol=1e-9)


def test_pairs_are_every_stretch_within_a_series() -> None:
    pairs = cut_pairs(_batch([np.arange(5, dtype=np.float32), np.arange(10, 13, dtype=np.float32)]), 2, 1)
    assert pairs.tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 4], [10, 11, 12]]


def test_waves_are_continued_beyond_what_is_guessed_at_a_time() -> None:
    ahead = LinearAhead(steps=96).fit([_batch(_waves(40, 96))])
    whole = torch.from_numpy(np.stack(_waves(8, 96 + 60, seed=1)))
    assert ahead.horizon == 24
    assert torch.allclose(ahead.guess(whole[:, :96], 60), whole[:, 96:], atol=0.05)
    assert torch.allclose(ahead.guess(whole[:, 70:96], 10), whole[:, 96:106], atol=0.2)  # less of it seen


def test_the_level_and_size_of_a_series_do_not_count() -> None:
    ahead = LinearAhead(steps=96).fit([_batch(_waves(40, 96))])
    seen = torch.from_numpy(np.stack(_waves(3, 96, seed=1)))
    assert torch.allclose(ahead.guess(7 + 3 * seen, 12), 7 + 3 * ahead.guess(seen, 12), atol=1e-4)


def test_a_random_walk_stays_where_it_is() -> None:
    walks = list(np.random.default_rng(0).normal(size=(60, 80)).cumsum(1).astype(np.float32))
    ahead = LinearAhead(steps=80).fit([_batch(walks)])
    seen = torch.from_numpy(np.stack(walks[:20]))
    size = seen.diff().std()
    assert "last" in ahead.centres
    assert float((ahead.guess(seen, 1)[:, 0] - seen[:, -1]).abs().mean()) < 0.3 * size


@pytest.mark.parametrize("steps", [2, 3, 8])
def test_short_series_are_fitted_and_too_short_ones_give_no_map(steps: int) -> None:
    ahead = LinearAhead(steps=steps).fit([_batch(_waves(12, steps))])
    assert ahead.guess(torch.ones(1, steps), 5).isfinite().all()
    assert LinearAhead(steps=40).fit([_batch([np.ones(1, np.float32)])]).contexts == []


def test_it_is_made_again_from_its_configuration() -> None:
    ahead = LinearAhead(steps=48).fit([_batch(_waves(20, 48))])
    again = LinearAhead(**ahead.config)
    again.load_state_dict(ahead.state_dict())
    seen = torch.from_numpy(np.stack(_waves(2, 48, seed=2)))
    assert torch.allclose(again.guess(seen, 20), ahead.guess(seen, 20), atol=1e-6)
