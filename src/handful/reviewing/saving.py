"""labels.parquet and labels.csv of a review, as `handful propagate` writes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from handful.data.spreadsheet import write_csv
from handful.data.tables import write_parquet
from handful.reviewing.desk import PROPAGATED, REVIEWED, UNREACHED, Desk

SOURCES = ("propagated", "given", "reviewed", "")


def save_labels(desk: Desk) -> Path:
    """Write the labels as they stand to the run folder and return the path of labels.parquet."""
    run = desk.opened.run
    table = labels_table(desk)
    progress = desk.progress
    expected = None
    if progress.expected_accuracy is not None:
        expected = [progress.expected_accuracy, progress.low, progress.high]
    said = {
        "asked": {"rule": "auto", "priors": None, "abstain_below": None},
        "rule": "spreading, one label at a time",
        "reason": "the labels were reviewed by people",
        "classes": list(desk.classes.names),
        "expected_accuracy": expected,
        "notes": _notes(table),
        "seed": 0,
    }
    names = ("labels.parquet", "labels.csv")
    with desk.opened.writing, run.writing(*names, step="propagate", note={"propagate": said}) as (parquet, csv):
        write_parquet(table, parquet)
        write_csv(table, csv)
    return run.folder / "labels.parquet"


def labels_table(desk: Desk) -> pa.Table:
    """Return id, label, confidence, source, reached, margin and runner_up of every item."""
    with desk.lock:
        codes, source, answer = desk.codes.astype(np.int64), desk.source.copy(), desk.answer
        confidence = desk.confidence.astype(np.float32) / 255
        names = list(desk.classes.names)
    if answer is not None:
        propagated = (source == PROPAGATED) & (answer.codes == codes)
        confidence[propagated] = desk.curve(desk.signs[propagated])
    kind = pa.int64() if names and isinstance(names[0], int) else pa.string()
    of_code = pa.array([*names, None], kind)
    margin, second = np.zeros(len(codes), np.float32), np.full(len(codes), -1, np.int64)
    if answer is not None:
        margin, second = answer.share - answer.next_share, answer.second.astype(np.int64)
    known = (source == REVIEWED) | (source == SOURCES.index("given"))
    margin, second = np.where(known, 1, margin), np.where(known | (source == UNREACHED), -1, second)
    return pa.table(
        {
            "id": desk.opened.ids,
            "label": of_code.take(pa.array(np.where(codes < 0, len(names), codes))),
            "confidence": pa.array(np.where(source == UNREACHED, 0, confidence).astype(np.float32)),
            "source": pa.array(list(SOURCES)).take(pa.array(source)),
            "reached": pa.array(source != UNREACHED),
            "margin": pa.array(np.where(source == UNREACHED, 0, margin).astype(np.float32)),
            "runner_up": of_code.take(pa.array(np.where(second < 0, len(names), second))),
        }
    )


def _notes(table: pa.Table) -> list[str]:
    unreached = len(table) - int(np.asarray(table["reached"]).sum())
    return [f"{unreached} rows get no label: no path of neighbours leads to a known one."] if unreached else []
