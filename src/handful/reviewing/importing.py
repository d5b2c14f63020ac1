"""Labels back in: what people said, from the forms that `exporting` writes and that other tools give back.

Where a form tells who gave a label, only those of people count; a prediction is none. In a tree of folders a file that
was moved to another class since it was written there is what somebody decided.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pyarrow.parquet as pq

from handful.data.labels import is_unlabelled
from handful.data.spreadsheet import read_csv
from handful.errors import InputError, check_choice, quoted
from handful.reviewing.exporting import MANIFEST, METADATA, PEOPLE, UNLABELLED

Labels = dict[str, Any]


def import_labels(path: str | os.PathLike[str], form: str | None = None) -> Labels:
    """Return labels by id from a file or folder. form: as in `export_run`; None finds it.

    Raises InputError where there is nothing to read, or it is not of the form.
    """
    place = Path(path)
    if not place.exists():
        raise InputError(f"{place} does not exist: give the file or folder of the labels.")
    form = form or _find_form(place)
    check_choice("format", form, READERS)
    try:
        return READERS[form](place)
    except InputError:
        raise
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise InputError(f"{place} is not of the form {form!r} ({type(error).__name__}: {error}).") from error


def _find_form(place: Path) -> str:
    if place.is_dir():
        return "hf" if (place / METADATA).is_file() or list(place.glob("*.parquet")) else "folders"
    if place.suffix != ".json":
        known = {".csv": "csv", ".parquet": "parquet", ".jsonl": "jsonl"}
        if place.suffix.lower() not in known:
            raise InputError(f"{place} is of no form that is read: csv, parquet, jsonl, json or a folder.")
        return known[place.suffix.lower()]
    with place.open("rb") as file:
        return "labelstudio" if file.read(64).lstrip()[:1] == b"[" else "coco"


def _from_rows(rows: Iterable[dict[str, Any]]) -> Labels:
    """Return what people said in rows with `id` (or `file_name`), `label` and, where it is told, `source`."""
    found: Labels = {}
    for row in rows:
        name, label = row.get("id", row.get("file_name")), row.get("label")
        if name is None:
            raise InputError(f"a row has neither id nor file_name: {quoted(row)}.")
        if not is_unlabelled(label) and row.get("source", "reviewed") in PEOPLE:
            _put(found, str(name), label)
    return found


def _put(found: Labels, name: str, label: Any) -> None:
    if name in found and found[name] != label:
        raise InputError(f"{quoted(name)} has two labels, {quoted(found[name])} and {quoted(label)}.")
    found[name] = label


def _from_csv(place: Path) -> Labels:
    return _from_rows(read_csv(str(place)).to_pylist())


def _from_parquet(place: Path) -> Labels:
    names = {"id", "file_name", "label", "source"} & set(pq.read_schema(place).names)
    return _from_rows(pq.read_table(place, columns=sorted(names)).to_pylist())


def _from_lines(place: Path) -> Labels:
    with place.open(encoding="utf-8") as file:
        return _from_rows(json.loads(line) for line in file if line.strip())


def _from_label_studio(place: Path) -> Labels:
    found: Labels = {}
    for task in json.loads(place.read_bytes()):
        choices = [
            choice
            for annotation in task.get("annotations", ())
            if not annotation.get("was_cancelled")
            for result in annotation["result"]
            if result["type"] == "choices"
            for choice in result["value"]["choices"]
        ]
        for choice in choices:
            _put(found, _task_id(task["data"]), choice)
    return found


def _task_id(data: dict[str, Any]) -> str:
    """Return the id of a task: as it was exported, else the local file that it shows."""
    if "id" in data:
        return str(data["id"])
    shown = [str(value) for value in data.values() if "/data/local-files/?d=" in str(value)]
    if not shown:
        raise InputError(f"a task has neither an id nor a local file: {quoted(data)}.")
    return parse_qs(urlsplit(shown[0]).query)["d"][0]


def _from_folders(place: Path) -> Labels:
    manifest = place / MANIFEST
    written: dict[str, dict[str, Any]] = {}
    if manifest.is_file():
        with manifest.open(encoding="utf-8") as file:
            written = {row["file_name"]: row for row in map(json.loads, file)}
    found: Labels = {}
    for path in sorted(place.glob("*/*")):
        folder, name = path.parent.name, f"{path.parent.name}/{path.name}"
        if folder.casefold() == UNLABELLED or path.is_dir():
            continue
        row = written.get(name)
        if row is None:
            _put(found, unquote(path.name), unquote(folder))
        elif row["source"] in PEOPLE:
            _put(found, row["id"], row["label"])
    return found


def _from_hugging_face(place: Path) -> Labels:
    if place.is_dir() and (place / METADATA).is_file():
        return _from_lines(place / METADATA)
    files = [place] if place.is_file() else sorted(place.glob("*.parquet"))
    if not files:
        raise InputError(f"{place} holds neither {METADATA} nor a Parquet file.")
    found: Labels = {}
    for file in files:
        for name, label in _from_parquet(file).items():
            _put(found, name, label)
    return found


def _from_coco(place: Path) -> Labels:
    whole = json.loads(place.read_bytes())
    files = {image["id"]: image["file_name"] for image in whole["images"]}
    names = {category["id"]: category["name"] for category in whole["categories"]}
    rows = (
        {"id": files[one["image_id"]], "label": names[one["category_id"]], "source": one.get("source", "reviewed")}
        for one in whole["annotations"]
    )
    return _from_rows(rows)


READERS: dict[str, Callable[[Path], Labels]] = {
    "csv": _from_csv,
    "parquet": _from_parquet,
    "jsonl": _from_lines,
    "labelstudio": _from_label_studio,
    "folders": _from_folders,
    "hf": _from_hugging_face,
    "coco": _from_coco,
}
"""What reads each form."""
