"""The run folder: what each step wrote, read back. Every file is written whole or not at all, and has a checksum."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from handful import __version__
from handful.data import Dataset
from handful.data.arrays import UNREADABLE, first_line
from handful.data.digests import digest_file
from handful.data.remote import is_remote
from handful.data.spreadsheet import write_csv
from handful.data.tables import write_parquet
from handful.errors import InputError, WriteError
from handful.files import settle, sweep, write_array, written_whole
from handful.graph import Graph
from handful.propagation import Propagation
from handful.run.hold import held
from handful.run.home import Home
from handful.run.record import NAME, read_json, read_record, write_json, write_record
from handful.run.summary import Summary, labels_table
from handful.training.embed import Embeddings
from handful.training.encoder import Encoder

FORMAT = 2
_READ = ("record", "data", "encoder", "embeddings", "graph", "labels", "evaluation", "_found")


@dataclass(frozen=True)
class Run:
    """A run folder. What a step has not finished yet, or is damaged, raises InputError when it is asked for.

    folder: where it lies. home: where it lies in truth, of a run on another file system; `folder` is a copy then.
    """

    folder: Path
    home: Home | None = None

    def address(self, name: str = "") -> str:
        """Return where a file of the run lies, or the folder itself, as people look for it."""
        if self.home is not None:
            return f"{self.home.name}/{name}".rstrip("/")
        return str(self.folder / name)

    @cached_property
    def record(self) -> dict[str, Any]:
        """run.json: the version, the resolved settings, what each step said, and the checksums of the files."""
        return read_record(self.folder)

    @cached_property
    def data(self) -> dict[str, Any]:
        """data.json: what was read, counts, fingerprint, what was refused and why."""
        self.require(self.folder / "data.json", "label")
        return read_json(self.folder / "data.json")

    @property
    def encoder_folder(self) -> Path:
        """Where the encoder and the state of its training lie."""
        return self.folder / "encoder"

    @cached_property
    def encoder(self) -> Encoder:
        """The trained encoder."""
        for name in {"encoder/config.json", *self.made_by("pretrain")}:
            self.require(self.folder / name, "pretrain")
        return Encoder.from_pretrained(self.encoder_folder)

    @cached_property
    def embeddings(self) -> Embeddings:
        """The embeddings of all items, memory-mapped."""
        for name in ("embeddings.npy", "ids.parquet"):
            self.require(self.folder / name, "embed")
        with readable(self.folder / "embeddings.npy", "embed"):
            return Embeddings.load(self.folder)

    @cached_property
    def graph(self) -> Graph:
        """The graph over all items."""
        self.require(self.folder / "graph.npz", "propagate")
        with readable(self.folder / "graph.npz", "propagate"):
            return Graph.load(self.folder / "graph.npz")

    @cached_property
    def labels(self) -> pa.Table:
        """labels.parquet: id, label, confidence, source, reached, margin, runner_up."""
        self.require(self.folder / "labels.parquet", "propagate")
        with readable(self.folder / "labels.parquet", "propagate"):
            return pq.read_table(self.folder / "labels.parquet")

    @cached_property
    def evaluation(self) -> dict[str, Any] | None:
        """evaluation.json, or None where the run was not judged."""
        path = self.folder / "evaluation.json"
        if not path.is_file():
            return None
        self.require(path, "evaluate")
        return read_json(path)

    def summary(self) -> Summary:
        """Return the answer in figures."""
        table, said = self.labels, self.record["propagate"]
        expected = said["expected_accuracy"]
        source = np.array(table["source"].to_pylist())
        return Summary(
            items=len(table),
            given=int(np.isin(source, ["given", "reviewed"]).sum()),
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
        """Raise InputError unless `path` is there as the step wrote it; `step` is the command that makes it."""
        name = path.relative_to(self.folder).as_posix()
        if not path.exists():
            raise InputError(f"{path} is missing: run `handful {step}` on this run folder first.")
        if name not in self._files:
            raise InputError(f"{path} is not finished, or not of this run: `handful {step}` makes it.")
        if not self.stands(name):
            raise InputError(
                f"{path} is damaged, its checksum is not the one in {NAME}: `handful {step}` makes it again."
            )

    def stands(self, *names: str) -> bool:
        """Tell whether files are there as the steps that made them wrote them. Each is read once a step."""
        return all(name in self._files and self._digest_of(name) == self._files[name]["digest"] for name in names)

    def digest(self, name: str) -> str:
        """Return the checksum that run.json has of a file."""
        return str(self._files[name]["digest"])

    def made_by(self, step: str) -> list[str]:
        """Return the names of the files that a step made."""
        return [name for name, told in self._files.items() if told["step"] == step]

    @contextmanager
    def writing(self, *names: str, step: str, note: Mapping[str, Any] | None = None) -> Iterator[list[IO[bytes]]]:
        """Give files to write that become `names` of this folder together, once the block ends without an error.

        step: the command that makes them again. note: what it says, added to run.json.
        A full disk is met before the first of them is in its place; a process that is killed between two of them
        leaves them unfinished by the record, and the step makes them again.
        """
        with ExitStack() as stack:
            record = stack.enter_context(written_whole(self.folder / NAME))  # the last to take its name
            files = [stack.enter_context(written_whole(self.folder / name)) for name in names]
            yield files
            for file in files:
                settle(file)
            told = {name: _told(Path(file.name), step) for name, file in zip(names, files, strict=True)}
            write_record(record, {**self.record, **(note or {}), "files": {**self._files, **told}})
            settle(record)
            self.disown(names)
        self._forget_but(told)

    def vouch(self, names: Iterable[str], *, step: str, note: Mapping[str, Any] | None = None) -> None:
        """Take files that another room wrote into this folder for finished, and add what the step said to run.json."""
        told = {name: _told(self.folder / name, step) for name in names}
        self.note(files={**self._files, **told}, **(note or {}))
        self._forget_but(told)

    def disown(self, names: Iterable[str]) -> None:
        """Take files for unfinished, until they are written again."""
        names = set(names)
        if names & self._files.keys():
            self.note(files={name: told for name, told in self._files.items() if name not in names})

    def discard_damaged(self, step: str) -> list[str]:
        """Delete what a step made and is damaged now, so that it makes it again; return the names."""
        damaged = [name for name in self.made_by(step) if not self.stands(name)]
        for name in damaged:
            (self.folder / name).unlink(missing_ok=True)
        self.disown(damaged)
        return damaged

    @property
    def _files(self) -> Mapping[str, Any]:
        return self.record.get("files", {})

    def _digest_of(self, name: str) -> str:
        found = self.__dict__.setdefault("_found", {})
        if name not in found:
            path = self.folder / name
            found[name] = digest_file(path) if path.is_file() else ""
        return str(found[name])

    def write_json(self, name: str, content: Mapping[str, Any], *, step: str) -> None:
        """Write a file of JSON."""
        with self.writing(name, step=step) as (file,):
            write_json(file, content)

    def note(self, **steps: Any) -> None:
        """Add what a step said to run.json."""
        record = {**self.record, **steps}
        with written_whole(self.folder / NAME) as file:
            write_record(file, record)
        self.__dict__.pop("record", None)

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
            step="label",
        )

    def write_embeddings(self, embeddings: Embeddings, digests: np.ndarray, encoder_digest: str) -> None:
        """Write embeddings.npy and ids.parquet."""
        blocks = {name: [columns.start, columns.stop] for name, columns in embeddings.blocks.items()}
        table = pa.table(
            {"id": pa.array(embeddings.ids.tolist(), pa.string()), "digest": pa.array(digests.tolist(), pa.string())}
        )
        table = table.replace_schema_metadata(
            {"blocks": json.dumps(blocks), "counts": json.dumps(dict(embeddings.counts)), "encoder": encoder_digest}
        )
        with self.writing("embeddings.npy", "ids.parquet", step="embed") as (vectors, rows):
            write_array(vectors, embeddings.vectors)
            write_parquet(table, rows)

    def write_labels(
        self,
        ids: np.ndarray,
        answer: Propagation,
        issues: pa.Table,
        *,
        asked: Mapping[str, Any],
        reviewed: np.ndarray | None = None,
    ) -> None:
        """Write labels.parquet, labels.csv and label_issues.csv, and the answer's own words to run.json.

        reviewed: [N] bool, the given rows that people decided on in the review.
        """
        table = labels_table(ids, answer, reviewed)
        expected = answer.expected_accuracy
        said = {
            "asked": dict(asked),
            "rule": answer.rule,
            "reason": answer.reason,
            "classes": answer.classes.tolist(),
            "expected_accuracy": None if expected is None else [expected.value, expected.low, expected.high],
            "notes": list(answer.notes),
            "seed": answer.seed,
        }
        names = ("labels.parquet", "labels.csv", "label_issues.csv")
        with self.writing(*names, step="propagate", note={"propagate": said}) as (parquet, csv, worst):
            write_parquet(table, parquet)
            write_csv(table, csv)
            write_csv(issues, worst)

    def _forget_but(self, told: Mapping[str, Any]) -> None:
        """Drop what was read, but not which files stand: a large one is not read for its checksum after each step."""
        found = {**self.__dict__.get("_found", {}), **{name: entry["digest"] for name, entry in told.items()}}
        self.forget()
        self.__dict__["_found"] = found

    def forget(self) -> None:
        """Drop what was read from the folder, after it changed."""
        for name in _READ:
            self.__dict__.pop(name, None)


def _told(path: Path, step: str) -> dict[str, Any]:
    return {"digest": digest_file(path), "step": step}


@contextmanager
def readable(path: Path, step: str) -> Iterator[None]:
    """Tell in a sentence that `path` does not hold what `step` writes there: anything can have a right checksum."""
    try:
        yield
    except InputError:
        raise
    except UNREADABLE as error:
        raise InputError(f"{path} cannot be read ({first_line(error)}): `handful {step}` makes it again.") from error


def open_run(folder: str | os.PathLike[str]) -> Run:
    """Return the run in `folder`, a path or an address such as s3://bucket/run.

    Raises InputError where there is none, or one of another version.
    """
    run = _run_at(folder)
    if run.home is not None:
        run.home.fetch()
    if not (run.folder / NAME).is_file():
        raise InputError(f"{run.address()} is not a run folder: run.json is missing.")
    return _of_this_version(run)


def make_run(folder: str | os.PathLike[str]) -> Run:
    """Return the run in `folder`, made if it is not there.

    Raises InputError where the folder holds something else or cannot be written.
    """
    run = _run_at(folder)
    if run.home is not None:
        run.home.fetch()
    path = run.folder
    if not (path / NAME).is_file():
        if path.exists() and not path.is_dir():
            raise InputError(f"{path} is a file: an output folder is needed.")
        if any(path.iterdir()) if path.is_dir() else run.home is not None and run.home.place.files():
            raise InputError(f"{run.address()} is not empty and not a run folder: choose another output folder.")
        _begin(run)
    if run.home is not None and not run.home.is_claimed:
        run.home.bring()  # what cannot be written is met before the work, and others see that the folder is taken
    return _of_this_version(run)


def discard(run: Run) -> None:
    """Delete a run folder, of a run that came to nothing."""
    if run.home is not None:
        run.home.forsake()
    else:
        shutil.rmtree(run.folder)


@contextmanager
def locked(run: Run) -> Iterator[None]:
    """Hold the run folder for one process. Raises InputError where another holds it; a dead one's hold is gone.

    What a killed one left half-written is removed, and what was read before is read again. What a run folder on
    another file system gained is brought there once the block ends without an error.
    """
    with held(run.folder, run.address()):
        for folder in (run.folder, run.encoder_folder):
            sweep(folder)
        run.forget()
        yield
        if run.home is not None:
            run.home.bring()


def _run_at(folder: str | os.PathLike[str]) -> Run:
    if not isinstance(folder, str) or not is_remote(folder):
        return Run(Path(folder))
    home = Home.find(folder)
    return Run(home.folder, home)


def _of_this_version(run: Run) -> Run:
    if run.record.get("format") != FORMAT:
        raise InputError(
            f"{run.address()} was written in format {run.record.get('format')} by handful {run.record.get('version')}, "
            f"this is format {FORMAT}, handful {__version__}: choose another folder or delete it."
        )
    return run


def _begin(run: Run) -> None:
    """Make the folder of a run, with a record that names no file."""
    path = run.folder
    try:
        path.mkdir(parents=True, exist_ok=True)
        with written_whole(path / NAME) as file:
            write_record(file, {"format": FORMAT, "version": __version__, "files": {}})
    except OSError as error:
        if isinstance(error, WriteError) and os.access(path, os.W_OK):
            raise
        raise InputError(f"{path} cannot be written ({error.strerror}): choose another output folder.") from error
