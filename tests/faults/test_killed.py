"""A command that is killed while it changes a file goes on when it is given again, and ends with the same bits."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest
from conftest import label_in, results
from killing import count_changes, kill_at_change, run_child

from handful.files import TEMPORARY
from handful.run import open_run


def label_command(place: Path) -> list[str]:
    inputs = [str(place / "pictures"), "--labels", str(place / "labels.csv"), "--out", str(place / "run")]
    return ["label", *inputs, "--method", "pca", "--n-neighbors", "4"]


def test_a_run_killed_again_and_again_ends_as_one_that_was_not(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDFUL_CACHE", str(place / "cache"))
    wanted, said, told = results(place / "run"), place / "said", place / "changes"
    for folder in ("run", "cache"):
        shutil.rmtree(place / folder)
    command = label_command(place)
    assert run_child(command, said=said, prepare=lambda: count_changes(told)) == 0, said.read_text()
    assert results(place / "run") == wanted
    for folder in ("run", "cache"):
        shutil.rmtree(place / folder)
    ended = []
    for at in range(2, int(told.read_text()), 19):  # each goes on from where the one before was killed
        ended.append(run_child(command, said=said, prepare=lambda at=at: kill_at_change(at, late=at % 2 == 0)))
    assert ended.count(-signal.SIGKILL) >= 3
    assert run_child(command, said=said, prepare=lambda: None) == 0, said.read_text()
    assert results(place / "run") == wanted
    assert not list(place.rglob(f"*{TEMPORARY}"))
    assert not list(place.rglob("embedding.part*"))


def test_a_training_killed_between_its_files_is_finished(place: Path) -> None:
    wanted, run = results(place / "run"), open_run(place / "run")
    run.disown(run.made_by("pretrain"))
    (place / "run" / "health.json").unlink()
    label_in(place)()
    assert results(place / "run") == wanted
