"""The first reading of every item: digests, headers, extremes; remembered for files that have not changed since."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from handful.data.arrays import is_whole_map, row_blocks
from handful.data.digests import DIGITS, digest_content, digest_file, digest_rows, fingerprint
from handful.data.items import FileItems, Items, Progress, Undecodable, load
from handful.data.memory import file_marks, keep, recall, settled
from handful.data.pool import map_blocks
from handful.errors import InputError

FORMAT = 2
"""Raised whenever a digest or a probe changes what it gives, so that what older versions kept is left alone."""
Probe = Callable[[Any], tuple[int, ...]]
Look = Callable[[Any], tuple[str, tuple[int, ...] | str]]
"""From an item to its digest and what the probe found, or to "" and why it is refused."""


@dataclass(frozen=True)
class Scan:
    """What the first reading found.

    digests: [N] strings, "" where the item is refused.
    found: [N, F] int64, what the probe found in each item's header.
    refused: row -> reason.
    """

    digests: np.ndarray
    found: np.ndarray
    refused: Mapping[int, str]


def scan_items(
    items: Items,
    n_items: int,
    probe: Probe,
    *,
    n_found: int,
    cache: Path,
    progress: Progress | None = None,
    by_piece: bool = False,
) -> Scan:
    """Return digests and headers of all items, each read once at most and none decoded.

    probe: returns `n_found` whole numbers from an item's header, or raises Undecodable. by_piece: files are not read
    whole; the probe is given their paths.
    """
    look = _look_by_piece if by_piece else _look
    blank = Scan(np.full(n_items, "", f"U{DIGITS}"), np.zeros((n_items, n_found), np.int64), {})
    if not isinstance(items, FileItems):
        return _scan_rows(items, np.arange(n_items), partial(look, probe=probe), blank, progress)
    place = cache / "scans" / f"{_scan_name(items, probe)}.npz"
    started, marks = time.time_ns(), file_marks(items.root, items.paths)
    known, rows = _recall_scan(place, items.paths, marks, blank)
    if len(rows) == 0:
        return known
    seen = _scan_rows(items, rows, partial(look, probe=probe), known, progress)
    worth = np.flatnonzero((seen.digests != "") & settled(marks, started))
    paths = np.array([os.fsencode(items.paths[row]) for row in worth.tolist()])
    if len(worth):
        keep(place, {"paths": paths, "marks": marks[worth], "digests": seen.digests[worth], "found": seen.found[worth]})
    return seen


def _scan_name(items: FileItems, probe: Probe) -> str:
    return fingerprint({"format": FORMAT, "root": os.path.abspath(items.root), "probe": probe.__name__})


def _recall_scan(place: Path, paths: Sequence[str], marks: np.ndarray, blank: Scan) -> tuple[Scan, np.ndarray]:
    """Return what is known of unchanged files, and the rows [M] of all others."""
    kept = recall(place, ("paths", "marks", "digests", "found"))
    if kept is None or kept["found"].shape[1:] != blank.found.shape[1:]:
        return blank, np.arange(len(paths))
    index = {path: row for row, path in enumerate(kept["paths"].tolist())}
    at = np.array([index.get(os.fsencode(path), -1) for path in paths])
    same = (at >= 0) & (kept["marks"][at] == marks).all(axis=1)
    digests = np.where(same, kept["digests"][at], "")
    found = np.where(same[:, None], kept["found"][at], 0)
    return Scan(digests, found, {}), np.flatnonzero(~same)


def _scan_rows(items: Items, rows: np.ndarray, look: Look, known: Scan, progress: Progress | None) -> Scan:
    """Return `known` with `rows` filled in."""

    def look_at(block: list[Any]) -> list[tuple[str, tuple[int, ...] | str]]:
        return [look(item) for item in block]

    digests, found, refused, done = known.digests.copy(), known.found.copy(), {}, 0
    for block in map_blocks(look_at, items.blocks(rows)):
        for row, (mark, answer) in zip(rows[done : done + len(block)].tolist(), block, strict=True):
            if isinstance(answer, str):
                refused[row] = answer
            else:
                digests[row], found[row] = mark, answer
        done += len(block)
        if progress is not None:
            progress("reading", len(digests) - len(rows) + done, len(digests))
    return replace(known, digests=digests, found=found, refused=refused)


def _look_by_piece(item: Any, probe: Probe) -> tuple[str, tuple[int, ...] | str]:
    """As `_look`, of a file piece by piece: it may be larger than the memory."""
    if not isinstance(item, Path):
        return _look(item, probe)
    try:
        found = probe(item)
        return digest_file(item), found
    except Undecodable as reason:
        return "", str(reason)
    except OSError as error:
        return "", f"cannot be read: {error.strerror or error}"


def _look(item: Any, probe: Probe) -> tuple[str, tuple[int, ...] | str]:
    try:
        content = load(item)
        return digest_content(content), probe(content)
    except Undecodable as reason:
        return "", str(reason)


@dataclass(frozen=True)
class ArrayScan:
    """What one pass over an array found: the digest of each row [N], as bytes; the smallest and the largest value."""

    digests: np.ndarray
    low: float
    high: float


def scan_array(array: np.ndarray, name: str, *, cache: Path, progress: Progress | None = None) -> ArrayScan:
    """Return digests and extremes of the rows of `array` [N, ...], read by blocks, or as remembered of its file.

    Raises InputError that names the first row with a value that is not finite.
    """
    place = _array_place(array, cache)
    kept = recall(place, ("digests", "low", "high")) if place is not None else None
    if kept is not None:
        return ArrayScan(kept["digests"], float(kept["low"]), float(kept["high"]))
    found = _scan_blocks(array, name, progress)
    if place is not None:
        keep(place, {"digests": found.digests, "low": np.array(found.low), "high": np.array(found.high)})
    return found


def _array_place(array: np.ndarray, cache: Path) -> Path | None:
    """Return where the scan of an array is kept, None where its content is not that of a file at rest."""
    if not (isinstance(array, np.memmap) and is_whole_map(array)):
        return None
    marks = file_marks(Path(), [str(array.filename)])
    if not settled(marks, time.time_ns()).all():
        return None
    layout = [array.offset, list(array.shape), array.dtype.str]
    return (
        cache / "scans" / f"{fingerprint([FORMAT, os.path.abspath(str(array.filename)), marks.tolist(), layout])}.npz"
    )


def _scan_blocks(array: np.ndarray, name: str, progress: Progress | None) -> ArrayScan:
    digests = np.empty(len(array), f"S{DIGITS}")
    low, high, done = np.inf, -np.inf, 0
    for marks, block_low, block_high, bad in map_blocks(_scan_block, row_blocks(array)):
        if bad is not None:
            raise InputError(
                f"{name} row {bad} holds NaN or infinity: mend or leave out that row, values must be finite."
            )
        digests[done : done + len(marks)] = marks
        done += len(marks)
        low, high = min(low, block_low), max(high, block_high)
        if progress is not None:
            progress("reading", done, len(array))
    return ArrayScan(digests, low, high)


def _scan_block(numbered: tuple[int, np.ndarray]) -> tuple[list[str], float, float, int | None]:
    """Return digests, extremes and the first row that is not finite of one block and the number of its first row."""
    start, block = numbered
    low, high = float(block.min()), float(block.max())  # NaN and infinity come through
    if not np.isfinite([low, high]).all():
        finite = np.isfinite(block).reshape(len(block), -1).all(axis=1)
        return [], low, high, start + int(np.argmin(finite))
    return digest_rows(block), low, high, None
