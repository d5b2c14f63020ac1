"""The run folder: what each step wrote, read back. Every file is written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from handful import __version__
from handful.data import Dataset, Labels
from handful.errors import InputError
from handful.files import replace_file
from handful.graph import Graph
from handful.propagation import Propagation
from handful.propagation.audit import LabelIssues
from handful.training.embed import Embeddings
from handful.training.encoder import Encoder

FORMAT = 1


@dataclass(frozen=True)
class Summary:
    """The answer of a run in figures; shares are of 1."""

    items: int
    given: int
    propagated: int
    unreached: int
    refused: int
    expected_accuracy: float | None
    expected_low: float | None
    expected_high: float | None
    rule: str
    reason: str
    notes: list[str]
    health: str

    def as_dict(self) -> dict[str, Any]:
        """Return the figures by name."""
        return asdict(self)

    def in_words(self) -> str:
        """Return what a person wants to hear first."""
        lines = [f"{self.items} items: {self.given} labels given, {self.propagated} propagated with {self.rule}."]
        if self.expected_accuracy is not None:
            low, high = self.expected_low or 0.0, self.expected_high or 0.0
            lines.append(
                f"Expected to be right: {self.expected_accuracy:.1%} of the propagated "
                f"(between {low:.1%} and {high:.1%})."
            )
        if self.refused:
            lines.append(f"{self.refused} could not be read and were left out: see data.json.")
        return "\n".join([*lines, *self.notes])


@dataclass(frozen=True)
class Run:
    """A run folder. What a step has not written yet raises InputError when it is asked for.

    folder: where it lies.
    """

    folder: Path

    @cached_property
    def record(self) -> dict[str, Any]:
        """run.json: the version, the resolved settings, and what each step said."""
        return _read_json(self.folder / "run.json")

    @cached_property
    def data(self) -> dict[str, Any]:
        """data.json: what was read, counts, fingerprint, what was refused and why."""
        return _read_json(self.folder / "data.json")

    @property
    def encoder_folder(self) -> Path:
        """Where the encoder and the state of its training lie."""
        return self.folder / "encoder"

    @cached_property
    def encoder(self) -> Encoder:
        """The trained encoder."""
        self.require(self.encoder_folder / "config.json", "pretrain")
        return Encoder.from_pretrained(self.encoder_folder)

    @cached_property
    def embeddings(self) -> Embeddings:
        """The embeddings of all items, memory-mapped."""
        return Embeddings.load(self.folder)

    @cached_property
    def graph(self) -> Graph:
        """The graph over all items."""
        self.require(self.folder / "graph.npz", "propagate")
        return Graph.load(self.folder / "graph.npz")

    @cached_property
    def labels(self) -> pa.Table:
        """labels.parquet: id, label, confidence, source, reached, margin, runner_up."""
        self.require(self.folder / "labels.parquet", "propagate")
        return pq.read_table(self.folder / "labels.parquet")

    @cached_property
    def evaluation(self) -> dict[str, Any] | None:
        """evaluation.json, or None where the run was not judged."""
        path = self.folder / "evaluation.json"
        return _read_json(path) if path.is_file() else None

    def summary(self) -> Summary:
        """Return the answer in figures."""
        table, said = self.labels, self.record["propagate"]
        expected = said["expected_accuracy"]
        source = np.array(table["source"].to_pylist())
        return Summary(
            items=len(table),
            given=int((source == "given").sum()),
            propagated=int((source == "propagated").sum()),
            unreached=int((~table["reached"].to_numpy()).sum()),
            refused=len(self.data["refused"]),
            expected_accuracy=expected and expected[0],
            expected_low=expected and expected[1],
            expected_high=expected and expected[2],
            rule=said["rule"],
            reason=said["reason"],
            notes=said["notes"],
            health=self.encoder.record["verdict"],
        )

    def require(self, path: Path, step: str) -> None:
        """Raise InputError unless `path` is there; `step` is the command that writes it."""
        if not path.exists():
            raise InputError(f"{path} is missing: run `handful {step}` on this run folder first.")

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a file of JSON."""
        with replace_file(self.folder / name) as temporary:
            temporary.write_text(json.dumps(content, indent=1, default=_as_json))
        self.forget()

    def note(self, **steps: Any) -> None:
        """Add what a step said to run.json."""
        self.write_json("run.json", {**self.record, **steps})

    def write_data(self, data: Dataset) -> None:
        """Write data.json."""
        given = (
            None
            if data.labels is None
            else {
                "classes": data.labels.classes.tolist(),
                "counts": np.bincount(
                    data.labels.codes[data.labels.given], minlength=len(data.labels.classes)
                ).tolist(),
            }
        )
        self.write_json(
            "data.json",
            {
                "source": data.source,
                "modality": data.modality,
                "count": len(data),
                "fingerprint": data.fingerprint,
                "settings": dict(data.settings),
                "given": given,
                "refused": [{"id": item.id, "reason": item.reason} for item in data.refused],
            },
        )

    def write_embeddings(self, embeddings: Embeddings, digests: np.ndarray, encoder_digest: str) -> None:
        """Write embeddings.npy and ids.parquet."""
        with replace_file(self.folder / "embeddings.npy") as temporary, temporary.open("wb") as file:
            np.save(file, embeddings.vectors, allow_pickle=False)
        blocks = {name: [columns.start, columns.stop] for name, columns in embeddings.blocks.items()}
        table = pa.table(
            {"id": pa.array(embeddings.ids.tolist(), pa.string()), "digest": pa.array(digests.tolist(), pa.string())}
        )
        table = table.replace_schema_metadata({"blocks": json.dumps(blocks), "encoder": encoder_digest})
        with replace_file(self.folder / "ids.parquet") as temporary:
            pq.write_table(table, temporary)
        self.forget()

    def write_labels(self, ids: np.ndarray, answer: Propagation, *, asked: Mapping[str, Any]) -> None:
        """Write labels.parquet and labels.csv, and the answer's own words to run.json."""
        table = labels_table(ids, answer)
        with replace_file(self.folder / "labels.parquet") as temporary:
            pq.write_table(table, temporary)
        with replace_file(self.folder / "labels.csv") as temporary:
            pacsv.write_csv(table, temporary, pacsv.WriteOptions(quoting_style="needed"))
        expected = answer.expected_accuracy
        self.note(
            propagate={
                "asked": dict(asked),
                "rule": answer.rule,
                "reason": answer.reason,
                "classes": answer.classes.tolist(),
                "expected_accuracy": None if expected is None else [expected.value, expected.low, expected.high],
                "notes": list(answer.notes),
                "seed": answer.seed,
            }
        )

    def write_issues(self, ids: np.ndarray, labels: Labels, issues: LabelIssues) -> None:
        """Write label_issues.csv: the given labels that the graph contradicts, the worst first."""
        table = pa.table(
            {
                "id": pa.array(ids[issues.rows].tolist(), pa.string()),
                "label": labels.decode(labels.codes[issues.rows]).tolist(),
                "suggested": labels.decode(issues.suggested).tolist(),
                "score": pa.array(issues.scores.astype(np.float32)),
            }
        )
        with replace_file(self.folder / "label_issues.csv") as temporary:
            pacsv.write_csv(table, temporary)

    def forget(self) -> None:
        """Drop what was read from the folder, after it changed."""
        for name in ("record", "data", "encoder", "embeddings", "graph", "labels", "evaluation"):
            self.__dict__.pop(name, None)


