"""Sounds like this one, of the run and from a new file, and reports that play them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sounds import encoded_sound, tone, write_sounds

import handful
from handful.cli import main


@pytest.fixture
def music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of low and high tones, in several formats."""
    write_sounds(tmp_path / "music", [f"{row:02}.{('wav', 'flac', 'ogg')[row % 3]}" for row in range(18)])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*words: object) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["handful", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
    return int(end.value.code or 0)


def test_a_new_song_finds_the_nearest_in_pitch(music: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (music / "new.ogg").write_bytes(encoded_sound(tone(302, seconds=0.6, rate=16_000), rate=16_000, kind="OGG"))
    assert call("pretrain", "music", "--out", "run", "--method", "untrained") == 0
    assert call("embed", "run") == 0
    capsys.readouterr()
    assert call("similar", "run", "new.ogg", "-n", 2) == 0
    first = capsys.readouterr().out.split()[0]
    assert first in ("00.wav", "01.flac")
    assert call("similar", "run", "05.ogg", "-n", 2) == 0
    assert {line.split("\t")[0] for line in capsys.readouterr().out.splitlines()} <= {
        "03.wav",
        "04.flac",
        "06.wav",
        "07.flac",
    }


def test_a_labelled_folder_of_sounds_gets_a_report_that_plays_them(music: Path) -> None:
    labels = {"00.wav": "low", "01.flac": "low", "16.flac": "high", "17.ogg": "high"}
    run = handful.label("music", labels, out="run", method="untrained", n_neighbors=4)
    page = handful.report(run).read_text()
    assert page.count("data:audio/wav;base64,") >= 10
    found = dict(zip(run.labels["id"].to_pylist(), run.labels["label"].to_pylist(), strict=True))
    assert (found["02.ogg"], found["15.wav"]) == ("low", "high")
    assert np.isfinite(run.embeddings.vectors).all()


def test_of_windows_songs_are_compared_with_songs_and_a_page_plays_the_moment(
    music: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (music / "new.ogg").write_bytes(encoded_sound(tone(302, seconds=0.6, rate=16_000), rate=16_000, kind="OGG"))
    cut = ("--window", 0.2, "--stride", 0.1)
    assert call("pretrain", "music", "--out", "run", "--method", "untrained", "--modality", "audio", *cut) == 0
    assert call("embed", "run") == 0
    capsys.readouterr()
    assert call("similar", "run", "new.ogg", "-n", 3, "--out", "pages/like.html") == 0
    assert capsys.readouterr().out.split()[0] in ("00.wav", "01.flac")
    page = (music / "pages" / "like.html").read_text()
    assert page.count("data:audio/wav;base64,") == 4  # the query and three songs
    assert "most alike from 0" in page
    assert "http" not in page
    found = handful.similar("run", "05.ogg", 2)
    assert found.query == "05.ogg"
    assert set(found.ids) <= {"03.wav", "04.flac", "06.wav", "07.flac"}
    window = handful.similar("run", "05.ogg[0.1:0.3]", 5)
    assert not {"05.ogg[0:0.2]", "05.ogg[0.2:0.4]"} & set(window.ids)  # they overlap it
