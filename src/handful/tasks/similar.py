"""Items like this one: the rows whose vectors point the same way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from handful.errors import InputError, check_at_least, did_you_mean, quoted
from handful.training.embed import Embeddings
from handful.training.encoder import Encoder, find_encoder

BLOCK = 65_536  # rows compared at a time


class HasEmbeddings(Protocol):
    """A run, or anything else that keeps embeddings and the encoder they came from."""

    @property
    def embeddings(self) -> Embeddings: ...


@dataclass(frozen=True)
class Similar:
    """ids: [n] the items most like the query, the most alike first; likeness: [n] the cosine, 1 for the same.

    query: the id that was asked for, or None where something else was.
    """

    ids: np.ndarray
    likeness: np.ndarray
    query: str | None


def similar(
    source: Embeddings | HasEmbeddings | str | Path, query: Any, n: int = 10, *, block: str | None = None
) -> Similar:
    """Return the `n` items most like `query`, without the query itself.

    source: embeddings, a run, or a run folder. query: an item's id, a vector [D] of the same encoder, or, where the
    source has its encoder, something new: the path of a file, or a text of several words.
    block: compare by one representation only, where several stand side by side; else all of them count alike.
    Raises InputError for an id that is not there, a file that cannot be read or a vector of another width.
    """
    check_at_least("n", n, 1)
    embeddings = _embeddings(source)
    row = _row_of(embeddings, query)
    vectors = embeddings.vectors if block is None else embeddings.block(block)
    if row is not None:
        wanted = np.asarray(vectors[row], dtype=np.float32)
    elif isinstance(query, str | Path):
        whole = _embed_new(source, embeddings, query)
        wanted = whole if block is None else whole[embeddings.blocks[block]]
    else:
        wanted = _check_vector(query, vectors)
    likeness = _cosines(vectors, wanted)
    if row is not None:
        likeness[row] = -np.inf
    n = min(n, len(likeness) - (row is not None))
    best = np.argpartition(-likeness, n - 1)[:n] if n else np.empty(0, dtype=np.int64)
    best = best[np.lexsort((best, -likeness[best]))]  # of equal ones the earlier row
    return Similar(embeddings.ids[best], likeness[best], None if row is None else str(query))


def _embeddings(source: Any) -> Embeddings:
    if isinstance(source, str | Path):
        return Embeddings.load(source)
    return source if isinstance(source, Embeddings) else source.embeddings


def _row_of(embeddings: Embeddings, query: Any) -> int | None:
    """Return the row of an id, None where the query is no id."""
    if not isinstance(query, str | Path):
        return None
    rows = np.flatnonzero(embeddings.ids == str(query))
    return int(rows[0]) if len(rows) else None


def _embed_new(source: Any, embeddings: Embeddings, query: str | Path) -> np.ndarray:
    """Return the vector [D] of something new: a file, or a text."""
    encoder = None if isinstance(source, Embeddings) else find_encoder(source)
    item = _item(encoder, query)
    if encoder is None or item is None:
        raise InputError(
            f"{quoted(str(query))} is neither the id of an item nor a file: ids are paths relative to the source, or "
            f"row numbers.{did_you_mean(str(query), embeddings.ids.tolist())}"
        )
    return encoder.embed(encoder.read([item], strict=True)).vectors[0]


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


def _cosines(vectors: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the cosine [N] of every row with `wanted`, reading a block of rows at a time."""
    found = np.empty(len(vectors), dtype=np.float32)
    wanted = wanted / np.linalg.norm(wanted)
    for start in range(0, len(vectors), BLOCK):
        block = np.asarray(vectors[start : start + BLOCK], dtype=np.float32)
        length = np.maximum(np.linalg.norm(block, axis=1), 1e-12)
        found[start : start + BLOCK] = block @ wanted / length
    return found
