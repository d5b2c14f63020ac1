"""`handful forecast` on a video: frames are written, and how far off they are is said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from handful.cli import main
from handful.modalities.video_files import read_frames, write_video


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    """Return the exit code of the command line."""
    monkeypatch.setattr("sys.argv", ["handful", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def test_next_frames_are_written(tmp_path: Path, monkeypatch, capsys) -> None:
    frames = np.full((30, 3, 16, 16), 40, np.uint8)
    for step in range(30):
        frames[step, :, :, step % 12 : step % 12 + 4] = 220
    (tmp_path / "v").mkdir()
    clip = write_video(frames, tmp_path / "v" / "bar.mp4")
    words = ("--method", "forecast", "--epochs", 1, "--size", 16, "--window", 6)
    assert run(monkeypatch, "pretrain", tmp_path / "v", "--out", tmp_path / "run", *words) == 0
    assert run(monkeypatch, "forecast", tmp_path / "run", clip, "--steps", 3, "--out", tmp_path / "next.mp4") == 0
    told = capsys.readouterr()
    assert "copying the frame before them" in told.err
    assert (tmp_path / "next.mp4").stat().st_size > 0
    assert (tmp_path / "next-error.mp4").stat().st_size > 0
    words = ("--steps", 9, "--json", "--out", tmp_path / "far.gif")
    assert run(monkeypatch, "forecast", tmp_path / "run", clip, *words) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (Path(answer["frames"]).name, Path(answer["error"]).name) == ("far.gif", "far-error.gif")
    assert answer["squared_error"] > 0
    assert sum(1 for _ in read_frames(tmp_path / "far.gif", size=16, channels=3)) == 9
    assert sum(1 for _ in read_frames(tmp_path / "far-error.gif", size=16, channels=3)) == 9
    assert run(monkeypatch, "forecast", tmp_path / "run", clip, "--out", tmp_path / "next.txt") == 2
    assert capsys.readouterr().err.startswith("handful: next.txt does not say its format")
    short = write_video(frames[:4], tmp_path / "short.mp4")
    assert run(monkeypatch, "forecast", tmp_path / "run", short, "--out", tmp_path / "next.mp4") == 2
    assert "short.mp4 has 4 frames, 6 are needed for a clip" in capsys.readouterr().err
    assert run(monkeypatch, "forecast", tmp_path / "run", clip) == 2
    assert "--out next.mp4" in capsys.readouterr().err
