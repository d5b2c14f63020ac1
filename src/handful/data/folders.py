"""Paths as people give them, and walking a folder."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from handful.errors import InputError, quoted


def as_path(given: str | os.PathLike[str]) -> Path:
    """Return a path with ~ opened. Raises InputError where nothing can lie there, such as a name of 5,000 letters."""
    try:
        path = Path(given).expanduser()
        path.exists()
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error).rstrip(".")
        raise InputError(f"{quoted(os.fspath(given))} does not exist: {reason}.") from None
    return path


def walk(root: Path) -> Iterator[Path]:
    """Yield the files below `root`, at any depth and through links, each folder once; hidden ones are skipped.

    A link that leads nowhere is yielded too: that it cannot be read should be said, not passed over.
    Raises InputError where a folder cannot be opened.
    """
    seen: set[tuple[int, int]] = set()
    real, linked = deque([root]), deque[Path]()  # a folder counts where it lies, so links to folders come last
    while real or linked:
        folder = real.popleft() if real else linked.popleft()
        if not _is_new(folder, seen):
            continue
        for entry in _entries(folder):
            if entry.is_symlink():  # asked by path: the entry of a link to itself raises
                if os.path.isdir(entry.path):
                    linked.append(Path(entry.path))
                elif os.path.isfile(entry.path) or not os.path.exists(entry.path):
                    yield Path(entry.path)
            elif entry.is_dir():
                real.append(Path(entry.path))
            elif entry.is_file():
                yield Path(entry.path)


def _is_new(folder: Path, seen: set[tuple[int, int]]) -> bool:
    status = folder.stat()
    mark = status.st_dev, status.st_ino
    if mark in seen:
        return False
    seen.add(mark)
    return True


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted((e for e in entries if not e.name.startswith(".")), key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"the folder {folder} cannot be read: {error.strerror}.") from None