def labels_table(ids: np.ndarray, answer: Propagation) -> pa.Table:
    """Return the answer as a table: id, label, confidence, source, reached, margin, runner_up."""
    kind = pa.string() if answer.classes.dtype.kind in "UO" else pa.int64()
    source = np.where(answer.given, "given", np.where(answer.reached, "propagated", ""))
    return pa.table(
        {
            "id": pa.array(ids.tolist(), pa.string()),
            "label": pa.array(answer.labels.tolist(), kind),
            "confidence": pa.array(answer.confidence.astype(np.float32)),
            "source": pa.array(source.tolist(), pa.string()),
            "reached": pa.array(answer.reached),
            "margin": pa.array(answer.margin.astype(np.float32)),
            "runner_up": pa.array(answer.runner_up.tolist(), kind),
        }
    )


def open_run(folder: str | os.PathLike[str]) -> Run:
    """Return the run in `folder`. Raises InputError where there is none, or one of another version."""
    run = Run(Path(folder))
    if not (run.folder / "run.json").is_file():
        raise InputError(f"{folder} is not a run folder: run.json is missing.")
    if run.record.get("format") != FORMAT:
        raise InputError(
            f"{folder} was written in format {run.record.get('format')} by handful {run.record.get('version')}, "
            f"this is format {FORMAT}, handful {__version__}: choose another folder or delete it."
        )
    return run


def make_run(folder: str | os.PathLike[str]) -> Run:
    """Return the run in `folder`, made if it is not there.

    Raises InputError where the folder holds something else or cannot be written.
    """
    path = Path(folder)
    if (path / "run.json").is_file():
        return open_run(path)
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file: an output folder is needed.")
    if path.is_dir() and any(path.iterdir()):
        raise InputError(f"{path} is not empty and not a run folder: choose another output folder.")
    try:
        path.mkdir(parents=True, exist_ok=True)
        run = Run(path)
        run.write_json("run.json", {"format": FORMAT, "version": __version__})
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}): choose another output folder.") from error
    return run


@contextmanager
def locked(run: Run) -> Iterator[None]:
    """Hold the run folder for one process. Raises InputError where another holds it; a dead one's hold is gone."""
    import fcntl

    with (run.folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(f"{run.folder} is in use by another run: wait for it or choose another folder.") from error
        yield


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text())
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing.") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is damaged ({error}): delete the run folder and start again.") from error


def _as_json(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else str(value)
