"""Labels out: as tables, and in the forms that other tools read. Confidence and source go along wherever there is room.

Label Studio: given and reviewed labels are annotations, propagated ones predictions with a score. A Hugging Face data
set is a folder of links with metadata.jsonl, or a Parquet file where the items are no files. COCO knows boxes: the
label of a picture is a box around all of it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import pyarrow as pa
from PIL import Image

from handful import __version__
from handful.data import Dataset
from handful.data.spreadsheet import write_csv
from handful.data.tables import write_parquet
from handful.errors import InputError, check_choice
from handful.files import TEMPORARY, writes_to, written_whole
from handful.run.folder import Run
from handful.run.path import read_again

PEOPLE = ("given", "reviewed")
MANIFEST = "labels.jsonl"
METADATA = "metadata.jsonl"
UNLABELLED = "unlabelled"
_TAGS = {"image": "Image", "audio": "Audio", "video": "Video", "series": "TimeSeries"}


def export_run(
    run: Run, form: str, path: str | os.PathLike[str] | None = None, *, data: Dataset | None = None
) -> tuple[Path, int]:
    """Write the labels of a run and return where, and how many items.

    form: "csv", "parquet", "jsonl", "labelstudio", "folders", "hf" or "coco". path: a file, or for "folders" and "hf" a
    folder that is empty or not there; None for one in `export` of the run folder. data: the run's data set, where it
    cannot be read again.
    Raises InputError where the run has no labels, or its items are of no kind that the form can hold.
    """
    check_choice("format", form, FORMS)
    ending, write = FORMS[form]
    place = run.folder / "export" / f"labels{ending}" if path is None else Path(path)
    items = _Items(run, data)
    if not ending and path is None:
        place = run.folder / "export" / form
    elif not ending and place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise InputError(f"{place} is not an empty folder: choose another for the export.")
    with writes_to(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(place) if ending else _filled_whole(place) as target:
            write(items, target)
    return place, len(items.table)


@contextmanager
def _filled_whole(place: Path) -> Iterator[Path]:
    """Give a folder to fill that takes the place of the folder `place` once the block ends without an error."""
    whole = Path(os.path.abspath(place))
    filled = whole.with_name(f".{whole.name}{TEMPORARY}")
    shutil.rmtree(filled, ignore_errors=True)  # of one that was killed
    filled.mkdir()
    try:
        yield filled
        if whole.exists():
            shutil.rmtree(whole)
        filled.rename(whole)
    finally:
        shutil.rmtree(filled, ignore_errors=True)


class _Items:
    """The labels of a run beside what is needed of its items."""

    def __init__(self, run: Run, data: Dataset | None) -> None:
        self.run, self.table, self.kind = run, run.labels, str(run.data["modality"])
        self._data = data
        source = run.record.get("source")
        root = Path(source) if isinstance(source, str) and not source.startswith("<") else None
        self.root = root.resolve() if root is not None and root.is_dir() else None

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of labels.parquet, a part of the table at a time."""
        for batch in self.table.to_batches(max_chunksize=4096):
            yield from batch.to_pylist()

    def file(self, name: str) -> Path | None:
        """Return the file of an item below the source's folder, None where there is none."""
        path = None if self.root is None else (self.root / name).resolve()
        return path if path is not None and path.is_relative_to(self.root or path) and path.is_file() else None

    def files(self, form: str) -> Iterator[tuple[dict[str, Any], Path]]:
        """Yield each row with its file. Raises InputError where an item has none."""
        for row in self.rows():
            path = self.file(row["id"])
            if path is None:
                raise InputError(f"{row['id']!r} is no file below the source: the form {form!r} needs files.")
            yield row, path

    def texts(self) -> dict[str, str]:
        """Return the text of each item by id; empty for other kinds of data."""
        if self.kind != "text":
            return {}
        data = self._data or read_again(self.run)
        return {name: str(data.samples[[row]][0]) for row, name in enumerate(data.ids.tolist())}


def _write_table_csv(items: _Items, file: IO[bytes]) -> None:
    write_csv(items.table, file)


def _write_parquet(items: _Items, file: IO[bytes]) -> None:
    write_parquet(items.table, file)


def _write_lines(items: _Items, file: IO[bytes]) -> None:
    for row in items.rows():
        file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")


def _write_label_studio(items: _Items, file: IO[bytes]) -> None:
    texts = items.texts()
    file.write(b"[")
    for number, row in enumerate(items.rows()):
        file.write(b",\n" if number else b"\n")
        file.write(json.dumps(_task(items, row, texts), ensure_ascii=False).encode())
    file.write(b"\n]\n")


