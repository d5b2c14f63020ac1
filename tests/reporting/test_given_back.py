"""The report on a training that gives pictures back."""

from __future__ import annotations

import pytest
import torch
from toy import toy_images

import handful
from handful.reporting.given_back import drawn_like, show_given_back


def test_copies_and_made_up_pictures_are_shown_in_the_report_of_a_vae(tmp_path) -> None:
    data = toy_images(24)
    labels = ["upright" if row % 2 else "flat" for row in range(4)] + [None] * 20
    run = handful.label(data, labels, out=tmp_path / "run", method="vae", epochs=1, n_neighbors=5)
    page = handful.report(run, data=data).read_text()
    assert "what comes back from 32 numbers each" in page
    assert "Made up by the network from numbers drawn at random" in page
    assert page.count('class="frames"') == 2


@pytest.mark.parametrize(("method", "words"), [("autoencoder", "What comes back"), ("denoising", "Clean copies")])
def test_what_makes_nothing_up_shows_no_samples(method: str, words: str) -> None:
    data = toy_images(20)
    shown = show_given_back(handful.pretrain(data, method, epochs=1, batch_size=10, precision="no"), data)
    assert f"<h3>{words}</h3>" in shown
    assert "Samples" not in shown
    assert shown.count("<img") == 1


def test_an_encoder_that_gives_nothing_back_shows_nothing() -> None:
    data = toy_images(8)
    assert show_given_back(handful.pretrain(data, "pca"), data) == ""


def test_vectors_drawn_for_samples_have_the_mean_and_covariance_of_the_known_ones() -> None:
    generator = torch.Generator().manual_seed(0)
    known = torch.randn(50, 3, generator=generator) @ torch.tensor([[2.0, 1, 0], [0, 0.5, 0], [0, 0, 1]]) + 3
    drawn = drawn_like(known, 20_000, generator)
    torch.testing.assert_close(drawn.mean(0), known.mean(0), atol=0.05, rtol=0)
    torch.testing.assert_close(drawn.T.cov(), known.T.cov(correction=0), atol=0.1, rtol=0)
