"""Encoded items that are read in order, a few at a time."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from handful.data.arrays import row_blocks
from handful.data.tables import ParquetTable

BLOCK_ITEMS = 64
BLOCK_BYTES = 8 << 20
MOST_BYTES = 4 << 30
"""Of one item, which is held in memory: 6 hours of sound as it is on a CD."""
Content = bytes | np.ndarray
Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many are done and of how many."""


class Undecodable(Exception):
    """One item that cannot be decoded, with the reason in words."""


class Items(Protocol):
    """Encoded items, read in order."""

    def blocks(self, rows: np.ndarray) -> Iterator[list[Any]]:
        """Yield the items of ascending `rows` [M], a few at a time, each fit for `load`."""
        ...


@dataclass(frozen=True)
class FileItems:
    """Items that are files below `root`; an empty path stands for an item that is missing."""

    root: Path
    paths: Sequence[str]

    def blocks(self, rows: np.ndarray) -> Iterator[list[Any]]:
        for start in range(0, len(rows), BLOCK_ITEMS):
            paths = (self.paths[row] for row in rows[start : start + BLOCK_ITEMS])
            yield [self.root / path if path else None for path in paths]


@dataclass(frozen=True)
class ListItems:
    """Items that are in memory already: contents, paths to them or calls that give them."""

    items: Sequence[Any]

    def blocks(self, rows: np.ndarray) -> Iterator[list[Any]]:
        for start in range(0, len(rows), BLOCK_ITEMS):
            yield [self.items[row] for row in rows[start : start + BLOCK_ITEMS]]


@dataclass(frozen=True)
class ArrayItems:
    """Items that are the rows of one array [N, ...], each block of them passed through `convert`."""

    array: np.ndarray
    convert: Callable[[np.ndarray], np.ndarray]

    def blocks(self, rows: np.ndarray) -> Iterator[list[Any]]:
        for start, block in row_blocks(self.array, BLOCK_BYTES):
            low, high = np.searchsorted(rows, [start, start + len(block)])
            if high > low:
                yield list(self.convert(block[rows[low:high] - start]))


@dataclass(frozen=True)
class ParquetItems:
    """Items that are the cells of a column of bytes, or of Hugging Face's structs {bytes, path}."""

    table: ParquetTable
    column: str
    root: Path

    def blocks(self, rows: np.ndarray) -> Iterator[list[Any]]:
        first = 0
        for cells in self.table.stream(self.column, BLOCK_BYTES, BLOCK_ITEMS):
            low, high = np.searchsorted(rows, [first, first + len(cells)])
            if high > low:
                yield [cell_content(cells[row - first], self.root) for row in rows[low:high]]
            first += len(cells)


def cell_content(cell: Any, root: Path) -> Any:
    """Return what `load` takes for a cell of bytes, of a path, or of a struct {bytes, path}."""
    if not isinstance(cell, dict):
        return root / cell if isinstance(cell, str) and cell else cell
    if cell.get("bytes") is not None:
        return cell["bytes"]
    return root / cell["path"] if cell.get("path") else None


def _read(path: Path) -> bytes:
    """Return the bytes of a file. A device or a pipe, which a path in a table can name, has no end, or no beginning."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise Undecodable(
            "is a folder" if stat.S_ISDIR(status.st_mode) else "is no file: a device or a pipe is not read"
        )
    if status.st_size > MOST_BYTES:
        raise Undecodable(f"has {status.st_size / 1e9:.1f} GB, more than {MOST_BYTES / 1e9:.1f} GB: cut it into items")
    return path.read_bytes()


def load(item: Any) -> Content:
    """Return the content of an item: the bytes of a path, what a call gives, anything else as it is.

    Raises Undecodable where there is none.
    """
    if isinstance(item, str | Path):
        try:
            item = _read(Path(item))
        except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path
            raise Undecodable(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if callable(item):
        item = item()
    if isinstance(item, bytes | bytearray | memoryview):
        if not len(item):
            raise Undecodable("is empty (0 bytes)")
        return bytes(item)
    if item is None:
        raise Undecodable("is missing: neither a path nor content is given")
    if not isinstance(item, np.ndarray):
        raise Undecodable(f"is of type {type(item).__name__}, neither bytes nor a path nor an array")
    return item
