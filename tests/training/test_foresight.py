"""How well what comes next is guessed, beside a guess that costs nothing, and the words for it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from symbols import Letters
from toy import toy_images, toy_videos

from handful.methods import METHODS, Foresight
from handful.methods.predictive import Forecast
from handful.modalities.registry import make_modality
from handful.training.foresight import judge_foresight, measure_foresight
from handful.training.health import Health
from handful.training.loop import Schedule, train


def _health(rank: float = 30.0) -> Health:
    return Health(contrast=0.5, rank=rank, width=64, spread=0.9, uniformity=-3.0)


def test_the_naive_error_of_a_video_is_that_of_its_last_frame_repeated() -> None:
    data = toy_videos(12, frames=5)
    modality = make_modality("video", data.settings)
    method = Forecast(modality.forecaster(), modality)
    found = measure_foresight(method, data.samples, np.arange(12))
    clips = modality.batch(data.samples, np.arange(12))
    known = clips.shape[2] - method.forecaster.ahead
    assert found is not None
    assert found.naive == pytest.approx(float((clips[:, :, known:] - clips[:, :, known - 1 : known]).square().mean()))
    assert found.way == "repeating the last frame"


def test_symbols_are_measured_against_how_often_each_stands() -> None:
    letters = Letters()
    method = Forecast(letters.token_backbone(causal=True), letters)
    tokens = letters.tokens(letters.random_batch(64))
    truth = tokens.values[:, 1:][tokens.present[:, 1:] & tokens.present[:, :-1]]
    share = torch.bincount(truth).double() / len(truth)
    entropy = -(share[share > 0] * share[share > 0].log()).sum()
    found = method.foresee(letters.random_batch(64))
    assert found.naive == pytest.approx(float(entropy), rel=0.02)
    assert found.way == "going by how often each symbol occurs"


def test_a_method_that_looks_at_nothing_to_come_foresees_nothing() -> None:
    data = toy_images(12)
    modality = make_modality("image", data.settings)
    method = METHODS["autoencoder"](METHODS["autoencoder"].default_backbone(modality), modality)
    assert measure_foresight(method, data.samples, np.arange(12)) is None


FOUND = Foresight(0.3, 1.0, "repeating the last frame")
WORDS = [
    (FOUND, 30.0, [1.0], "healthy: what comes next is guessed with 30% of the error of repeating the last frame."),
    (FOUND, 30.0, [3.0, 2.0, 1.0], "healthy and still improving"),
    (FOUND, 30.0, [1.0, 1.0, 1.0], "healthy and done"),
    (FOUND, 1.5, [1.0, 1.0, 1.0], "no better. Its vectors tell few samples apart (effective rank 2 of 64)"),
    (FOUND._replace(error=1.1), 30.0, [1.0], "so far no better than repeating the last frame: what comes next"),
    (FOUND._replace(error=1.1), 30.0, [1.0, 1.0, 1.0], "use a lower learning rate, or more data."),
    (Foresight(0.0, 0.0, "repeating the last frame"), 30.0, [1.0], "nothing to learn"),
]


@pytest.mark.parametrize(("found", "rank", "losses", "told"), WORDS, ids=[words[-1][:20] for words in WORDS])
def test_the_verdict_is_on_what_was_foretold(found, rank, losses, told) -> None:
    verdict = judge_foresight(found, _health(rank), losses)
    assert told in verdict
    assert not verdict.startswith("collapsed")


def test_a_training_that_forecasts_is_judged_by_its_forecasts() -> None:
    data = toy_videos(32, frames=5)
    modality = make_modality("video", data.settings)
    torch.manual_seed(0)
    method = METHODS["forecast"](METHODS["forecast"].default_backbone(modality), modality)
    trained = train(method, data, Schedule(epochs=8, batch_size=8, precision="no", learning_rate=2e-3))
    last = trained.history[-1]
    assert last["error"] < 0.9 * last["naive_error"]
    share = f"{last['error'] / last['naive_error']:.0%}"
    assert f"what comes next is guessed with {share} of the error of repeating the last frame" in trained.verdict
