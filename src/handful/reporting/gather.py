"""From a run folder to the content of its report."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from handful.data import Dataset, Labels, Refusal, encode_labels
from handful.data.spreadsheet import read_csv
from handful.errors import InputError
from handful.files import write_array
from handful.graph.layout import layout
from handful.methods import FAMILIES
from handful.modalities.registry import make_modality
from handful.propagation.calibrate import Estimate
from handful.reporting.content import Content, LabelIssue
from handful.reporting.given_back import show_given_back
from handful.reporting.next_frames import show_next_frames
from handful.reporting.page import encode_page, write_page
from handful.run.folder import Run, locked, open_run
from handful.run.path import read_again
from handful.run.record import read_json

FIGURES = {
    "loss": "Loss",
    "error": "Error of what comes next",
    "naive_error": "Error of the naive guess of it",
    "rank": "Effective rank (RankMe)",
    "contrast": "Contrast of the vectors",
    "spread": "Spread of the vectors",
    "alignment": "Alignment (lower is better)",
    "uniformity": "Uniformity (lower is better)",
    "agreement": "Neighbours that share a group",
}
NOT_CURVES = ("width", "verdict")
FLAGS = ("method", "epochs", "batch_size", "learning_rate", "precision", "patience")


def report(
    run: Run | str | os.PathLike[str],
    *,
    data: Dataset | None = None,
    truth: Any = None,
    out: str | os.PathLike[str] | None = None,
) -> Path:
    """Write the report of a run as one HTML file and return its path.

    run: a Run or its folder.
    data: the run's data set, where it cannot be read again from its source.
    truth: what `read` takes as labels, or one label a row: the report then counts what is right, on rows that were not
        given.
    out: the file; None for report.html in the run folder.
    Raises InputError where the run has no labels yet, or the truth does not fit it.
    """
    run = run if isinstance(run, Run) else open_run(run)
    with locked(run):
        content = gather(run, data=data, truth=truth)
        if out is not None:
            return write_page(content, out)
        with run.writing("report.html", step="report") as (file,):
            file.write(encode_page(content))
    return run.folder / "report.html"


def gather(run: Run, *, data: Dataset | None = None, truth: Any = None) -> Content:
    """Return what the report of `run` shows.

    data: the data set of the run; None reads it again, and where that cannot be done the items are not shown.
    truth: what `read` takes as labels, or one label a row; None for none.
    Raises InputError where a step has not been run, or the truth does not fit the run.
    """
    table = run.labels
    ids = np.array(table["id"].to_pylist(), dtype=str)
    said = run.record["propagate"]
    notes = list(said["notes"])
    known = None if truth is None else _truth(run, data, truth, ids)
    classes = _classes(said["classes"], known)
    code = {name: index for index, name in enumerate(classes)}
    if data is None:
        data, notes = _try_reading(run, notes)
    graph, labels = run.graph, _codes(table["label"].to_pylist(), code)
    return Content(
        title=_title(run),
        ids=ids,
        classes=classes,
        labels=labels,
        confidence=table["confidence"].to_numpy(),
        source=np.array(table["source"].to_pylist(), dtype=object),
        reached=np.asarray(table["reached"]),
        positions=_positions(run),
        runner_up=_codes(table["runner_up"].to_pylist(), code),
        margin=table["margin"].to_numpy(),
        neighbours=graph.neighbours,
        truth=None if known is None else _codes(known.decode(known.codes).tolist(), code),
        accuracy=None if said["expected_accuracy"] is None else Estimate(*said["expected_accuracy"]),
        rule=said["rule"],
        reason=said["reason"],
        refused=[Refusal(entry["id"], entry["reason"]) for entry in run.data["refused"]],
        notes=[
            *_advice(run),
            *notes,
            *run.record["graph"]["notes"],
            *run.record.get("near_duplicates", {}).get("notes", []),
        ],
        settings=_settings(run),
        command=_command(run),
        label_issues=_label_issues(run, ids),
        versions={"handful": run.record["version"]},
        ahead="" if data is None or data.modality != "video" else show_next_frames(run.encoder, data),
        given_back=_given_back(run, data),
        **_training(run),
        **_looks(data, ids),
        class_words=_class_words(data, ids, classes, labels),
    )


def _given_back(run: Run, data: Dataset | None) -> str:
    """Return how pictures come back from the network of a method that gives them back, as HTML."""
    method = run.record.get("pretrain", {}).get("options", {}).get("method") or ""
    if data is None or data.modality != "image" or not {*method.split("+")} & {*FAMILIES["autoencoding"]}:
        return ""
    return show_given_back(run.encoder, data)


def _advice(run: Run) -> list[str]:
    """Return in a sentence what was advised and why, where the run took it."""
    if not run.stands("advice.json"):
        return []
    found = read_json(run.folder / "advice.json")
    taken = run.record.get("pretrain", {}).get("options", {}).get("method") == found["method"]
    return [f"The method {found['method']} was advised: {found['because']}."] if taken else []


def _title(run: Run) -> str:
    """Return the last part of the source's path, or the run folder's name where the data came from memory."""
    source = str(run.record.get("source") or "")
    name = "" if source.startswith("<") else source.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    return name or run.folder.resolve().name


def _classes(given: list[Any], known: Labels | None) -> list[str]:
    """Return the run's classes, then those that only the truth knows."""
    classes = [str(name) for name in given]
    extra = [] if known is None else [str(name) for name in known.classes.tolist()]
    return classes + [name for name in extra if name not in classes]


