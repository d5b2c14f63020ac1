"""What an earlier scan found of files that have not changed since, kept in the cache."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from handful.data.cache import written_whole
from handful.errors import InputError

SETTLED_NS = 2_000_000_000
"""A file changed within so short a time before it was read may change again under the same time stamp."""


def file_marks(root: Path, paths: Sequence[str]) -> np.ndarray:
    """Return [N, 4] int64 that differ once a file has changed: size, inode, times of change; 0 where there is no file.

    The time of change of the inode cannot be set by a program, as the time of modification can.
    """
    marks = np.zeros((len(paths), 4), np.int64)
    for row, path in enumerate(paths):
        try:
            status = os.stat(os.path.join(root, path))  # a third of the time that Path takes to join
        except (OSError, ValueError):
            continue
        marks[row] = status.st_size, status.st_ino & 0x7FFF_FFFF_FFFF_FFFF, status.st_mtime_ns, status.st_ctime_ns
    return marks


def settled(marks: np.ndarray, since_ns: int) -> np.ndarray:
    """Return [N] bool, whether each file was last changed well before `since_ns`."""
    return (marks[:, 0] > 0) & (marks[:, 2:].max(axis=1) < since_ns - SETTLED_NS)


def recall(path: Path, names: Sequence[str]) -> Mapping[str, np.ndarray] | None:
    """Return the arrays `names` kept at `path`, or None where they are not there or cannot be read."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in names}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error):
        return None


def keep(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write `arrays` to `path` in one piece; where that is not possible nothing is remembered."""
    size = sum(array.nbytes for array in arrays.values())
    with suppress(InputError), written_whole(path, size, durable=False) as file:  # members carry checksums
        np.savez(file, allow_pickle=False, **arrays)
