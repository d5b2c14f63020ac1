"""Embedding into a run folder piece by piece, so that a run that is killed goes on where it was."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from handful.data import Dataset
from handful.data.digests import fingerprint
from handful.errors import InputError
from handful.files import settle, writes_to, written_whole
from handful.run.record import read_json
from handful.training.embed import Progress, batches_of
from handful.training.encoder import Encoder

SECONDS = 10.0  # between two notes of how far it is
PART, NOTE = "embedding.part", "embedding.part.json"


Elsewhere = Callable[[Iterable[Any]], Iterator[np.ndarray]]
"""Yields the vectors of each batch of samples, in their order, made by other machines."""


def embed_rows(
    folder: Path,
    encoder: Encoder,
    data: Dataset,
    rows: np.ndarray,
    *,
    encoder_digest: str,
    progress: Progress,
    elsewhere: Elsewhere | None = None,
) -> np.ndarray:
    """Return the vectors [len(rows), D] of `rows` of `data`.

    folder: where they are kept until `forget_rows`; what is found there of the same rows and encoder is not made again.
    encoder_digest: what tells this encoder from another. progress: told the rows done and all of them.
    elsewhere: what makes them in the place of this process.
    """
    if encoder.remembers(data):
        return encoder.embed(data, rows=rows, progress=progress).vectors
    part, note = folder / PART, folder / NOTE
    of = fingerprint(encoder_digest, data.digests[rows])
    vectors = np.empty((len(rows), sum(block.stop - block.start for block in encoder.blocks.values())), np.float32)
    done = _rows_done(part, note, of, vectors)
    # Batches begin where they would without a stop: the last bits of a product depend on how many rows it has.
    batches = [*batches_of(rows[done:], encoder.batch_size(data))]
    made: Iterator[np.ndarray]
    if elsewhere is None:
        made = (encoder.embed(data, rows=chosen).vectors for chosen in batches)
    else:
        made = elsewhere(data.samples[chosen] for chosen in batches)
    # Plain writes: a mapping of a file on a full disk ends the process without a word.
    with writes_to(part), part.open("r+b" if done else "wb") as file:
        file.seek(vectors[:done].nbytes)
        noted = time.monotonic()
        for found in made:
            vectors[done : done + len(found)] = found
            file.write(np.ascontiguousarray(found).data)
            done += len(found)
            progress(done, len(rows))
            if time.monotonic() - noted >= SECONDS:
                settle(file)
                with written_whole(note) as told_of:
                    told_of.write(json.dumps({"of": of, "rows": done}).encode())
                noted = time.monotonic()
    return vectors


def forget_rows(folder: Path) -> None:
    """Delete what `embed_rows` kept, once the vectors are where they belong."""
    for name in (NOTE, PART):
        (folder / name).unlink(missing_ok=True)


def _rows_done(part: Path, note: Path, of: str, vectors: np.ndarray) -> int:
    """Put what an earlier run left behind into `vectors` [N, D] and return how many rows that are.

    0 where it is of other rows or another encoder, or cannot be read.
    """
    if not (part.is_file() and note.is_file()):
        return 0
    try:
        told = read_json(note)
    except InputError:
        return 0
    rows = told.get("rows", 0)
    if told.get("of") != of or os.path.getsize(part) < vectors[:rows].nbytes:
        return 0
    vectors[:rows] = np.fromfile(part, np.float32, vectors[:rows].size).reshape(rows, vectors.shape[1])
    return int(rows)
