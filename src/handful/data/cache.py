"""The cache folder: whole files only. It may be deleted at any time: what is missing is made again."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from handful.errors import InputError, WriteError
from handful.files import written_whole as _written_whole

MOST_UNPACKED = 1 << 30
"""Bytes that are unpacked without asking how small they were before."""
MOST_TIMES = 200
"""As much as larger files may grow: images of MNIST's kind grow 5 times, deflate reaches 1,030 times."""


def cache_folder(cache: str | os.PathLike[str] | None = None) -> Path:
    """Return `cache`, else the folder that HANDFUL_CACHE names, else ~/.cache/handful."""
    chosen = cache or os.environ.get("HANDFUL_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "handful"


@contextmanager
def written_whole(path: Path, needed_bytes: int = 0, *, durable: bool = True) -> Iterator[IO[bytes]]:
    """Give a file of the cache to write, as `handful.files.written_whole` does.

    Raises InputError where the folder cannot be written or has less than `needed_bytes` free: give another one.
    """
    try:
        with _written_whole(path, needed_bytes, durable=durable) as file:
            yield file
    except WriteError as error:
        raise InputError(
            f"the cache folder {path.parent} cannot be written ({error.strerror}): "
            "set HANDFUL_CACHE, or cache=, to a folder that can and has space."
        ) from None


def unpacked(cache: Path, name: str, size: int, pieces: Iterable[bytes], *, packed: int, source: str) -> Path:
    """Return the file in the cache that holds `pieces`, `size` bytes, written only if it is not there yet.

    packed: how many bytes they are unpacked from, in the file `source`.
    Raises InputError where a small file unpacks to one that fills a disk, as some are made to.
    """
    if size > MOST_UNPACKED and size > MOST_TIMES * packed:
        raise InputError(
            f"{source} unpacks from {packed / 1e6:.1f} MB to {size / 1e9:.1f} GB, more than {MOST_TIMES} times as "
            "much, as files that are made to fill a disk do: unpack it yourself if you trust it."
        )
    path = cache / "unpacked" / name
    if not path.exists() or path.stat().st_size != size:
        with written_whole(path, size) as file:
            file.writelines(pieces)
    return path