def _codes(names: list[Any], code: Mapping[str, int]) -> np.ndarray:
    """Return [N] int32 indices of names, -1 where a name is None."""
    return np.array([-1 if name is None else code[str(name)] for name in names], dtype=np.int32)


def _truth(run: Run, data: Dataset | None, truth: Any, ids: np.ndarray) -> Labels:
    """Return the truth of the run's rows."""
    if isinstance(truth, str | Mapping) or hasattr(truth, "__fspath__"):
        read = read_again(run, truth)
        assert read.labels is not None
        return read.labels.take(_rows_of(ids, read.ids))
    labels = encode_labels(truth)
    if len(labels.codes) != len(ids):
        raise InputError(f"truth must have one value for each of the run's {len(ids)} items, got {len(labels.codes)}.")
    return labels


def _rows_of(ids: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Return the row in `among` of each id. Raises InputError where one is gone."""
    if np.array_equal(ids, among):
        return np.arange(len(ids))
    row = {name: at for at, name in enumerate(among.tolist())}
    gone = next((name for name in ids.tolist() if name not in row), None)
    if gone is not None:
        raise InputError(f"item {gone!r} of the run is no longer in its source: run `handful label` again.")
    return np.array([row[name] for name in ids.tolist()], dtype=np.int64)


def _try_reading(run: Run, notes: list[str]) -> tuple[Dataset | None, list[str]]:
    """Return the run's data, read again, or None and the reason among the notes."""
    try:
        data = read_again(run)
        _rows_of(run.embeddings.ids, data.ids)
    except InputError as error:
        return None, [*notes, f"The items are not shown: {error}"]
    return data, notes


def _looks(data: Dataset | None, ids: np.ndarray) -> dict[str, Any]:
    """Return how items are shown, by the names that Content gives it."""
    if data is None:
        return {}
    samples, at = data.samples, _rows_of(ids, data.ids)
    modality = make_modality(data.modality, data.settings)
    looks: dict[str, Any] = {"show": lambda rows: modality.show(samples, at[rows])}
    first = samples[at[:1]]
    if isinstance(first, np.ndarray) and first.dtype == np.uint8 and first.ndim == 4:  # pictures [n, C, H, W]
        looks["pictures"] = lambda rows: samples[at[rows]]
    return looks


def _class_words(data: Dataset | None, ids: np.ndarray, classes: list[str], labels: np.ndarray) -> dict[str, list[str]]:
    """Return the words that tell each class, by class, of data that is made of words."""
    tell = None if data is None else getattr(make_modality(data.modality, data.settings), "telling_words", None)
    if data is None or tell is None:
        return {}
    codes = np.full(len(data), -1)
    codes[_rows_of(ids, data.ids)] = labels
    return {name: words for name, words in zip(classes, tell(data.samples, codes, len(classes)), strict=True) if words}


def _positions(run: Run) -> np.ndarray:
    """Return the map of the run's graph [N, 2], made once and kept in map.npy."""
    path, made_of = run.folder / "map.npy", run.record["graph"]["made_of"]
    if run.stands(path.name) and run.record.get("map") == made_of:
        return np.load(path, allow_pickle=False)
    positions = layout(run.graph, seed=made_of["seed"])
    with run.writing(path.name, step="report", note={"map": made_of}) as (file,):
        write_array(file, positions)
    return positions


def _training(run: Run) -> dict[str, Any]:
    """Return the curves, the figures they are compared with, and the verdict."""
    path = run.folder / "health.json"
    record: dict[str, Any] = {"history": [], "verdict": "not trained"}
    if path.is_file():
        run.require(path, "pretrain")
        record = json.loads(path.read_text())
    history = record["history"]
    only_part = {name for epoch in history for name in epoch if name != "loss" and _same(history, name, "loss")}
    curves = [_renamed({key: value for key, value in epoch.items() if key not in only_part}) for epoch in history]
    references = {"the untrained encoder": record.get("untrained", {}), "the raw input": record.get("raw", {})}
    references = {name: _renamed(figures) for name, figures in references.items() if figures}
    verdict = str(record["verdict"])
    return {"curves": curves, "references": references, "health": verdict[:1].upper() + verdict[1:]}


def _same(history: list[dict[str, Any]], name: str, other: str) -> bool:
    """Tell whether two figures are the same in every epoch: a loss of one part is not shown twice."""
    return all(epoch.get(name) == epoch.get(other) for epoch in history)


def _renamed(figures: Mapping[str, Any]) -> dict[str, float]:
    return {FIGURES.get(name, name): value for name, value in figures.items() if name not in NOT_CURVES}


def _settings(run: Run) -> dict[str, Any]:
    record, data = run.record, run.data
    pretrain = {name: value for name, value in record.get("pretrain", {}).get("options", {}).items() if value != {}}
    made_of = {name: value for name, value in record["graph"]["made_of"].items() if name != "embeddings"}
    return {
        "source": record.get("source"),
        "labels": record.get("labels"),
        "data": {"modality": data["modality"], **data["settings"], "fingerprint": data["fingerprint"]},
        "pretrain": pretrain,
        "graph": made_of,
        "propagate": {**record["propagate"]["asked"], "seed": record["propagate"]["seed"]},
    }


def _command(run: Run) -> str:
    """Return the command that repeats the run; "" where its data came from memory."""
    record = run.record
    sources = [record.get("source"), record.get("labels")]
    if sources[0] is None or any(str(source).startswith("<") for source in sources):
        return ""
    options = {"labels": sources[1], "out": run.folder.resolve()}
    pretrain = record.get("pretrain", {}).get("options", {})
    options |= {name: pretrain.get(name) for name in FLAGS}
    options |= {name: pretrain.get("views", {}).get(name) for name in ("crop", "flip")}
    options |= dict(record["propagate"]["asked"])
    options |= {"n_neighbors": record["graph"]["made_of"]["n_neighbors"]}
    options |= {name: record["reading"].get(name) for name in ("modality", "size", "window", "stride", "label_column")}
    options |= {"seed": pretrain.get("seed"), "strict": record["reading"].get("strict") or None}
    return " ".join(["handful label", shlex.quote(str(sources[0])), *filter(None, map(_flag, options.items()))])


def _flag(option: tuple[str, Any]) -> str:
    """Return an option as the command line takes it; "" where it was not given."""
    name, value = option[0].replace("_", "-"), option[1]
    if value is None:
        return ""
    if isinstance(value, bool):
        return f"--{name}" if value else f"--no-{name}"
    return f"--{name} {shlex.quote(json.dumps(value) if isinstance(value, dict | list) else str(value))}"


def _label_issues(run: Run, ids: np.ndarray) -> list[LabelIssue]:
    path = run.folder / "label_issues.csv"
    if not path.is_file():
        return []
    run.require(path, "propagate")
    found = read_csv(str(path))
    row = {name: at for at, name in enumerate(ids.tolist())}
    entries = zip(found["id"].to_pylist(), found["suggested"].to_pylist(), strict=True)
    return [LabelIssue(row[name], suggested) for name, suggested in entries]
