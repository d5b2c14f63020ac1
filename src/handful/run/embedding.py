"""Embedding into a run folder piece by piece, so that a run that is killed goes on where it was."""

from __future__ import annotations

import hashlib
import json
import time
from functools import partial
from pathlib import Path

import numpy as np

from handful.data import Dataset
from handful.files import replace_file
from handful.training.embed import Progress
from handful.training.encoder import Encoder

ROWS = 2048  # that are embedded between two looks at the clock
SECONDS = 10.0  # between two notes of how far it is


def embed_rows(
    folder: Path, encoder: Encoder, data: Dataset, rows: np.ndarray, *, encoder_digest: str, progress: Progress
) -> np.ndarray:
    """Return the vectors [len(rows), D] of `rows` of `data`.

    folder: where they are kept until all are there; what is found there of the same rows and encoder is not made again.
    encoder_digest: what tells this encoder from another. progress: told the rows done and all of them.
    """
    if encoder.remembers(data):
        return encoder.embed(data, rows=rows, progress=progress).vectors
    part, note = folder / "embedding.part.npy", folder / "embedding.part.json"
    of = hashlib.blake2b("\n".join([encoder_digest, *data.digests[rows].tolist()]).encode(), digest_size=16).hexdigest()
    done = _rows_done(part, note, of)
    width = sum(block.stop - block.start for block in encoder.blocks.values())
    mode = "r+" if done else "w+"
    kept = np.lib.format.open_memmap(part, mode=mode, dtype=np.float32, shape=(len(rows), width))
    noted = time.monotonic()
    for start in range(done, len(rows), ROWS):
        chosen = rows[start : start + ROWS]
        told = partial(_tell, progress, start, len(rows))
        kept[start : start + ROWS] = encoder.embed(data, rows=chosen, progress=told).vectors
        if time.monotonic() - noted >= SECONDS:
            kept.flush()
            with replace_file(note) as temporary:
                temporary.write_text(json.dumps({"of": of, "rows": start + len(chosen)}))
            noted = time.monotonic()
    vectors = np.array(kept)
    note.unlink(missing_ok=True)
    part.unlink()
    return vectors


def _tell(progress: Progress, before: int, total: int, done: int, _: int) -> None:
    progress(before + done, total)


def _rows_done(part: Path, note: Path, of: str) -> int:
    """Return how many rows an earlier run left behind, 0 where they are of other rows or another encoder."""
    if not (part.is_file() and note.is_file()):
        return 0
    told = json.loads(note.read_text())
    return int(told["rows"]) if told["of"] == of else 0
