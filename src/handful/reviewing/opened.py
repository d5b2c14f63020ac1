"""What the review reads of a run folder: ids, weights, the map, the labels there are, near-duplicates and issues."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy import sparse

from handful.data.labels import is_unlabelled
from handful.data.spreadsheet import read_csv
from handful.errors import InputError
from handful.graph import Graph
from handful.run.folder import Run
from handful.run.journal import Journal

GRID = 65535


@dataclass(frozen=True)
class Start:
    """The answer that a run came with, by row; classes of its own. Codes are -1 where there is none.

    codes: [N] int32; given: [N] bool; confidence: [N] float32.
    """

    classes: list[Any]
    codes: np.ndarray
    given: np.ndarray
    confidence: np.ndarray


@dataclass
class Opened:
    """A run folder as the review needs it. ids: N strings; weights: [N, N]; vectors: [N, D] memory-mapped.

    writing: held while the folder is written to.
    """

    run: Run
    name: str
    kind: str
    ids: pa.Array
    weights: sparse.csr_array
    vectors: np.ndarray
    start: Start
    writing: threading.Lock = field(default_factory=threading.Lock)

    def __len__(self) -> int:
        return len(self.ids)

    def id(self, row: int) -> str:
        """Return the id of a row."""
        return self.ids[row].as_py()

    def ids_of(self, rows: list[int]) -> list[str]:
        """Return the ids of rows."""
        return self.ids.take(pa.array(rows, pa.int64())).to_pylist()

    def rows_of(self, names: list[str]) -> np.ndarray:
        """Return the row of each id, -1 where it is not in the run."""
        found = pc.index_in(pa.array(names, pa.string()), value_set=self.ids)
        return found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)


def open_for_review(run: Run, journal: Journal) -> Opened:
    """Return what the review needs of a run; the labels it came with are kept in the journal.

    Raises InputError where a step has not been run, or its files do not fit each other.
    """
    run.require(run.folder / "ids.parquet", "embed")
    if not (run.folder / "embeddings.npy").is_file():
        run.require(run.folder / "embeddings.npy", "embed")
    run.require(run.folder / "graph.npz", "propagate")
    ids = pq.read_table(run.folder / "ids.parquet", columns=["id"])["id"].combine_chunks()
    weights = read_weights(run.folder / "graph.npz")
    vectors = np.load(run.folder / "embeddings.npy", mmap_mode="r", allow_pickle=False)
    if not len(ids) == weights.shape[0] == len(vectors):
        raise InputError(
            f"{run.folder} holds {len(ids)} ids, {len(vectors)} vectors and a graph of {weights.shape[0]} rows: "
            "run `handful label` or `handful propagate` on it again."
        )
    source = str(run.record.get("source") or "").replace("\\", "/").rstrip("/")
    name = "" if source.startswith("<") else source.rsplit("/", 1)[-1]
    opened = Opened(
        run, name or run.folder.resolve().name, run.data["modality"], ids, weights, vectors, _no_start(len(ids))
    )
    opened.start = _start(run, opened, journal)
    return opened


def read_weights(path: Path) -> sparse.csr_array:
    """Return the weights of a graph that was saved, without its vectors and lists."""
    with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
        n = len(file["indptr"]) - 1
        return sparse.csr_array((file["data"], file["indices"], file["indptr"]), shape=(n, n))


def as_grid(positions: np.ndarray) -> np.ndarray:
    """Return positions [N, 2] as uint16 with one scale for both axes; those that are not finite go to the middle."""
    finite = np.isfinite(positions).all(axis=1)
    known = positions[finite] if finite.any() else np.zeros((1, 2))
    low, high = known.min(axis=0), known.max(axis=0)
    size = max(float((high - low).max()), float(np.finfo(np.float32).tiny))
    places = np.where(finite[:, None], positions, (low + high) / 2)
    return np.round(np.clip((places - (low + high) / 2) / size + 0.5, 0, 1) * GRID).astype(np.uint16)


def near_duplicates(opened: Opened) -> dict[int, np.ndarray]:
    """Return for each row that is nearly the same as others the rows of its group."""
    path = opened.run.folder / "near_duplicates.csv"
    if not path.is_file():
        return {}
    opened.run.require(path, "propagate")
    table = read_csv(str(path))
    rows, numbers = opened.rows_of(table["id"].to_pylist()), table["group"].to_numpy()
    rows, numbers = rows[rows >= 0], numbers[rows >= 0]
    order = np.argsort(numbers, kind="stable")
    groups = np.split(rows[order], np.flatnonzero(np.diff(numbers[order])) + 1) if len(rows) else []
    return {int(row): group for group in groups for row in group if len(group) > 1}


def graph_of(opened: Opened) -> Graph:
    """Return the graph with the vectors it can be linked anew by, where these are its own."""
    if len(json.loads(pq.read_schema(opened.run.folder / "ids.parquet").metadata[b"blocks"])) > 1:
        return Graph.load(opened.run.folder / "graph.npz")
    return Graph.load(opened.run.folder / "graph.npz", vectors=opened.vectors)


def _no_start(n: int) -> Start:
    return Start([], np.full(n, -1, np.int32), np.zeros(n, bool), np.zeros(n, np.float32))


def _start(run: Run, opened: Opened, journal: Journal) -> Start:
    """Return the answer in labels.parquet; labels that came with the run are remembered in the journal."""
    path = run.folder / "labels.parquet"
    if not path.is_file():
        return _with_given(_no_start(len(opened)), opened, journal)
    run.require(path, "propagate")
    table = pq.read_table(path)
    rows = opened.rows_of(table["id"].to_pylist())
    known = rows >= 0
    labels = table["label"].combine_chunks().dictionary_encode()
    classes = sorted(name for name in labels.dictionary.to_pylist() if not is_unlabelled(name))
    order = {name: code for code, name in enumerate(classes)}
    recode = np.array([order.get(name, -1) for name in labels.dictionary.to_pylist()] + [-1], np.int32)
    codes = recode[labels.indices.fill_null(len(recode) - 1).to_numpy(zero_copy_only=False)]
    start = _no_start(len(opened))
    start.codes[rows[known]] = codes[known]
    start.confidence[rows[known]] = table["confidence"].to_numpy()[known]
    told = np.array(table["source"].to_pylist())
    labels_given = {opened.id(int(rows[at])): classes[codes[at]] for at in np.flatnonzero(known & (told == "given"))}
    before = journal.given()
    reviewed = [name for name in opened.ids_of(rows[known & (told == "reviewed")].tolist()) if name in before]
    journal.keep_given({**labels_given, **{name: before[name] for name in reviewed}})
    return _with_given(Start(classes, start.codes, start.given, start.confidence), opened, journal)


def _with_given(start: Start, opened: Opened, journal: Journal) -> Start:
    """Return `start` with the labels that came with the run, also those that a decision has replaced since."""
    kept = journal.given()
    classes = start.classes + sorted(set(kept.values()) - set(start.classes))
    code = {name: index for index, name in enumerate(classes)}
    rows = opened.rows_of(list(kept)) if kept else np.empty(0, np.int64)
    for row, label in zip(rows.tolist(), kept.values(), strict=True):
        if row >= 0:
            start.codes[row], start.given[row], start.confidence[row] = code[label], True, 1
    return Start(classes, start.codes, start.given, start.confidence)
