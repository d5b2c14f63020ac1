"""The report on a training that guesses frames."""

from __future__ import annotations

from toy import toy_videos

import handful
from handful.reporting.next_frames import show_next_frames


def test_true_frames_are_shown_beside_guessed_ones_in_the_report(tmp_path) -> None:
    data = toy_videos(24, frames=4)
    labels = ["right" if row % 2 == 0 else "down" for row in range(4)] + [None] * 20
    run = handful.label(data, labels, out=tmp_path / "run", method="forecast", epochs=1, n_neighbors=5)
    page = handful.report(run, data=data).read_text()
    assert "The last frames of clips, guessed from those before" in page
    assert page.count("frames: true, guessed, difference") == 3
    assert "data:image/webp" in page


def test_an_encoder_that_guesses_no_frames_shows_none() -> None:
    data = toy_videos(8)
    assert show_next_frames(handful.pretrain(data, "pca"), data) == ""
