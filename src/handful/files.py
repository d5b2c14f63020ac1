"""The one way in which files are written: whole under their final name, or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from handful.errors import WriteError

try:
    import fcntl
except ImportError:  # not on Windows: there a temporary file of a killed process stays until someone deletes it
    fcntl = None  # type: ignore[assignment]

TEMPORARY = ".handful.tmp"
_OF_WRITING = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO)
_swept: set[Path] = set()


@contextmanager
def written_whole(path: Path, needed_bytes: int = 0, *, durable: bool = True) -> Iterator[IO[bytes]]:
    """Give a file to write that becomes `path` once the block ends without an error; until then `path` stays as it was.

    The file lies beside `path` under a name of its own (`file.name`) and is held by this process: what a killed one
    left behind is found by that and removed.
    needed_bytes: what must be free before anything is written.
    durable: wait until it is on the disk, so that a loss of power cannot leave it hollow; not needed where what is read
        back proves itself whole.
    Raises WriteError where the disk is full, read-only or not ours to write.
    """
    folder = path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if folder not in _swept:
            sweep(folder)
            _swept.add(folder)
        free = shutil.disk_usage(folder).free
        if free < needed_bytes:
            raise OSError(errno.ENOSPC, f"{needed_bytes / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free")
        file = _open_temporary(path)
    except OSError as error:
        raise WriteError(path, error) from None
    try:
        with writes_to(path), file:
            yield file
            file.flush()
            if durable:
                settle(file)
            if fcntl is None:
                file.close()
            try:
                os.replace(file.name, path)  # while the file is held
            except OSError as error:
                raise WriteError(path, error) from None
        if durable:
            _sync(folder)
    finally:
        Path(file.name).unlink(missing_ok=True)


@contextmanager
def writes_to(path: Path) -> Iterator[None]:
    """Tell in one sentence, as WriteError, that the disk under `path` does not take what is written."""
    try:
        yield
    except OSError as error:
        if error.errno in _OF_WRITING and not isinstance(error, WriteError):
            raise WriteError(path, error) from None
        raise


def settle(file: IO[bytes]) -> None:
    """Wait until what was written to `file` is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def write_array(file: IO[bytes], array: np.ndarray) -> None:
    """Write an array as .npy; numpy's own way to a real file does not say why the disk took no more."""
    np.lib.format.write_array(cast(IO[bytes], _Plain(file)), np.asanyarray(array), allow_pickle=False)


def sweep(folder: Path) -> None:
    """Remove the temporary files in `folder` that killed processes left behind."""
    for left in folder.glob(f".*{TEMPORARY}") if fcntl is not None else ():
        with suppress(OSError), left.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises where its writer lives
            left.unlink()


class _Plain:
    """A file as numpy sees one that is not on a disk."""

    def __init__(self, file: Any) -> None:
        self.write = file.write


def _open_temporary(path: Path) -> IO[bytes]:
    name = path.name if len(os.fsencode(path.name)) < 200 else "long"  # 255 bytes is all that file systems take
    while True:
        temporary = path.with_name(f".{name}.{secrets.token_hex(4)}{TEMPORARY}")
        file = temporary.open("x+b")
        if fcntl is None:
            return file
        with suppress(OSError):  # a file system without locks: nothing is swept there
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()  # swept between its making and its locking


def _sync(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can tell."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
