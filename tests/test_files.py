"""Writing whole: what a reader finds under a name is what was written to its end, whatever happened."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from handful.errors import WriteError
from handful.files import TEMPORARY, sweep, write_array, written_whole

WRITER = """
import sys, time
from pathlib import Path
from handful.files import written_whole
with written_whole(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    print("writing", flush=True)
    time.sleep(60)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_error_leaves_the_earlier_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"before")
    with pytest.raises(ZeroDivisionError), written_whole(path) as file:
        file.write(bytes(1 // len(b"")))
    assert path.read_bytes() == b"before"
    assert names(tmp_path) == ["x"]


def test_what_a_killed_writer_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "x")], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    with writer, writer.stdout:
        writer.stdout.readline()
        sweep(tmp_path)
        assert len(names(tmp_path)) == 1
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    assert names(tmp_path)[0].endswith(TEMPORARY)
    with written_whole(tmp_path / "y") as file:
        file.write(b"whole")
    assert names(tmp_path) == ["y"]


def test_a_file_of_someone_else_is_not_swept(tmp_path: Path) -> None:
    (tmp_path / ".draft.tmp").write_text("mine")
    sweep(tmp_path)
    assert names(tmp_path) == [".draft.tmp"]


def test_a_name_as_long_as_can_be_is_written(tmp_path: Path) -> None:
    with written_whole(tmp_path / ("é" * 127)) as file:
        file.write(b"1")
    assert names(tmp_path) == ["é" * 127]


def test_more_than_fits_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match=r"GB are needed.*make room") as told, written_whole(tmp_path / "x", 10**18):
        pass
    assert told.value.errno == errno.ENOSPC
    assert names(tmp_path) == []


def test_a_path_that_is_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(WriteError, match="x cannot be written"), written_whole(tmp_path / "x"):
        pass
    assert names(tmp_path) == ["x"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no disk that is always full here")
def test_an_array_that_the_disk_does_not_take_says_why() -> None:
    with pytest.raises(OSError, match="No space left") as told, open("/dev/full", "wb", buffering=0) as file:
        write_array(file, np.zeros(1000))
    assert told.value.errno == errno.ENOSPC


def test_an_array_comes_back(tmp_path: Path) -> None:
    array = np.arange(24, dtype=np.float32).reshape(4, 6)
    for made in (array, array[:, ::2], np.asfortranarray(array)):
        with written_whole(tmp_path / "x.npy") as file:
            write_array(file, made)
        assert np.array_equal(np.load(tmp_path / "x.npy", allow_pickle=False), made)
