"""Samples decoded once into a memory-mapped array in the cache, keyed by their content.

`<cache>/decoded/<settings>/<content>.npy` holds uint8 [M, ...]; `<content>.npz` beside it is its index: the digest of
each row, and what could not be decoded. The index is written last, so a store is there when its index is. Contents that
share items with an earlier store of the same settings copy those rows and decode only what is new. A store that has
lain for an hour and whose items mostly stand in newer ones is deleted: a folder that changes every day would fill the
disk.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from handful.data.cache import written_whole
from handful.data.digests import fingerprint
from handful.data.items import Content, Items, Progress, Undecodable, load
from handful.data.memory import recall
from handful.data.pool import map_blocks

FORMAT = 1
"""Raised whenever decoding changes what it gives, so that older stores are left alone."""
COPY_ROWS = 1024
KEPT_SECONDS = 3600.0
"""A store so young is not deleted: a command that has just written it may not have opened it yet."""
_NEW, _FAILED = -1, -2


@dataclass(frozen=True)
class Store:
    """Decoded samples.

    samples: uint8 [M, ...], read-only, memory-mapped.
    digests: [M] strings, the digest of the content each row was decoded from.
    failed: digest -> reason, of contents that could not be decoded.
    """

    samples: np.ndarray
    digests: np.ndarray
    failed: Mapping[str, str]


def decode_into_store(
    items: Items,
    rows: np.ndarray,
    digests: np.ndarray,
    decode: Callable[[Content], np.ndarray],
    *,
    shape: tuple[int, ...],
    settings: Mapping[str, Any],
    cache: Path,
    progress: Progress | None = None,
) -> Store:
    """Return the decoded samples of `rows` of `items`, in order, without those that cannot be decoded.

    rows: [M] ascending row numbers.
    digests: [M] the digest of each of them.
    decode: gives uint8 of `shape` for one content, or raises Undecodable.
    settings: JSON values on which the outcome of `decode` depends.
    """
    folder = cache / "decoded" / fingerprint({"format": FORMAT, **settings})
    name = fingerprint({}, digests)
    found = open_store(folder, name)
    if found is not None:
        return found
    known = _find_known(folder, digests)
    failed = dict(known.failed)
    with (
        closing(_decoded(items, rows[known.store == _NEW], decode, len(rows), progress)) as fresh,
        written_whole(folder / f"{name}.npy", len(rows) * math.prod(shape)) as file,
    ):
        kept = _write_rows(file, digests, known, fresh, failed, shape)
    with written_whole(folder / f"{name}.npz", durable=False) as file:
        np.savez(
            file,
            allow_pickle=False,
            digests=digests[kept],
            failed=np.array(list(failed), dtype=str),
            reasons=np.array(list(failed.values()), dtype=str),
        )
    store = open_store(folder, name)
    assert store is not None
    _delete_outgrown(folder)
    return store


def open_store(folder: Path, name: str) -> Store | None:
    """Return the store of that name, None where it is not there whole."""
    index = recall(folder / f"{name}.npz", ("digests", "failed", "reasons"))
    if index is None:
        return None
    failed = dict(zip(index["failed"].tolist(), index["reasons"].tolist(), strict=True))
    if len(index["digests"]) == 0:  # an empty file cannot be mapped
        return Store(np.zeros((0, 1), np.uint8), index["digests"], failed)
    try:
        samples = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return Store(samples, index["digests"], failed) if len(samples) == len(index["digests"]) else None


def _delete_outgrown(folder: Path) -> None:
    """Delete the stores more than half of whose items stand in newer ones that are kept."""
    newer: set[str] = set()
    with suppress(OSError):  # another process deletes one, or Windows holds what is mapped
        for index in sorted(folder.glob("*.npz"), key=os.path.getmtime, reverse=True):
            found = open_store(folder, index.stem)
            digests = set() if found is None else set(found.digests.tolist())
            lain = time.time() - index.stat().st_mtime >= KEPT_SECONDS
            if lain and 2 * len(digests & newer) > len(digests):
                index.unlink()
                index.with_suffix(".npy").unlink()
            else:
                newer |= digests


@dataclass(frozen=True)
class _Known:
    """What earlier stores hold of the contents asked for.

    store: [M] the index into `stores`, _NEW where the content is in none, _FAILED where it is known not to decode.
    row: [M] the row in that store.
    failed: digest -> reason.
    """

    stores: list[Store]
    store: np.ndarray
    row: np.ndarray
    failed: dict[str, str]


def _find_known(folder: Path, digests: np.ndarray) -> _Known:
    store = np.full(len(digests), _NEW, dtype=np.int64)
    row = np.zeros(len(digests), dtype=np.int64)
    stores: list[Store] = []
    failed: dict[str, str] = {}
    for index in sorted(folder.glob("*.npz"), key=os.path.getmtime, reverse=True):
        missing = np.flatnonzero(store == _NEW)
        earlier = open_store(folder, index.stem)
        if earlier is None or len(missing) == 0:
            continue
        bad = np.isin(digests[missing], list(earlier.failed))
        store[missing[bad]] = _FAILED
        failed.update((mark, earlier.failed[mark]) for mark in digests[missing[bad]].tolist())
        if len(earlier.digests) == 0:
            continue
        order = np.argsort(earlier.digests)
        place = np.searchsorted(earlier.digests, digests[missing], sorter=order)
        place = order[np.minimum(place, len(order) - 1)]
        same = earlier.digests[place] == digests[missing]
        store[missing[same]], row[missing[same]] = len(stores), place[same]
        stores.append(earlier)
    return _Known(stores, store, row, failed)


def _decoded(
    items: Items,
    rows: np.ndarray,
    decode: Callable[[Content], np.ndarray],
    n_rows: int,
    progress: Progress | None,
) -> Generator[np.ndarray | str, None, None]:
    """Yield the decoded item of each of `rows`, or the reason why it cannot be decoded."""

    def work(block: list[Any]) -> list[np.ndarray | str]:
        return [_decode_one(item, decode) for item in block]

    done = n_rows - len(rows)
    for block in map_blocks(work, items.blocks(rows)):
        done += len(block)
        if progress is not None:
            progress("decoding", done, n_rows)
        yield from block


def _decode_one(item: Any, decode: Callable[[Content], np.ndarray]) -> np.ndarray | str:
    try:
        return decode(load(item))
    except Undecodable as reason:
        return str(reason)


def _write_rows(
    file: IO[bytes],
    digests: np.ndarray,
    known: _Known,
    fresh: Iterator[np.ndarray | str],
    failed: dict[str, str],
    shape: tuple[int, ...],
) -> np.ndarray:
    """Write the rows as .npy, old ones copied and new ones from `fresh`; add to `failed`; return which were written."""
    kept = known.store != _FAILED
    _write_header(file, (len(digests), *shape))
    start = 0
    while start < len(digests):
        source = known.store[start]
        stop = start + 1
        while stop < min(len(digests), start + COPY_ROWS) and known.store[stop] == source:
            stop += 1
        if source >= 0:
            file.write(_copied(known.stores[source].samples, known.row[start:stop]).data)
        for row in range(start, stop) if source == _NEW else ():
            sample = next(fresh)
            if isinstance(sample, str):
                failed[str(digests[row])], kept[row] = sample, False
            else:
                file.write(np.ascontiguousarray(sample).data)
        start = stop
    file.seek(0)
    _write_header(file, (int(kept.sum()), *shape))
    return kept


def _copied(samples: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return `rows` of a store, by a plain read where they are neighbours: touched pages of a map count as memory."""
    first = int(rows[0])
    if isinstance(samples, np.memmap) and (np.diff(rows) == 1).all():
        n_values = len(rows) * samples[0].size
        return np.fromfile(
            str(samples.filename), samples.dtype, n_values, offset=samples.offset + first * samples[0].size
        )
    return np.ascontiguousarray(samples[rows])


def _write_header(file: IO[bytes], shape: tuple[int, ...]) -> None:
    """Write a .npy header; numpy pads it so that a smaller first axis takes the same space."""
    np.lib.format.write_array_header_1_0(
        file, {"descr": np.dtype(np.uint8).str, "fortran_order": False, "shape": shape}
    )
