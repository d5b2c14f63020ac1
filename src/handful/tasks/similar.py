"""Items like this one: the rows whose vectors point the same way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from handful.errors import InputError, check_at_least, did_you_mean
from handful.training.embed import Embeddings

BLOCK = 65_536  # rows compared at a time


class HasEmbeddings(Protocol):
    """A run, or anything else that keeps embeddings."""

    @property
    def embeddings(self) -> Embeddings: ...


@dataclass(frozen=True)
class Similar:
    """ids: [n] the items most like the query, the most alike first; likeness: [n] the cosine, 1 for the same.

    query: the id that was asked for, or None where a vector was given.
    """

    ids: np.ndarray
    likeness: np.ndarray
    query: str | None


def similar(source: Embeddings | HasEmbeddings, query: Any, n: int = 10, *, block: str | None = None) -> Similar:
    """Return the `n` items most like `query`, without the query itself.

    source: embeddings, or a run that holds some. query: an item's id, or a vector [D] of the same encoder.
    block: compare by one representation only, where several stand side by side; else all of them count alike.
    Raises InputError for an id that is not there or a vector of another width.
    """
    check_at_least("n", n, 1)
    embeddings = source if isinstance(source, Embeddings) else source.embeddings
    vectors = embeddings.vectors if block is None else embeddings.block(block)
    row, wanted = _find(embeddings, vectors, query)
    likeness = _cosines(vectors, wanted)
    if row is not None:
        likeness[row] = -np.inf
    n = min(n, len(likeness) - (row is not None))
    best = np.argpartition(-likeness, n - 1)[:n] if n else np.empty(0, dtype=np.int64)
    best = best[np.lexsort((best, -likeness[best]))]  # of equal ones the earlier row
    return Similar(embeddings.ids[best], likeness[best], None if row is None else str(query))


def _find(embeddings: Embeddings, vectors: np.ndarray, query: Any) -> tuple[int | None, np.ndarray]:
    """Return the row of an id and its vector, or None and the vector that was given."""
    if isinstance(query, str | np.str_):
        rows = np.flatnonzero(embeddings.ids == query)
        if not len(rows):
            raise InputError(
                f"{str(query)!r} is not the id of an item: ids are paths relative to the source, or row numbers."
                f"{did_you_mean(query, embeddings.ids.tolist())}"
            )
        return int(rows[0]), np.asarray(vectors[rows[0]], dtype=np.float32)
    wanted = np.asarray(query, dtype=np.float32)
    if wanted.shape != vectors.shape[1:]:
        raise InputError(f"a query of shape {wanted.shape} is not one of these vectors, which are {vectors.shape[1:]}.")
    if not np.isfinite(wanted).all() or not wanted.any():
        raise InputError("a query vector must be finite and not all zero.")
    return None, wanted


def _cosines(vectors: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the cosine [N] of every row with `wanted`, reading a block of rows at a time."""
    found = np.empty(len(vectors), dtype=np.float32)
    wanted = wanted / np.linalg.norm(wanted)
    for start in range(0, len(vectors), BLOCK):
        block = np.asarray(vectors[start : start + BLOCK], dtype=np.float32)
        length = np.maximum(np.linalg.norm(block, axis=1), 1e-12)
        found[start : start + BLOCK] = block @ wanted / length
    return found
