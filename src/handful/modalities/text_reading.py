"""Reading texts: decoded, without markup and blank ones, packed as UTF-8 in one array."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from handful.data.cache import written_whole
from handful.data.dataset import Decoded
from handful.data.digests import fingerprint
from handful.data.items import Content, FileItems, Items, Progress, load
from handful.data.pool import map_blocks
from handful.data.scan import Scan, scan_items
from handful.data.sources import Source
from handful.errors import InputError, check_choice
from handful.modalities.text_files import ENCODINGS, MARKUP, check_encoding, decode_text
from handful.modalities.text_tables import TextItems

FORMAT = 1
"""Raised whenever cleaning changes what it gives, so that older packed texts are left alone."""
_NUMBER = re.compile(r"[+-]?\d[\d,. ]*(?:[eE][+-]?\d+)?%?")


class Texts:
    """N texts, read by rows: one row gives a string, several a list of strings.

    packed: uint8, their UTF-8 one after the other, in memory or memory-mapped. ends: [N] where each ends.
    """

    def __init__(self, packed: np.ndarray, ends: np.ndarray) -> None:
        self._packed, self._ends = packed, ends
        self._starts = np.concatenate([[0], ends[:-1]])

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, rows: Any) -> Any:
        if isinstance(rows, int | np.integer):
            row = range(len(self))[rows]
            return self._packed[self._starts[row] : self._ends[row]].tobytes().decode()
        return [self[int(row)] for row in np.arange(len(self))[rows]]

    def lengths(self, rows: np.ndarray) -> np.ndarray:
        """Return the lengths of the texts of `rows` in bytes."""
        return self._ends[rows] - self._starts[rows]


@dataclass(frozen=True)
class TextSettings:
    """How texts are read.

    encoding: of files and bytes; None finds it for each. markup: "strip" leaves of HTML what a browser shows, "keep"
    leaves it as it is.
    """

    encoding: str | None = None
    markup: str = "strip"

    def __post_init__(self) -> None:
        check_choice("markup", self.markup, MARKUP)
        check_encoding(self.encoding)


def read_texts(
    source: Source, *, cache: Path, progress: Progress | None = None, size: int | None = None, **settings: Any
) -> Decoded:
    """Return the texts of a source, read as `TextSettings` says.

    Raises InputError where none can be read, all are the same, or all are numbers.
    """
    if size is not None:
        raise InputError(f"size={size!r} is a setting of images: leave it out for texts.")
    assert source.items is not None
    wish = TextSettings(**settings)
    probe = _make_probe(wish, in_memory=isinstance(source.items, TextItems))
    seen = scan_items(source.items, len(source.ids), probe, n_found=3, cache=cache, progress=progress)
    rows = np.flatnonzero(seen.digests != "")
    _check_usable(source, seen, rows)
    samples = _pack(source.items, rows, seen, wish, cache)
    return Decoded(samples, rows, seen.digests[rows], _describe(source.items, seen, rows, wish), seen.refused)


def _make_probe(wish: TextSettings, *, in_memory: bool) -> Callable[[Content], tuple[int, ...]]:
    """Return what finds in a text its length as UTF-8 in bytes, its encoding, and whether it is a number."""

    def probe(content: Content) -> tuple[int, ...]:
        text, encoding = _decode(content, wish, in_memory)
        code = ENCODINGS.index(encoding) if encoding in ENCODINGS else -1
        return len(text.encode()), code, int(len(text) < 40 and _NUMBER.fullmatch(text) is not None)

    probe.__name__ = f"text-{FORMAT}-{wish.encoding}-{wish.markup}"  # what a scan is kept under
    return probe


def _decode(content: Content, wish: TextSettings, in_memory: bool) -> tuple[str, str]:
    if not isinstance(content, bytes):
        content = np.asarray(content).tobytes()
    return decode_text(content, encoding="utf-8" if in_memory else wish.encoding, markup=wish.markup)


def _check_usable(source: Source, seen: Scan, rows: np.ndarray) -> None:
    if len(rows) == 0:
        row, reason = next(iter(seen.refused.items()))
        raise InputError(
            f"none of the {len(source.ids)} texts of {source.name} can be read: {source.ids[row]} {reason}."
        )
    if len(rows) > 1 and len(set(seen.digests[rows].tolist())) == 1:
        raise InputError(
            f"all {len(rows)} texts of {source.name} are the same: there is nothing to tell them apart by."
        )
    if len(rows) > 1 and seen.found[rows, 2].all():
        raise InputError(
            f"all {len(rows)} texts of {source.name} are numbers: choose the column of texts with column='NAME', "
            "or read the numbers as a table."
        )


def _pack(items: Items, rows: np.ndarray, seen: Scan, wish: TextSettings, cache: Path) -> Texts:
    """Return the texts of `rows`: of files packed once into the cache, of what is in memory already in memory."""
    ends = np.cumsum(seen.found[rows, 0])
    in_memory = isinstance(items, TextItems)
    pieces = _encoded(items, rows, wish, in_memory)
    if not isinstance(items, FileItems):
        return Texts(np.frombuffer(b"".join(pieces), np.uint8), ends)
    kind = fingerprint({"modality": "text", "format": FORMAT, "encoding": wish.encoding, "markup": wish.markup})
    path = cache / "decoded" / kind / f"{fingerprint({}, seen.digests[rows])}.utf8"
    if not (path.is_file() and path.stat().st_size == ends[-1]):
        with written_whole(path, int(ends[-1])) as file:
            written = sum(file.write(piece) for piece in pieces)
        if written != ends[-1]:
            path.unlink()
            raise InputError("a text changed while it was read: read again once the files are at rest.")
    return Texts(np.memmap(path, np.uint8, "r"), ends)


def _encoded(items: Items, rows: np.ndarray, wish: TextSettings, in_memory: bool) -> Iterator[bytes]:
    def work(block: Sequence[Any]) -> list[bytes]:
        return [_decode(load(item), wish, in_memory)[0].encode() for item in block]

    for block in map_blocks(work, items.blocks(rows)):
        yield from block


def _describe(items: Items, seen: Scan, rows: np.ndarray, wish: TextSettings) -> Mapping[str, Any]:
    """Return how the texts were read, and how many were in which encoding."""
    if isinstance(items, TextItems):
        found = {items.encoding or "utf-8": len(rows)}
    else:
        counts = Counter(seen.found[rows, 1].tolist())
        found = {ENCODINGS[code] if code >= 0 else str(wish.encoding): count for code, count in counts.most_common()}
    return {"markup": wish.markup, "encodings": found}
