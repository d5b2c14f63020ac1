"""The cache folder: whole files only, each written under a temporary name and then renamed.

It may be deleted at any time: what is missing is made again.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from handful.errors import InputError

_NO_SPACE = (errno.ENOSPC, errno.EROFS, errno.EDQUOT)


def cache_folder(cache: str | os.PathLike[str] | None = None) -> Path:
    """Return `cache`, else the folder that HANDFUL_CACHE names, else ~/.cache/handful."""
    chosen = cache or os.environ.get("HANDFUL_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "handful"


@contextmanager
def written_whole(path: Path, needed_bytes: int = 0, *, durable: bool = True) -> Iterator[IO[bytes]]:
    """Give a file to write that appears as `path` once the block ends without an error, and never in part.

    durable: wait until it is on the disk, so that a loss of power cannot leave it hollow; not needed where what is read
        back proves itself whole.
    Raises InputError where the folder cannot be written or has less than `needed_bytes` free.
    """
    temporary = path.with_name(f"{path.name}.{_owner()}-{threading.get_ident()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path.parent)
        free = shutil.disk_usage(path.parent).free
        if free < needed_bytes:
            raise OSError(errno.ENOSPC, f"{needed_bytes / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free")
        file = temporary.open("wb")
    except OSError as error:
        raise _cannot_write(path.parent, error) from None
    try:
        with file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise _cannot_write(path.parent, error) from None
        raise
    finally:
        temporary.unlink(missing_ok=True)


def unpacked(cache: Path, name: str, size: int, pieces: Iterable[bytes]) -> Path:
    """Return the file in the cache that holds `pieces`, `size` bytes, written only if it is not there yet."""
    path = cache / "unpacked" / name
    if not path.exists() or path.stat().st_size != size:
        with written_whole(path, size) as file:
            file.writelines(pieces)
    return path


def _cannot_write(folder: Path, error: OSError) -> InputError:
    return InputError(
        f"the cache folder {folder} cannot be written ({error.strerror}): "
        "set HANDFUL_CACHE, or cache=, to a folder that can and has space."
    )


def _owner() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"


def _remove_abandoned(folder: Path) -> None:
    """Remove the temporary files that processes of this machine left behind when they were killed."""
    for left in folder.glob(f"*.{socket.gethostname()}-*.tmp"):
        pid = left.stem.split("-")[-2]
        if pid.isdigit() and not _is_running(int(pid)):
            left.unlink(missing_ok=True)


def _is_running(pid: int) -> bool:
    if os.name != "posix":  # elsewhere signal 0 is more than a question
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
