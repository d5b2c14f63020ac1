"""The given labels of a source's rows, from every form in which they come.

Labels are read only when they are asked for. An id is the path relative to the source with forward slashes, or the
row's id.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from handful.data.arrays import open_npy
from handful.data.idx import is_idx, read_idx
from handful.data.intervals import holds_intervals, interval_labels
from handful.data.labels import Labels, encode_labels, is_unlabelled
from handful.data.remote import local_path
from handful.data.sources import Source
from handful.data.spreadsheet import plain_cell
from handful.data.tables import FrameTable, Table, TextTable, find_column, is_frame, read_table
from handful.errors import InputError, did_you_mean, quoted

ID_COLUMNS = ("id", "file_name")
LABEL_COLUMN = "label"
UNLABELLED_FOLDERS = ("unlabelled", "unlabeled")
"""Folders that name no class: what lies in them has no label."""
WORDS = ("folders", "source")
Place = Callable[[], str]
"""Says where an entry stands, as "labels.csv line 18: ", or ""."""


def read_labels(labels: Any, source: Source, *, label_column: str | None, cache: Path) -> Labels | None:
    """Return the labels of the rows of `source`, or None where none were asked for.

    labels: None; "folders": the name of the folder a file lies in; "source": those the source itself carries; the path
        of a CSV or Parquet file with columns `id` (or `file_name`) and `label`, for windows of recordings also `start`
        and `end`; of a .npy or of an IDX file; a data
        frame with these columns; a mapping id -> label; one label a row; Labels.
    label_column: the column that holds the labels: of the labels file if one is given, else of the source.
    Raises InputError where an id is unknown, two labels of one row disagree, or the lengths differ.
    """
    if labels is None and label_column is None:
        return None
    if labels is None or (isinstance(labels, str) and labels == "source"):
        return _from_source(source, label_column, cache)
    if isinstance(labels, str) and labels == "folders":
        return _from_folders(source)
    if isinstance(labels, str | os.PathLike):
        return _from_file(local_path(labels, cache), source, label_column, cache)
    if isinstance(labels, Mapping):
        return _by_id(((key, value, str) for key, value in labels.items()), source)
    if is_frame(labels):
        return _from_table(FrameTable(labels), source, label_column)
    return _by_row(labels, source, "labels")


def check_labels(labels: Labels, name: str) -> None:
    """Raise InputError unless rows of at least two classes carry a label."""
    n_given = int(labels.given.sum())
    if n_given == 0:
        raise InputError(f"there is no label in {name}: at least one row of each of two classes needs one.")
    if len(labels.classes) == 1:
        only = quoted(labels.classes[0].item())
        raise InputError(f"there is one class only in {name}, {only} on {n_given} rows: at least two are needed.")


def check_something_to_label(labels: Labels, source: str) -> None:
    """Raise InputError where every row of `source` carries a label: nothing is left to find."""
    if labels.given.all():
        raise InputError(
            f"each of the {len(labels.codes)} rows of {source} has a label already: nothing is left to find; "
            "leave some labels out, or measure with handful evaluate."
        )


def labels_name(labels: Any, source: Source) -> str:
    """Return what labels are called in messages."""
    if isinstance(labels, os.PathLike) or (isinstance(labels, str) and labels not in WORDS):
        return Path(labels).name
    return f"{source.name} itself" if labels is None or isinstance(labels, str) else "the labels given"


def folder_labels(ids: Iterable[str]) -> list[str | None]:
    """Return the name of the folder each path lies in; None at the top and in a folder named "unlabelled"."""
    parents = (PurePosixPath(path).parent.name for path in ids)
    return [None if parent == "" or parent.casefold() in UNLABELLED_FOLDERS else parent for parent in parents]


def _from_folders(source: Source) -> Labels:
    if source.root is None:
        raise InputError(f"labels='folders' needs a folder with sub-folders named by class, and {source.name} is none.")
    classes = folder_labels(source.ids.tolist())
    if not any(classes):
        raise InputError(f"labels='folders': all files of {source.name} lie at its top, not in folders named by class.")
    return encode_labels(classes)


def _from_source(source: Source, label_column: str | None, cache: Path) -> Labels:
    """Return the labels that stand beside the rows, in a folder's metadata.csv, or in the names of its sub-folders."""
    if source.own_labels is not None:
        return encode_labels(source.own_labels())
    if source.root is not None and (source.root / "metadata.csv").is_file():
        return _from_file(source.root / "metadata.csv", source, label_column, cache)
    if source.root is not None and label_column is None:
        return _from_folders(source)
    raise InputError(f"{source.name} carries no labels of its own: give labels as a file, an array or a mapping.")


