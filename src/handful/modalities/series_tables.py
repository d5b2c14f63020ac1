"""Where series come from: arrays, `.ts` files, tables with a row for each step, tables of lists, folders of these."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from handful.data.arrays import open_npy, open_npz
from handful.data.folders import walk
from handful.data.items import ListItems
from handful.data.sources import Source, Wanted, row_numbers
from handful.data.tables import FrameTable, ParquetTable, Table, is_frame, is_parquet
from handful.errors import InputError, did_you_mean
from handful.modalities.series_files import (
    ID_COLUMNS,
    TIME_COLUMNS,
    Found,
    Item,
    read_csv,
    read_ts,
    refuse,
    series_of_table,
    split_table,
)

_TABLES = (".csv", ".tsv", ".tab")
_LABEL_FILES = ("metadata.csv", "labels.csv")


def is_series_file(path: Path) -> bool:
    """Tell from its name whether a file is meant to hold series."""
    return path.suffix.lower() in (".ts", *_TABLES) and path.name.lower() not in _LABEL_FILES


def open_series(
    source: Any, wanted: Wanted, *, cache: Path, window: int | None = None, stride: int | None = None
) -> Source:
    """Return the series of `source` as a Source whose items are arrays [T, C].

    source: an array (n, time) or (n, channels, time), as such, in .npy or in .npz; a list of arrays (time,) or
        (channels, time); a `.ts` file or a folder of them; a CSV or Parquet file or a data frame with a row for each
        step and columns `id`, `time` and the channels, without `id` one long recording; a Parquet file or a data frame
        with a row for each series and columns of lists; a folder of CSV files, one for each series.
    window, stride: cut every series into windows of so many steps, one every `stride`; None leaves them whole.
    Raises InputError where there is no series in it.
    """
    window, stride = _check_window(window, stride)
    found, name = _find(source, wanted, cache)
    if window is not None:
        found = _cut(found, window, stride or window, name)
    if window is None and len(found.items) == 1 and not isinstance(source, list | tuple):
        raise InputError(f"{name} holds one series: cut it into windows, such as window=256, stride=128.")
    ids = row_numbers(len(found.items)) if found.ids is None else np.array(found.ids)
    if len(np.unique(ids)) < len(ids):
        raise InputError(f"{name} gives two series one id: ids must differ.")
    labels = found.labels
    root = Path(source) if isinstance(source, str | os.PathLike) and Path(source).is_dir() else None
    return Source(name, ids, ListItems(found.items), own_labels=None if labels is None else lambda: labels, root=root)


def holds_series(source: Any) -> bool:
    """Tell whether `source` is clearly made of series: told from names and headers, without reading it all."""
    if is_frame(source):
        return _is_long([str(name) for name in getattr(source, "column_names", source.columns)])
    if not isinstance(source, str | os.PathLike):
        return False
    path = Path(source).expanduser()
    if path.is_dir():
        files = [file for file, _ in zip(walk(path), range(1000), strict=False)]
        kept = [file for file in files if file.name.lower() not in _LABEL_FILES]
        return len(kept) > 0 and all(is_series_file(file) for file in kept) and len(kept) >= _least(kept)
    if path.suffix.lower() == ".ts":
        return path.is_file()
    if not path.is_file() or path.suffix.lower() not in _TABLES:
        return False
    with path.open("rb") as file:
        head = file.read(4096).decode("utf-8", "replace")
    first = next(iter(head.splitlines()), "")
    delimiter = max(",;\t|", key=first.count)
    return _is_long([cell.strip().strip('"') for cell in first.split(delimiter)])


def _least(files: list[Path]) -> int:
    """Return how many files make a folder of series: one `.ts`, or more than two tables."""
    return 1 if all(file.suffix.lower() == ".ts" for file in files) else 3


def _is_long(names: Sequence[str]) -> bool:
    known = {name.strip().casefold() for name in names}
    return bool(known & set(ID_COLUMNS)) and bool(known & set(TIME_COLUMNS)) and len(known) > 2


def _check_window(window: int | None, stride: int | None) -> tuple[int | None, int | None]:
    for name, value in (("window", window), ("stride", stride)):
        whole = isinstance(value, int | np.integer) or (isinstance(value, float) and value.is_integer())
        if value is not None and not (whole and value >= (2 if name == "window" else 1)):
            raise InputError(f"{name} must be a whole number of steps, at least 2 in a window, got {value!r}.")
    if stride is not None and window is None:
        raise InputError(f"stride={stride!r} says how far apart windows begin: give window as well.")
    return (None if window is None else int(window)), (None if stride is None else int(stride))


def _find(source: Any, wanted: Wanted, cache: Path) -> tuple[Found, str]:
    if isinstance(source, str | os.PathLike):
        path = Path(source).expanduser()
        return _open_path(path, wanted, cache), f"{path.resolve().name}{'/' if path.is_dir() else ''}"
    if is_frame(source):
        return _from_table(FrameTable(source), wanted), "the table given"
    if isinstance(source, np.ndarray) or (hasattr(source, "__array__") and not isinstance(source, list | tuple)):
        return _from_array(np.asarray(source), "the array given"), "the array given"
    if not isinstance(source, list | tuple):
        raise InputError(f"a source of type {type(source).__name__} holds no series: give a folder, a file or arrays.")
    if not source:
        raise InputError("the list of series is empty: give at least two.")
    name = f"the list of {len(source)} series"
    if all(isinstance(item, str | os.PathLike) for item in source):
        return Found([str(item) for item in source], [_from_file(Path(item)) for item in source]), name
    return Found(None, [_from_values(item) for item in source]), name


def _open_path(path: Path, wanted: Wanted, cache: Path) -> Found:
    if path.is_dir():
        return _from_folder(path)
    if not path.is_file():
        near = did_you_mean(path.name, (p.name for p in path.parent.iterdir())) if path.parent.is_dir() else ""
        raise InputError(f"{path} does not exist: give a folder or a file of series.{near}")
    try:
        with path.open("rb") as file:
            head = file.read(8)
        if not head:
            raise InputError(f"{path} is empty (0 bytes): give a file with series.")
        if head.startswith(b"\x93NUMPY"):
            return _from_array(open_npy(path), path.name)
        if head.startswith(b"PK\x03\x04"):
            samples, labels = open_npz(path, wanted.column, cache)
            return replace(_from_array(samples, path.name), labels=None if labels is None else labels.tolist())
        if is_parquet(path):
            return _from_table(ParquetTable([path], path.name), wanted)
        return read_ts(path) if path.suffix.lower() == ".ts" else split_table(read_csv(path), wanted.label_column)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from None


def _from_folder(root: Path) -> Found:
    files = sorted((path for path in walk(root) if is_series_file(path)), key=lambda path: path.as_posix())
    if not files:
        raise InputError(f"there is no series in {root}: give CSV files, one for each series, or .ts files.")
    ids: list[str] = []
    items: list[Item] = []
    labels: list[Any] = []
    labelled = False
    for path in files:
        name = path.relative_to(root).as_posix()
        if path.suffix.lower() != ".ts":
            ids.append(name)
            items.append(_from_file(path))
            labels.append(None)
            continue
        found = read_ts(path)
        labelled = labelled or found.labels is not None
        ids += [f"{name}#{row}" for row in range(len(found.items))]
        items += found.items
        labels += found.labels or [None] * len(found.items)
    return Found(ids, items, labels if labelled else None)


def _from_file(path: Path) -> Item:
    """Return the series of a CSV file of its own, or why it cannot be read."""
    try:
        if not path.is_file():
            return refuse("does not exist")
        if path.stat().st_size == 0:
            return refuse("is empty (0 bytes)")
        return series_of_table(read_csv(path))
    except InputError as error:
        return refuse(f"cannot be read: {str(error).rstrip('.')}")


def _from_array(array: np.ndarray, name: str) -> Found:
    if array.dtype.kind not in "biuf":
        raise InputError(f"{name} holds values of type {array.dtype}: series must be numbers.")
    if array.ndim == 1:
        array = array[None]
    if array.size == 0 or array.ndim not in (2, 3):
        raise InputError(f"{name} has the shape {array.shape}: series come as (n, time) or (n, channels, time).")
    return Found(None, [row[:, None] if row.ndim == 1 else row.T for row in array])


def _from_values(item: Any) -> Item:
    """Return one member of a list, (time,) or (channels, time), as a series."""
    try:
        values = np.asarray(item, dtype=np.float64)
    except (TypeError, ValueError):
        return refuse(f"is of type {type(item).__name__}, not an array of numbers")
    if values.ndim not in (1, 2) or values.size == 0:
        return refuse(f"has the shape {values.shape}: a series is (time,) or (channels, time)")
    return values[:, None] if values.ndim == 1 else values.T


def _from_table(table: Table, wanted: Wanted) -> Found:
    """Return the series of a table of steps, or of one whose cells are lists."""
    lists = [name for name in table.names if len(table) and _is_list(_first_cell(table, name))]
    if not lists:
        return split_table(table, wanted.label_column)
    if wanted.column is not None:
        if wanted.column not in lists:
            raise InputError(f"{table.name} has no column {wanted.column!r} of lists; it has {', '.join(lists)}.")
        lists = [wanted.column]
    columns = [table.column(name) for name in lists]
    label = wanted.label_column or "label"
    ids = [str(cell) for cell in table.column("id")] if "id" in table.names else None
    labels = table.column(label) if label in table.names else None
    return Found(ids, [_from_lists(cells) for cells in zip(*columns, strict=True)], labels)


def _first_cell(table: Table, name: str) -> Any:
    return next((cell for cell in table.column(name) if cell is not None), None)


def _is_list(cell: Any) -> bool:
    return isinstance(cell, list | tuple | np.ndarray)


def _from_lists(channels: tuple[Any, ...]) -> Item:
    """Return the lists of one row as the channels of a series; one list of lists has them all."""
    if any(channel is None for channel in channels):
        return refuse("is missing in a channel")
    if len(channels) == 1:
        return _from_values(channels[0] if not _is_list(channels[0][0]) else list(channels[0]))
    if len({len(channel) for channel in channels}) > 1:
        return refuse("has channels of different lengths")
    return _from_values(list(channels))


def _cut(found: Found, window: int, stride: int, name: str) -> Found:
    """Return the windows of every series, named by their first step and the one after their last; the last of a
    series ends with it, whatever the stride."""
    ids: list[str] = []
    items: list[Item] = []
    labels: list[Any] = []
    for row, item in enumerate(found.items):
        own = str(row) if found.ids is None else found.ids[row]
        label = None if found.labels is None else found.labels[row]
        if not isinstance(item, np.ndarray):
            pieces: list[tuple[str, Item]] = [(own, item)]
        elif len(item) < window:
            pieces = [(own, refuse(f"has {len(item)} steps, fewer than a window of {window}"))]
        else:
            last = len(item) - window
            starts = [*range(0, last, stride), last]  # the last one ends where the series does
            pieces = [(f"{own}[{at}:{at + window}]", item[at : at + window]) for at in starts]
        ids += [piece[0] for piece in pieces]
        items += [piece[1] for piece in pieces]
        labels += [label] * len(pieces)
    if not any(isinstance(item, np.ndarray) for item in items):
        raise InputError(f"no series of {name} has as many as {window} steps: choose a shorter window.")
    return Found(ids, items, None if found.labels is None else labels)