def _task(items: _Items, row: dict[str, Any], texts: dict[str, str]) -> dict[str, Any]:
    value = texts.get(row["id"], row["id"])
    if items.file(row["id"]) is not None and items.kind != "text":
        value = f"/data/local-files/?d={quote(row['id'])}"
    shown = "image" if items.kind == "image" else "text" if items.kind in ("text", "table") else items.kind
    task: dict[str, Any] = {"data": {shown: value, "id": row["id"]}, "annotations": [], "predictions": []}
    if row["label"] is None:
        return task
    choice = {
        "from_name": "label",
        "to_name": "item",
        "type": "choices",
        "value": {"choices": [str(row["label"])]},
    }
    if row["source"] in PEOPLE:
        task["annotations"].append({"result": [choice]})
        task["meta"] = {"source": row["source"]}
    else:
        told = {"model_version": f"handful {__version__}", "score": round(row["confidence"], 6), "result": [choice]}
        task["predictions"].append(told)
    return task


def label_config(kind: str, classes: list[Any]) -> str:
    """Return the labelling interface that Label Studio needs for the tasks of `labelstudio`, as XML."""
    from xml.sax.saxutils import quoteattr

    shown = "image" if kind == "image" else "text" if kind in ("text", "table") else kind
    choices = "".join(f"<Choice value={quoteattr(str(name))}/>" for name in classes)
    tag = _TAGS.get(kind, "Text")
    return f'<View><{tag} name="item" value="${shown}"/><Choices name="label" toName="item">{choices}</Choices></View>'


def _write_folders(items: _Items, place: Path) -> None:
    """Write a link to each item into a folder named as its class, and what each label was into a manifest."""
    with written_whole(place / MANIFEST) as manifest:
        for row, path in items.files("folders"):
            folder = UNLABELLED if row["label"] is None else folder_name(str(row["label"]))
            name = f"{folder}/{quote(row['id'], safe=' ')}"
            _link(place / name, path)
            manifest.write(json.dumps({"file_name": name, **row}, ensure_ascii=False).encode() + b"\n")


def _write_hugging_face(items: _Items, place: Path) -> None:
    if items.kind not in ("image", "audio", "video") or items.root is None:
        texts = items.texts()
        table = items.table
        if texts:
            column = pa.array([texts.get(name) for name in table["id"].to_pylist()], pa.string())
            table = table.append_column("text", column)
        with written_whole(place / "train.parquet") as file:
            write_parquet(table, file)
        return
    with written_whole(place / METADATA) as file:
        for row, path in items.files("hf"):
            name = f"data/{quote(row['id'], safe=' ')}"
            _link(place / name, path)
            file.write(json.dumps({"file_name": name, **row}, ensure_ascii=False).encode() + b"\n")


def _write_coco(items: _Items, file: IO[bytes]) -> None:
    if items.kind != "image":
        raise InputError(f"COCO holds pictures, this run is of {items.kind}: choose another form.")
    classes = sorted({name for name in items.table["label"].unique().to_pylist() if name is not None}, key=str)
    number = {name: index for index, name in enumerate(classes, 1)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for index, (row, path) in enumerate(items.files("coco"), 1):
        with Image.open(path) as picture:
            width, height = picture.size
        images.append({"id": index, "file_name": row["id"], "width": width, "height": height})
        if row["label"] is None:
            continue
        told: dict[str, Any] = {
            "id": len(annotations) + 1,
            "image_id": index,
            "category_id": number[row["label"]],
            "iscrowd": 0,
        }
        told |= {"bbox": [0, 0, width, height], "area": width * height, "segmentation": []}
        annotations.append({**told, "score": round(row["confidence"], 6), "source": row["source"]})
    categories = [{"id": index, "name": str(name)} for name, index in number.items()]
    whole = {"info": {"description": f"handful {__version__}"}, "images": images}
    file.write(json.dumps({**whole, "categories": categories, "annotations": annotations}).encode())


def folder_name(label: str) -> str:
    """Return a class name as one that any folder can have; `unquote` gives it back."""
    name = quote(label, safe=" ")
    return f"%2E{name[1:]}" if name.startswith(".") else name


def _link(place: Path, target: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)


FORMS: dict[str, tuple[str, Callable[[_Items, Any], None]]] = {
    "csv": (".csv", _write_table_csv),
    "parquet": (".parquet", _write_parquet),
    "jsonl": (".jsonl", _write_lines),
    "labelstudio": (".labelstudio.json", _write_label_studio),
    "folders": ("", _write_folders),
    "hf": ("", _write_hugging_face),
    "coco": (".coco.json", _write_coco),
}
"""The ending of the file, "" for a folder, and what writes it."""
