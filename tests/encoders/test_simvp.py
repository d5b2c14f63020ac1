"""The network that guesses the next frames of a clip, all at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from handful.encoders import SimVP
from handful.encoders.forecaster import Compared
from handful.encoders.saving import build, describe
from handful.encoders.simvp import similarity
from handful.methods.predictive import Forecast
from handful.modalities.video import Video


def network(known: int = 3, ahead: int = 2, *, channels: int = 1, size: int = 12) -> tuple[SimVP, Video]:
    torch.manual_seed(0)
    video = Video(size=size, channels=channels, window=known + ahead)
    kwargs = {"known": known, "ahead": ahead, "width": 8, "mixed": 16, "depth": 1}
    return SimVP(channels, **kwargs, cut=video.tokens).eval(), video


def clips(frames: int, *, channels: int = 1, size: int = 12) -> torch.Tensor:
    return torch.rand(2, channels, frames, size, size, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_it_begins_close_to_a_copy_of_the_last_frame() -> None:
    made, _ = network()
    still = torch.nn.functional.avg_pool3d(clips(3), (1, 3, 3), 1, (0, 1, 1))  # smooth: flows are small, not zero
    guess = made.go_on(still, 2)
    apart = (guess - still[:, :, -1:]).square().mean()
    assert apart < 0.01 * still.var()


def test_it_rolls_on_from_what_it_guessed() -> None:
    made, _ = network(channels=3)
    seen = clips(5, channels=3)
    far = made.go_on(seen, 5)
    assert far.shape == (2, 3, 5, 12, 12)
    torch.testing.assert_close(far[:, :, :2], made.go_on(seen, 2))
    torch.testing.assert_close(far[:, :, :2], made.go_on(seen[:, :, 2:], 2))  # it reads the last `known` frames


def test_frames_before_the_first_are_copies_of_it() -> None:
    made, _ = network()
    seen = clips(1)
    torch.testing.assert_close(made.go_on(seen, 2), made.go_on(seen.expand(-1, -1, 3, -1, -1), 2))


def test_the_loss_is_the_squared_error_half_of_the_absolute_one_and_a_fifth_of_unlikeness() -> None:
    made, video = network()
    batch = clips(5)
    found = made.compare(batch)
    slow = []
    for guess, truth in zip(found.guess.flatten(0, 1), found.truth.flatten(0, 1), strict=True):
        x, y = ((part.detach().double().numpy() + 1) / 2 for part in (guess, truth))
        covariance = ((x - x.mean()) * (y - y.mean())).mean()
        alike = (2 * x.mean() * y.mean() + 1e-4) * (2 * covariance + 9e-4)
        alike /= (x.mean() ** 2 + y.mean() ** 2 + 1e-4) * (x.var() + y.var() + 9e-4)
        slow.append(np.square(2 * (x - y)).mean() + 0.5 * np.abs(2 * (x - y)).mean() + 0.2 * (1 - alike))
    loss = Forecast(made, video)(batch, torch.Generator())
    assert loss.total.item() == pytest.approx(np.mean(slow), rel=1e-4)


def test_similarity_is_one_for_equal_windows_and_sees_a_grey_ground_that_is_black() -> None:
    window = torch.rand(1, 3, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    torch.testing.assert_close(similarity(window, window), torch.ones(1, 3))
    black = -torch.ones(1, 1, 64)
    assert similarity(black + 8 / 127.5, black).item() < 0.1


def test_darker_than_black_is_black_and_is_drawn_back_where_it_should_be_light() -> None:
    made, _ = network()
    truth = torch.tensor([-1.0, -0.9, 1.0, 1.0])
    guess = torch.tensor([-1.5, -1.5, 1.2, 0.9], requires_grad=True)
    found = Compared(guess[None, None], truth[None, None], torch.ones(1, 1, dtype=torch.bool))
    made.mismatch(found).sum().backward()
    assert (guess.grad[[0, 2]] == 0).all()
    assert guess.grad[1] < 0  # a step against the gradient makes it lighter
    assert guess.grad[3] < 0
    torch.testing.assert_close(made.error(found), torch.tensor([[(0.6**2 + 0.1**2) / 4]]))


def test_it_learns_nothing_from_frames_that_are_to_be_guessed() -> None:
    made, _ = network()
    batch = clips(5)
    other = batch.clone()
    other[:, :, 3:] = 0
    torch.testing.assert_close(made.compare(other).guess, made.compare(batch).guess)


def test_a_flow_moves_a_layer_by_pixels() -> None:
    made, _ = network(size=16)
    with torch.no_grad():
        made.flow.weight.zero_()
        made.flow.bias.copy_(torch.tensor([-2 / 8, 0.0] * made.layers * made.ahead))  # two pixels to the right a frame
    seen = -torch.ones(1, 1, 3, 16, 16)
    seen[..., 6:9, 4:7] = 1
    guess = made.go_on(seen, 2)
    for step in (1, 2):
        torch.testing.assert_close(guess[0, 0, step - 1], seen[0, 0, -1].roll(2 * step, 1), atol=1e-4, rtol=0)


def test_vectors_of_long_clips_are_means_over_their_stretches() -> None:
    made, _ = network()
    batch = clips(6)
    halves = [made(batch[:, :, :3]).pooled, made(batch[:, :, 3:]).pooled]
    torch.testing.assert_close(made(batch).pooled, torch.stack(halves).mean(0), atol=1e-5, rtol=1e-4)


def test_it_is_made_again_from_its_description() -> None:
    made, video = network()
    again = build(describe(made), cut=video.tokens).eval()
    again.load_state_dict(made.state_dict())
    torch.testing.assert_close(again.go_on(clips(3), 2), made.go_on(clips(3), 2))
