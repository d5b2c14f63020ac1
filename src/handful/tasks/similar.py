"""Items like this one: the rows whose vectors point the same way."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from handful.errors import InputError, check_at_least, did_you_mean, quoted
from handful.training.embed import Embeddings
from handful.training.encoder import Encoder, find_encoder

BLOCK = 65_536  # rows compared at a time
_WINDOW = re.compile(r"(.+)\[([0-9.]+):([0-9.]+)\]")


class HasEmbeddings(Protocol):
    """A run, or anything else that keeps embeddings and the encoder they came from."""

    @property
    def embeddings(self) -> Embeddings: ...


@dataclass(frozen=True)
class Similar:
    """ids: [n] the items most like the query, the most alike first; likeness: [n] the cosine, 1 for the same.

    query: the id that was asked for, or None where something else was.
    moments: of recordings that were cut into windows, the id of the window of each that is most like the query, [n].
    """

    ids: np.ndarray
    likeness: np.ndarray
    query: str | None
    moments: np.ndarray | None = None


def similar(
    source: Embeddings | HasEmbeddings | str | Path, query: Any, n: int = 10, *, block: str | None = None
) -> Similar:
    """Return the `n` items most like `query`, without the query itself.

    source: embeddings, a run, or a run folder. query: an item's id, a vector [D] of the same encoder, or, where the
    source has its encoder, something new: the path of a file, or a text of several words.
    Of recordings that were cut into windows, a window is compared with windows, those that overlap it left out, and a
    recording, known or new, with recordings: by the mean of the vectors of its windows.
    block: compare by one representation only, where several stand side by side; else each counts what it counts in a
    graph.
    Raises InputError for an id that is not there, a file that cannot be read or a vector of another width.
    """
    check_at_least("n", n, 1)
    embeddings = _embeddings(source)
    windows = find_windows(embeddings.ids)
    row = _row_of(embeddings.ids, query)
    vectors = embeddings.vectors if block is None else embeddings.block(block)
    if windows is not None and row is None and isinstance(query, str | Path):
        return _similar_recordings(source, embeddings, windows, query, n, block)
    if row is not None:
        wanted = np.asarray(vectors[row], dtype=np.float32)
    elif isinstance(query, str | Path):
        whole = _embed_new(source, embeddings.ids, query, {}).mean(0)
        wanted = whole if block is None else whole[embeddings.blocks[block]]
    else:
        wanted = _check_vector(query, vectors)
    likeness = _cosines(vectors, wanted, embeddings.scales if block is None else None)
    passed = np.zeros(len(likeness), bool)
    if row is not None:
        passed[row] = True
        if windows is not None:
            passed |= windows.overlap(row)
    best = _best(likeness, n, passed)
    return Similar(embeddings.ids[best], likeness[best], None if row is None else str(query))


@dataclass(frozen=True)
class Windows:
    """Which recording each window is of and where it lies: `names` [M] of the recordings, `owner` [N] among them,
    `starts` and `ends` [N]."""

    names: np.ndarray
    owner: np.ndarray
    starts: np.ndarray
    ends: np.ndarray

    def overlap(self, row: int) -> np.ndarray:
        """Return which windows lie in the recording of window `row` and share time with it, [N] bool."""
        meets = (self.starts < self.ends[row]) & (self.ends > self.starts[row])
        return meets & (self.owner == self.owner[row])

    def pool(self, vectors: np.ndarray) -> np.ndarray:
        """Return the mean vector of the windows of each recording, [M, D]."""
        sums = np.zeros((len(self.names), vectors.shape[1]))
        np.add.at(sums, self.owner, vectors)
        return (sums / np.bincount(self.owner)[:, None]).astype(np.float32)


def find_windows(ids: np.ndarray) -> Windows | None:
    """Return what the ids of windows ("song.ogg[5:10]") say, None where not all of them are of windows."""
    found = [_WINDOW.fullmatch(str(name)) for name in ids]
    if not found or any(match is None for match in found):
        return None
    owner, starts, ends = zip(*(match.groups() for match in found if match is not None), strict=True)
    names, places = np.unique(owner, return_inverse=True)
    return Windows(names, places, np.array(starts, float), np.array(ends, float))


def _similar_recordings(
    source: Any, embeddings: Embeddings, windows: Windows, query: str | Path, n: int, block: str | None
) -> Similar:
    """Return the recordings most like one, known by its name or new, and the window of each that is most like it."""
    columns = slice(None) if block is None else embeddings.blocks[block]
    vectors, scales = np.asarray(embeddings.vectors[:, columns]), embeddings.scales if block is None else None
    pooled = windows.pool(vectors)
    own = _row_of(windows.names, query)
    if own is None:
        wanted = _embed_new(source, windows.names, query, _window_settings(source))[:, columns].mean(0)
    else:
        wanted = pooled[own]
    likeness = _cosines(pooled, wanted, scales)
    best = _best(likeness, n, np.arange(len(pooled)) == own)
    each = _cosines(vectors, wanted, scales)
    moments = [int(np.argmax(np.where(windows.owner == place, each, -np.inf))) for place in best]
    return Similar(
        windows.names[best],
        likeness[best],
        None if own is None else str(query),
        embeddings.ids[np.array(moments, dtype=np.int64)],
    )


def _best(likeness: np.ndarray, n: int, passed: np.ndarray) -> np.ndarray:
    """Return the `n` most alike of what is not passed over, of equal ones the earlier row first."""
    likeness = np.where(passed, -np.inf, likeness)
    n = min(n, int((~passed).sum()))
    best = np.argpartition(-likeness, n - 1)[:n] if n else np.empty(0, dtype=np.int64)
    return best[np.lexsort((best, -likeness[best]))]


def _embeddings(source: Any) -> Embeddings:
    if isinstance(source, str | Path):
        return Embeddings.load(source)
    return source if isinstance(source, Embeddings) else source.embeddings


def _row_of(ids: np.ndarray, query: Any) -> int | None:
    """Return the row of an id, None where the query is no id."""
    if not isinstance(query, str | Path):
        return None
    rows = np.flatnonzero(ids == str(query))
    return int(rows[0]) if len(rows) else None


def _window_settings(source: Any) -> dict[str, Any]:
    """Return how the recordings of a run were cut; nothing where the source does not say it."""
    if isinstance(source, str | Path) and (Path(source) / "data.json").is_file():
        settings = json.loads((Path(source) / "data.json").read_text(encoding="utf-8"))["settings"]
    else:
        settings = getattr(source, "data", {}).get("settings", {})
    return {name: settings[name] for name in ("window", "stride") if name in settings}


def _embed_new(source: Any, ids: np.ndarray, query: str | Path, settings: Mapping[str, Any]) -> np.ndarray:
    """Return the vectors [1, D] of something new, a file or a text; of what is cut into windows one each."""
    encoder = None if isinstance(source, Embeddings) else find_encoder(source)
    item = _item(encoder, query)
    if encoder is None or item is None:
        raise InputError(
            f"{quoted(str(query))} is neither the id of an item nor a file: ids are paths relative to the source, or "
            f"row numbers.{did_you_mean(str(query), ids.tolist())}"
        )
    return encoder.embed(encoder.read([item], strict=True, **settings)).vectors


def _item(encoder: Encoder | None, query: str | Path) -> str | None:
    """Return what reading takes for one item, None where there is no such thing."""
    path = Path(query)
    is_file = len(str(query)) < 4096 and path.is_file()
    if encoder is not None and encoder.modality.name == "text":
        if is_file:
            return path.read_text(encoding="utf-8", errors="replace")
        return str(query) if len(str(query).split()) > 1 else None
    return str(path) if is_file else None


def _check_vector(query: Any, vectors: np.ndarray) -> np.ndarray:
    """Return a vector that was given. Raises InputError where it cannot be compared."""
    wanted = np.asarray(query, dtype=np.float32)
    if wanted.shape != vectors.shape[1:]:
        raise InputError(f"a query of shape {wanted.shape} is not one of these vectors, which are {vectors.shape[1:]}.")
    if not np.isfinite(wanted).all() or not wanted.any():
        raise InputError("a query vector must be finite and not all zero.")
    return wanted


def _cosines(vectors: np.ndarray, wanted: np.ndarray, scales: np.ndarray | None) -> np.ndarray:
    """Return the cosine [N] of every row with `wanted`, the columns of both times `scales` [D] where there are any.

    Reads a block of rows at a time.
    """
    found = np.empty(len(vectors), dtype=np.float32)
    wanted = wanted if scales is None else wanted * scales
    wanted = wanted / np.linalg.norm(wanted)
    for start in range(0, len(vectors), BLOCK):
        block = np.asarray(vectors[start : start + BLOCK], dtype=np.float32)
        block = block if scales is None else block * scales
        length = np.maximum(np.linalg.norm(block, axis=1), 1e-12)
        found[start : start + BLOCK] = block @ wanted / length
    return found
