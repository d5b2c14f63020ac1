"""The rows of a table that do not fit: a detector, a score for every row, and the columns that made it odd."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from handful.data import Dataset, Labels
from handful.data.cache import cache_folder
from handful.data.label_files import read_labels
from handful.data.remote import check_local
from handful.data.sources import Source
from handful.data.spreadsheet import write_csv
from handful.data.tables import write_parquet
from handful.errors import InputError, quoted
from handful.files import written_whole
from handful.modalities import read
from handful.modalities.registry import make_modality
from handful.modalities.table_reading import IDS, LABELS, write_cell
from handful.run.folder import Run, open_run
from handful.run.path import started
from handful.run.steps import pretrain_step
from handful.tasks.anomalies import AnomalyDetector, threshold_at
from handful.training.embed import pooled_vectors
from handful.training.encoder import Encoder
from handful.training.pretrain import Watch

STEP = "anomalies --out"  # the command that makes the files
REASONS = 3
LEADING = 16
"""Directions of each network. A day on which a sensor hung, among 30 and among 120, was first of all with 8 and with
16; by whole vectors of length one it was 38th of 59."""
NOTED = 5  # columns that are named in a note
ODD_WORDS = ("1", "true", "yes", "fraud", "anomaly", "anomalous", "outlier", "odd", "attack", "fault", "defect", "bad")
_BLOCK = 8192


@dataclass(frozen=True)
class Scored:
    """What was found. table: a row each (see `score_table`); threshold: of the scores; notes: in sentences."""

    table: pa.Table
    threshold: float
    path: Path
    notes: tuple[str, ...] = ()

    @property
    def odd(self) -> int:
        """How many rows lie above the threshold."""
        return int(np.sum(self.table["odd"].to_numpy()))


@dataclass(frozen=True)
class _Known:
    """What is known of rows, [N] bool each."""

    odd: np.ndarray
    normal: np.ndarray


def find_anomalies(
    source: Any,
    *,
    out: str | os.PathLike[str],
    labels: Any = None,
    label_column: str | None = None,
    odd: str | None = None,
    share: float | None = None,
    false_alarm_rate: float | None = None,
    normals: Any = None,
    columns: Any = None,
    modality: str | None = None,
    size: int | None = None,
    window: float | None = None,
    stride: float | None = None,
    seed: int = 0,
    watch: Watch | None = None,
) -> Scored:
    """Return a score for every row of `source` and write anomalies.csv, anomalies.parquet and the detector to `out`.

    source: what `read` takes; of other kinds of data than tables the vectors of the untrained encoders.
    labels: what is known of some rows, as `read` takes it; odd: the label that marks odd rows, found where it is one of
        the usual words, or the only one. label_column: as in `read`.
    share: of the rows that lie above the threshold, by default .01; or false_alarm_rate: of the rows known to be
        ordinary, by `labels` or in the table `normals`.
    columns, size, window, stride: as in `read`; of windows the report shows where in their recordings the odd ones lie.
    Raises InputError for anything that cannot be used.
    """
    watch = watch or Watch()
    _check_threshold(share, false_alarm_rate)
    given = {"columns": columns, "size": size, "window": window, "stride": stride}
    reading = {"modality": modality} | {name: value for name, value in given.items() if value is not None}
    data = read(source, None if label_column is None else (labels or "source"), label_column=label_column, **reading)
    known = _known(data, labels if label_column is None else None, odd)
    reading["modality"] = data.modality
    with started(data, out, source=source, labels=labels, reading=reading) as run:
        watch.stage(f"looking for the odd ones among {len(data)} rows")
        reader = _Reader.of(data, run, seed, watch)
        rows = reader.numbers(data)
        detector = AnomalyDetector(random_state=seed).fit(rows, known.odd.astype(int))
        notes = _set_threshold(detector, known, share, false_alarm_rate, reader, normals) + _read_notes(data)
        run.write_data(data)
        reader.save(run, detector)
        if reader.encoder is None:
            _write_ids(run, data)
        table = score_table(detector, data, rows, known=known, reader=reader)
        told = {"threshold": detector.threshold_, "known": int(known.odd.sum()), "notes": notes, "seed": seed}
        told["odd"] = int(np.sum(table["odd"].to_numpy()))
        with run.writing("anomalies.csv", "anomalies.parquet", step=STEP, note={"anomalies": told}) as (csv, parquet):
            write_csv(table, csv)
            write_parquet(table, parquet)
    return Scored(table, detector.threshold_, run.folder / "anomalies.csv", tuple(notes))


def score_anomalies(
    run: Run | str | os.PathLike[str], source: Any, *, out: str | os.PathLike[str] | None = None
) -> Scored:
    """Return a score for every row of `source` by the detector of an earlier run, and write them as a CSV file.

    out: its path; by default in `scored/` of the run folder. Raises InputError where columns are missing, all named.
    """
    run = run if isinstance(run, Run) else open_run(run)
    check_local(run.address() if out is None else out, "the table of scores")
    reader, detector = _Reader.load(run)
    data = reader.read(source)
    rows = reader.numbers(data)
    nothing = np.zeros(len(data), bool)
    table = score_table(detector, data, rows, known=_Known(nothing, nothing), reader=reader)
    path = Path(out) if out is not None else run.folder / "scored" / f"{Path(data.source).stem or 'rows'}.csv"
    path = path if path.suffix else path.with_suffix(".csv")
    with written_whole(path) as file:
        if path.suffix == ".parquet":
            write_parquet(table, file)
        else:
            write_csv(table, file)
    return Scored(table, detector.threshold_, path, tuple(reader.unknown(data)))


@dataclass(frozen=True)
class _Reader:
    """Turns data of the kind a run was made of into numbers. columns: their names, none where they mean nothing.

    cut: the window and stride that recordings are cut by.
    """

    modality: Any
    encoder: Encoder | None
    columns: tuple[tuple[str, str], ...]
    cut: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Dataset, run: Run, seed: int, watch: Watch) -> _Reader:
        """Return the reader of a data set, with an encoder where it is no table."""
        if data.modality == "table":
            kind: Any = make_modality("table", data.settings)
            return cls(kind.adapt(data.samples, seed=seed), None, kind.columns)
        encoder = pretrain_step(run, data, {"method": "untrained", "seed": seed}, watch=watch)
        return cls(encoder.modality, encoder, ())

    @classmethod
    def load(cls, run: Run) -> tuple[_Reader, AnomalyDetector]:
        """Return the reader and the detector of a run."""
        run.require(run.folder / "detector.npz", STEP)
        with (run.folder / "detector.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            detector = AnomalyDetector.from_state(arrays)
        if run.data["modality"] != "table":
            settings = run.data["settings"]
            cut = {name: settings[name] for name in ("window", "stride") if name in settings}
            return cls(run.encoder.modality, run.encoder, (), cut), detector
        run.require(run.folder / "columns.json", STEP)
        scales = (run.folder / "columns.json").read_text(encoding="utf-8")
        kind: Any = make_modality("table", run.data["settings"], assets={"columns.json": scales})
        return cls(kind, None, kind.columns), detector

    def save(self, run: Run, detector: AnomalyDetector) -> None:
        """Write the detector, and the scales of the columns."""
        assets = self.modality.assets if self.encoder is None else {}
        with run.writing("detector.npz", *assets, step=STEP) as (file, *others):
            arrays: Any = detector.state()
            np.savez(file, allow_pickle=False, **arrays)
            for content, other in zip(assets.values(), others, strict=True):
                other.write(content.encode())

    def read(self, source: Any) -> Dataset:
        """Return new data, read as the old one."""
        if self.encoder is None:
            return read(source, modality="table", columns=[list(column) for column in self.columns])
        return self.encoder.read(source, **self.cut)

    def numbers(self, data: Dataset) -> np.ndarray:
        """Return one number a column [N, C]; of other kinds than tables the leading coordinates of the vectors."""
        if self.encoder is not None:
            return leading_coordinates(self.encoder, data)
        return self.modality.numbers(data.samples, np.arange(len(data)))

    def unknown(self, data: Dataset) -> list[str]:
        """Return what new rows hold that the old ones did not, in sentences."""
        told = _read_notes(data)
        samples: Any = data.samples
        for place, (name, kind) in enumerate(self.columns):
            if kind != "category":
                continue
            cells = samples.values[:, place]
            new = np.setdiff1d(cells[~np.isnan(cells)], self.modality.scales[place].codes)
            if len(new):
                many = "1 category" if len(new) == 1 else f"{len(new)} categories"
                words = ", ".join(quoted(samples.names[name].get(code, "?")) for code in new[:5].tolist())
                told.append(f"Column {name!r} has {many} never seen before: {words}.")
        return told


@torch.inference_mode()
def leading_coordinates(encoder: Encoder, data: Dataset) -> np.ndarray:
    """Return what each network of `encoder` makes of `data`, along its strongest directions, side by side [N, C].

    Not scaled to length one, as what is compared by angle is: an odd row is one that lies far out.
    """
    encoder.check_reads(data)
    rows = np.arange(len(data))
    found = []
    for name, network in encoder.networks.items():
        pooled = torch.from_numpy(pooled_vectors(network, encoder.modality, data.samples, rows))
        finish: Any = encoder.finishes[name]
        found.append(finish.coordinates(pooled, LEADING).numpy())
    return np.concatenate(found, 1).astype(np.float64)


def score_table(
    detector: AnomalyDetector, data: Dataset, rows: np.ndarray, *, known: _Known, reader: _Reader
) -> pa.Table:
    """Return id, score, odd, known, and for the columns that made a row odd most: name, value, expected value, part."""
    scores = -detector.score_samples(rows)
    table: dict[str, Any] = {
        "id": pa.array(data.ids.tolist(), pa.string()),
        "score": pa.array(scores.astype(np.float32)),
        "odd": pa.array(scores > detector.threshold_),
        "known": pa.array(np.where(known.odd, "odd", np.where(known.normal, "ordinary", "")).tolist(), pa.string()),
    }
    if reader.columns:
        table |= _reasons(detector, data, rows, reader)
    return pa.table(table)


def _reasons(detector: AnomalyDetector, data: Dataset, rows: np.ndarray, reader: _Reader) -> Mapping[str, Any]:
    n = min(REASONS, len(reader.columns))
    order, part, expected = (np.empty((len(rows), n), kind) for kind in (np.int64, np.float32, np.float64))
    owners = reader.modality.owners
    for start in range(0, len(rows), _BLOCK):
        block = slice(start, start + _BLOCK)
        parts = detector.explain(rows[block])
        shares = parts[:, : len(reader.columns)].copy()
        for place in range(shares.shape[1], parts.shape[1]):  # the time of day belongs to its date
            shares[:, owners[place]] += parts[:, place]
        order[block] = np.argsort(-shares, axis=1, kind="stable")[:, :n]
        part[block] = np.take_along_axis(shares, order[block], 1)
        expected[block] = np.take_along_axis(detector.expect(rows[block]), order[block], 1)
    names = np.array([name for name, _ in reader.columns])
    found: dict[str, Any] = {}
    for place in range(n):
        at = order[:, place]
        found[f"column_{place + 1}"] = pa.array(names[at].tolist(), pa.string())
        found[f"value_{place + 1}"] = pa.array(_written(data, at), pa.string())
        found[f"expected_{place + 1}"] = pa.array(_written_numbers(expected[:, place], at, reader), pa.string())
        found[f"part_{place + 1}"] = pa.array(part[:, place])
    return found


def _written(data: Dataset, columns: np.ndarray) -> list[str]:
    samples: Any = data.samples
    return [samples.cell(row, column) for row, column in enumerate(columns.tolist())]


def _written_numbers(values: np.ndarray, columns: np.ndarray, reader: _Reader) -> list[str]:
    """Return expected values as a person writes them; of a category none: it is known by how rare it is."""
    return [
        "" if kind in ("category", "boolean") else write_cell(value, name, kind, {})
        for value, (name, kind) in zip(values.tolist(), (reader.columns[column] for column in columns), strict=True)
    ]


def _write_ids(run: Run, data: Dataset) -> None:
    """Write which rows the folder is of, so that the same table, grown, is known again; they are not embedded."""
    ids, digests = (pa.array(column.tolist(), pa.string()) for column in (data.ids, data.digests))
    table = pa.table({"id": ids, "digest": digests}).replace_schema_metadata({"encoder": "", "blocks": "{}"})
    with run.writing("ids.parquet", step=STEP) as (file,):
        write_parquet(table, file)


def _read_notes(data: Dataset) -> list[str]:
    """Return what was met in the columns of a table and which are left out, in sentences; nothing of other kinds."""
    notes, unused = (data.settings.get(name, {}) for name in ("notes", "left_out"))
    left_out = {name: why for name, why in unused.items() if why not in (IDS, LABELS)}
    told = [f"Column {quoted(name)}: {note}." for name, note in list(notes.items())[:NOTED]]
    away = [f"{quoted(name)} {why}" for name, why in list(left_out.items())[:NOTED]]
    more = "" if len(left_out) <= NOTED else f", and {len(left_out) - NOTED} more"
    return told + ([f"Left out: {', '.join(away)}{more}."] if away else [])


def _known(data: Dataset, labels: Any, odd: str | None) -> _Known:
    """Return which rows are known to be odd and which to be ordinary."""
    given: Labels | None = data.labels
    if labels is not None:
        given = read_labels(labels, Source(data.source, data.ids), label_column=None, cache=cache_folder())
    if given is None or not given.given.any():
        nothing = np.zeros(len(data), bool)
        return _Known(nothing, nothing)
    place = _odd_class(given.classes.tolist(), odd)
    return _Known(given.codes == place, given.given & (given.codes != place))


def _odd_class(classes: list[Any], odd: str | None) -> int:
    """Return the place of the class that marks odd rows."""
    written = [str(name) for name in classes]
    if odd is not None:
        if odd not in written:
            raise InputError(f"odd={odd!r} is not one of the labels, which are {', '.join(map(quoted, written[:20]))}.")
        return written.index(odd)
    usual = [place for place, name in enumerate(written) if name.strip().casefold() in ODD_WORDS]
    if len(usual) == 1:
        return usual[0]
    if len(classes) == 1:
        return 0
    raise InputError(
        f"which label marks the odd rows? They are {', '.join(map(quoted, written[:20]))}: say it with odd='NAME'."
    )


def _check_threshold(share: float | None, false_alarm_rate: float | None) -> None:
    if share is not None and false_alarm_rate is not None:
        raise InputError("share and false_alarm_rate both set the threshold: give one of them.")
    for name, value in (("share", share), ("false_alarm_rate", false_alarm_rate)):
        if value is not None and not 0 < value < 1:
            raise InputError(f"{name} must be above 0 and below 1, got {value!r}.")


def _set_threshold(
    detector: AnomalyDetector,
    known: _Known,
    share: float | None,
    false_alarm_rate: float | None,
    reader: _Reader,
    normals: Any,
) -> list[str]:
    """Set the threshold and return what is to be said of it."""
    if false_alarm_rate is None:
        detector.set_threshold(share=0.01 if share is None else share)
        return [f"The threshold leaves {0.01 if share is None else share:.2%} of the rows above it."]
    if normals is not None:
        scores = -detector.score_samples(reader.numbers(reader.read(normals)))
    else:
        scores = detector.decision_scores_[known.normal]
    if not len(scores):
        raise InputError(
            "a false alarm rate needs rows known to be ordinary: label some so, or give a table of them as normals."
        )
    detector.set_threshold(threshold_at(scores, false_alarm_rate))
    return [
        f"At most {false_alarm_rate:.2%} of new ordinary rows will lie above the threshold, by {len(scores)} rows "
        "known to be ordinary."
    ]
