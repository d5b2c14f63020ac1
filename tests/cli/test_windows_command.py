"""Commands on one long recording that is cut into windows."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from sounds import encoded_sound, tone

from handful.cli import main
from handful.modalities.video_files import write_video

DAYS = 30


def call(*words: object) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["handful", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
    return int(end.value.code or 0)


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sensor with a daily wave, noise, and one day on which it is stuck far too high."""
    hours = np.arange(24 * DAYS)
    values = np.sin(2 * np.pi * hours / 24) + np.random.default_rng(0).normal(0, 0.05, len(hours))
    values[24 * 20 : 24 * 21] = 3
    text = "time,load\n" + "".join(f"{hour},{value:.4f}\n" for hour, value in zip(hours, values, strict=True))
    (tmp_path / "sensor.csv").write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_day_on_which_a_sensor_is_stuck_is_found_and_drawn(recording: Path, capsys) -> None:
    cut = ("--modality", "series", "--window", 24, "--stride", 12)
    assert call("anomalies", "sensor.csv", "--out", "run", "--share", 0.02, *cut) == 0
    page = (recording / "run" / "anomalies.html").read_text()
    assert "<h2>Where</h2>" in page
    marked = re.findall(r'opacity=".25"><title>(\d+) to (\d+)', page)
    assert ("480", "504") in marked
    assert len(marked) <= 2
    capsys.readouterr()
    assert call("anomalies", "sensor.csv", "--run", "run", "--out", "again.csv") == 0
    rows = list(csv.DictReader(io.StringIO((recording / "again.csv").read_text())))
    odd = {row["id"] for row in rows if row["odd"] == "true"}
    assert odd
    assert odd <= {"0[468:492]", "0[480:504]", "0[492:516]"}  # the windows that hold some of that day


def test_what_comes_after_a_recording_is_told_once(recording: Path, capsys) -> None:
    cut = ("--modality", "series", "--window", 96, "--stride", 20)
    assert call("pretrain", "sensor.csv", "--out", "run", "--method", "forecast", "--epochs", 0, *cut) == 0
    capsys.readouterr()
    assert call("forecast", "run", "--steps", 24) == 0
    told = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(told.out)))
    assert {row["id"] for row in rows} == {f"0[{24 * DAYS - 96}:{24 * DAYS}]"}
    wanted = np.sin(2 * np.pi * np.arange(24) / 24)
    assert np.abs([float(row["value"]) for row in rows] - wanted).mean() < 0.15
    assert "what comes after its last one" in told.err
    assert call("forecast", "run", "--steps", 2, "--source", "sensor.csv") == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_a_film_is_searched_at_the_size_that_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = np.full((60, 3, 24, 24), 40, np.uint8)
    for step in range(60):
        frames[step, :, :, step % 20 : step % 20 + 4] = 220
    frames[30:34] = 255 - frames[30:34]
    monkeypatch.chdir(tmp_path)
    write_video(frames, tmp_path / "film.mp4")
    cut = ("--size", 16, "--window", 4, "--stride", 2)
    assert call("anomalies", "film.mp4", "--out", "run", "--share", 0.05, *cut) == 0
    assert json.loads((tmp_path / "run" / "data.json").read_text())["settings"]["size"] == 16
    assert call("anomalies", "film.mp4", "--run", "run", "--out", "again.csv") == 0  # cut as it was
    first, again = (
        list(csv.DictReader((tmp_path / name).read_text().splitlines())) for name in ("run/anomalies.csv", "again.csv")
    )
    assert first == again
    assert {row["id"] for row in first if row["odd"] == "true"} <= {f"film.mp4[{at}:{at + 4}]" for at in (28, 30, 32)}


def test_a_long_sound_is_embedded_again_by_its_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    rising = np.concatenate([tone(300 + 100 * second, seconds=1) for second in range(6)])
    (tmp_path / "long.wav").write_bytes(encoded_sound(rising))
    monkeypatch.chdir(tmp_path)
    assert call("pretrain", "long.wav", "--window", 1, "--method", "mfcc", "--out", "run") == 0
    assert call("embed", "run") == 0
    assert call("similar", "run", "long.wav[0:1]", "-n", 2) == 0
    assert capsys.readouterr().out.count("long.wav[") == 2