def _from_file(path: Path, source: Source, label_column: str | None, cache: Path) -> Labels:
    if path.is_dir():
        raise InputError(f"the labels {path} are a folder: give a CSV or Parquet file with columns 'id' and 'label'.")
    if not path.is_file():
        names = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise InputError(f"the labels file {path} does not exist.{did_you_mean(path.name, [*names, *WORDS])}")
    try:
        with path.open("rb") as file:
            head = file.read(6)
    except OSError as error:
        raise InputError(f"the labels file {path} cannot be read: {error.strerror}.") from None
    if head == b"\x93NUMPY":
        return _by_row(np.asarray(open_npy(path)), source, path.name)
    if is_idx(path):
        return _by_row(np.asarray(read_idx(path, cache), dtype=np.int64), source, path.name)
    return _from_table(read_table(path), source, label_column)


def _from_table(table: Table, source: Source, label_column: str | None) -> Labels:
    """Return the labels in a table of rows or of intervals; of one that handful wrote only what a person gave, as its
    column `source` says."""
    values = table.column(find_column(table, [label_column or LABEL_COLUMN], what="labels"))
    if isinstance(table, TextTable):
        values = [plain_cell(cell) for cell in values]
    named = next((column for column in ID_COLUMNS if column in table.names), None)
    names = None if named is None else [str(cell) for cell in table.column(named)]
    if holds_intervals(table, names, source.ids.tolist()):
        return encode_labels(interval_labels(table, names, values, source.ids.tolist(), source.name))
    ids = table.column(find_column(table, ID_COLUMNS, what="ids"))
    rows = np.arange(len(table))
    if {"source", "confidence", "reached"} <= set(table.names):
        rows = rows[np.isin(np.array(table.column("source"), dtype=str), ["given", "reviewed"])]

    def entries() -> Iterable[tuple[Any, Any, Place]]:
        for row in rows.tolist():
            yield ids[row], values[row], partial(_place, table, row)

    return _by_id(entries(), source)


def _place(table: Table, row: int) -> str:
    return f"{table.place(row)}: "


def _by_row(labels: Any, source: Source, name: str) -> Labels:
    encoded = encode_labels(labels)
    if len(encoded.codes) != len(source.ids):
        raise InputError(
            f"{name} has {len(encoded.codes)} entries and {source.name} has {len(source.ids)} rows: give one a row, "
            "-1, None or '' where a row is not labelled."
        )
    return encoded


def _by_id(entries: Iterable[tuple[Any, Any, Place]], source: Source) -> Labels:
    """Return the labels of (id, label, place) entries."""
    find = _IdFinder(source)
    values: list[Any] = [None] * len(source.ids)
    places: dict[int, Place] = {}
    for key, value, place in entries:
        row = find.row(str(key))
        if row is None:
            raise InputError(f"{place()}{find.unknown(str(key))}")
        if is_unlabelled(value):
            continue
        if row in places and values[row] != value:
            before = places[row]().removesuffix(": ") or "before"
            raise InputError(
                f"{place()}{quoted(str(key))} is labelled {quoted(value)} here and {quoted(values[row])} "
                f"({before}): a row has one label."
            )
        values[row], places[row] = value, place
    return encode_labels(values)


class _IdFinder:
    """Finds the row of an id as people write them."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._rows = {id: row for row, id in enumerate(source.ids.tolist())}
        self._composed: dict[str, int] | None = None

    def row(self, key: str) -> int | None:
        """Return the row of an id, None where it is unknown; backslashes, a leading "./" and composed accents match."""
        plain = _plain(key)
        found = self._rows.get(key, self._rows.get(plain))
        if found is None and key != plain_cell(key):
            return self.row(plain_cell(key))
        if found is None and not plain.isascii():
            # macOS decomposes the accents of file names, which looks the same and is not
            if self._composed is None:
                self._composed = {_composed(id): row for id, row in self._rows.items()}
            found = self._composed.get(_composed(plain))
        return found

    def unknown(self, key: str) -> str:
        """Say that an id is unknown, what ids are, and which one was likely meant."""
        rule = "ids are paths relative to the source"
        if self._source.root is None:
            rule = f"its ids are such as {quoted(str(self._source.ids[0]))}"
        return f"{quoted(key)} is not an id in {self._source.name}: {rule}.{self._nearest(key)}"

    def _nearest(self, key: str) -> str:
        """Return " Did you mean ...?", at a cost that 100,000 ids allow: by file name first, then by spelling."""
        name = PurePosixPath(_plain(key)).name.casefold()
        paths = [PurePosixPath(id) for id in self._rows]
        same = [str(path) for path in paths if name and name in (path.name.casefold(), path.stem.casefold())]
        if same:
            return did_you_mean(key, same[:1000]) or f" Did you mean {same[0]!r}?"
        close = [id for id in self._rows if abs(len(id) - len(key)) <= 3]
        return did_you_mean(key, close[:3000])


def _plain(key: str) -> str:
    return key.replace("\\", "/").removeprefix("./")


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)
