"""A disk that is full or read-only at any one write: one sentence, nothing half-written, the earlier result intact."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import label_in, results

from handful import cli, files
from handful.errors import InputError, WriteError
from handful.reviewing.exporting import export_run
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


@pytest.mark.parametrize(("form", "name"), [("jsonl", "labels.jsonl"), ("folders", "folders")])
def test_a_full_disk_leaves_the_earlier_export(place: Path, break_at: Any, form: str, name: str) -> None:
    run = open_run(place / "run")
    export_run(run, form)
    wanted = results(place / "run")
    writes = break_at(10**6, place / "run")
    export_run(run, form)
    assert len(writes) == 1
    break_at(0, place / "run")
    with pytest.raises(WriteError, match=r"cannot be written \(No space left on device\)"):
        export_run(run, form)
    assert results(place / "run") == wanted
    assert [path.name for path in (place / "run" / "export").iterdir()] == [name]


def test_links_that_the_disk_refuses_are_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "symlink_to", refuse)
    with pytest.raises(WriteError, match=r"cannot be written \(No space left on device\)"):
        export_run(open_run(place / "run"), "folders")
    assert not list((place / "run" / "export").iterdir())


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounting a small disk needs root on Linux")
def test_disks_of_any_size_take_a_run_or_say_why_not(place: Path) -> None:
    wanted, disk = results(place / "run"), place / "disk"
    disk.mkdir()
    told = [labelled_on(disk, size, place, wanted) for size in (4, 8, 16, 24, 32, 44, 400)]
    assert 3 <= len([words for words in told if words]) <= 6
    assert all("cannot be written (No space left on device): make room" in words for words in told if words)


def labelled_on(disk: Path, size: int, place: Path, wanted: dict[str, str]) -> str:
    """Label anew on a disk of `size` KB; return what was said, "" where it ended as wanted."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(disk)], check=False)
    if mounted.returncode:
        pytest.skip("mounting is refused here")
    try:
        label_in(place, disk / "run")()
        return "" if results(disk / "run") == wanted else "another result"
    except WriteError as error:
        return "a temporary file was left" if list(disk.rglob(f"*{files.TEMPORARY}")) else str(error)
    finally:
        subprocess.run(["umount", str(disk)], check=True)
