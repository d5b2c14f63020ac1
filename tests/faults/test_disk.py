"""A disk that is full or read-only at any one write: one sentence, nothing half-written, the earlier result intact."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import label_in, results

from handful import cli, files
from handful.errors import InputError, WriteError
from handful.run import open_run


class Full:
    """A file on a disk that has room for `room` bytes more."""

    def __init__(self, file: Any, room: int, fault: int = errno.ENOSPC) -> None:
        self._file, self._room, self._fault = file, room, fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> Full:
        return self

    def __exit__(self, *told: Any) -> None:
        self._file.close()

    def write(self, content: Any) -> int:
        self._room -= memoryview(content).nbytes
        if self._room < 0:
            raise OSError(self._fault, os.strerror(self._fault))
        return int(self._file.write(content))


@pytest.fixture
def break_at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[int]]:
    """Let write number `at` from now on, below `within`, meet a disk with 20 bytes; return the writes' numbers."""
    whole = files._open_temporary

    def set_up(at: int, within: Path = Path("/"), fault: int = errno.ENOSPC) -> list[int]:
        made: list[int] = []

        def open_temporary(path: Path) -> Any:
            if within not in path.parents:
                return whole(path)
            made.append(len(made))
            return Full(whole(path), 20, fault) if len(made) - 1 == at else whole(path)

        monkeypatch.setattr(files, "_open_temporary", open_temporary)
        return made

    return set_up


def test_a_full_disk_at_any_write_leaves_the_earlier_result(place: Path, break_at: Any) -> None:
    label, wanted = label_in(place), results(place / "run")
    (place / "labels.csv").write_text("id,label\ndark00.png,night\nlight00.png,day\nlight03.png,day\n")
    writes = break_at(10**6, place / "run")
    label()
    count = len(writes)
    assert count >= 5
    changed = results(place / "run")
    (place / "labels.csv").write_text(
        "id,label\ndark00.png,dark\nlight00.png,light\ndark01.png,dark\nlight01.png,light\n"
    )
    label()
    assert results(place / "run") == wanted
    (place / "labels.csv").write_text("id,label\ndark00.png,night\nlight00.png,day\nlight03.png,day\n")
    for at in range(count):
        break_at(at, place / "run")
        with pytest.raises(WriteError, match=r"cannot be written \(No space left on device\): make room"):
            label()
        assert results(place / "run") == wanted
        assert set(open_run(place / "run").labels["label"].to_pylist()) == {"dark", "light"}
    break_at(10**6)
    label()
    assert results(place / "run") == changed


def test_a_full_disk_at_any_write_of_a_first_run_costs_nothing_but_time(
    place: Path, break_at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDFUL_CACHE", str(place.parent / "cache"))
    wanted = results(place / "run")
    told = [broken_off(place, break_at, at) for at in range(24)]
    assert sum(map(bool, told)) >= 10
    assert all("cannot be written (No space left on device)" in words for words in told if words)
    assert results(place / "run") == wanted


def broken_off(place: Path, break_at: Any, at: int) -> str:
    """Label anew on a disk that is full at write number `at`; return what was said, "" where there is none."""
    shutil.rmtree(place / "run", ignore_errors=True)
    shutil.rmtree(place.parent / "cache", ignore_errors=True)
    break_at(at)
    try:
        label_in(place)()
        return ""
    except (WriteError, InputError) as error:
        return str(error) if not list(place.parent.rglob(f"*{files.TEMPORARY}")) else "a temporary file was left"


def test_the_command_says_it_in_one_sentence_and_ends_with_one(
    place: Path, break_at: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = str(place / "labels.csv")
    command = ["handful", "propagate", str(place / "run"), "--labels", labels, "--n-neighbors", "4"]
    monkeypatch.setattr(sys, "argv", command)
    break_at(1, place / "run")
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr().err.splitlines()
    assert ended.value.code == 1
    assert "cannot be written (No space left on device)" in said[-1]
    assert not [line for line in said if "Traceback" in line]


@pytest.mark.parametrize("fault", [errno.EROFS, errno.EIO, errno.EDQUOT, errno.EFBIG])
def test_a_disk_that_takes_nothing_more_for_other_reasons(place: Path, break_at: Any, fault: int) -> None:
    wanted = results(place / "run")
    (place / "labels.csv").write_text("id,label\ndark00.png,night\nlight00.png,day\nlight03.png,day\n")
    for at in range(4):
        break_at(at, place / "run", fault)
        with pytest.raises(WriteError, match=rf"cannot be written \({os.strerror(fault)}\)"):
            label_in(place)()
        assert results(place / "run") == wanted
