"""What an earlier scan found of files that have not changed since, kept in the cache."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from handful.data.cache import written_whole

SETTLED_NS = 2_000_000_000
"""A file changed within so short a time before it was read may change again under the same time stamp."""


def file_marks(root: Path, paths: Sequence[str]) -> np.ndarray:
    """Return [N, 4] int64 that differ once a file has changed: size, inode, times of change; 0 where there is no file.

    The time of change of the inode cannot be set by a program, as the time of modification can.
    """
    marks = np.zeros((len(paths), 4), np.int64)
    for row, path in enumerate(paths):
        try:
            status = os.stat(root / path)
        except (OSError, ValueError):
            continue
        marks[row] = status.st_size, status.st_ino & 0x7FFF_FFFF_FFFF_FFFF, status.st_mtime_ns, status.st_ctime_ns
    return marks


def settled(marks: np.ndarray, since_ns: int) -> np.ndarray:
    """Return [N] bool, whether each file was last changed well before `since_ns`."""
    return (marks[:, 0] > 0) & (marks[:, 2:].max(axis=1) < since_ns - SETTLED_NS)


def recall(path: Path) -> Mapping[str, np.ndarray] | None:
    """Return the arrays kept at `path`, or None where there are none that can be read."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, KeyError):
        return None


def keep(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write `arrays` to `path` in one piece."""
    with written_whole(path, sum(array.nbytes for array in arrays.values())) as file:
        np.savez(file, allow_pickle=False, **arrays)
