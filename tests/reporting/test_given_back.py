"""The report on a training that gives pictures back."""

from __future__ import annotations

import pytest
from toy import toy_images

import handful
from handful.reporting.given_back import show_given_back


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
