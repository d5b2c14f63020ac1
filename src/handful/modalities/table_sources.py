"""Where tables come from: CSV, TSV, Parquet and Arrow files, data frames and arrays, as Arrow columns."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from handful.data.arrays import first_line, open_npy, open_npz
from handful.data.sources import PATH_COLUMNS
from handful.data.tables import DELIMITERS, TextTable, is_frame, is_parquet
from handful.errors import InputError, did_you_mean, quoted
from handful.modalities.text_tables import COLUMNS as TEXT_COLUMNS

EXTENSIONS = (".csv", ".tsv", ".tab", ".parquet", ".arrow", ".feather", ".ipc")
_ARROW = b"ARROW1"
_CSV_BLOCK = 8 << 20


@dataclass(frozen=True)
class RawTable:
    """Named Arrow columns of equal length, as they came.

    name: the table in words. labels: what stands beside an array as its labels, None where nothing does.
    """

    name: str
    names: list[str]
    columns: list[Any]
    labels: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0


def is_table_file(path: Path) -> bool:
    """Tell from its name whether a file is meant to hold a table."""
    return path.suffix.lower() in EXTENSIONS


def holds_table(source: Any) -> bool:
    """Tell whether `source` is clearly a table of numbers and words: told from names and types, without reading it."""
    if is_frame(source):
        names = getattr(source, "column_names", source.columns)
        return _is_plain([str(name) for name in names])
    if isinstance(source, np.ndarray):
        return source.ndim == 2 and source.dtype.kind in "fi" and source.dtype.itemsize > 1
    if not isinstance(source, str | os.PathLike):
        return False
    path = Path(source).expanduser()
    if not is_table_file(path) or not path.is_file():
        return False
    try:
        return _is_plain(_header_of(path))
    except (InputError, pa.ArrowException, OSError):
        return False


def open_columns(source: Any, *, key: str | None, cache: Path) -> RawTable:
    """Return `source` as Arrow columns. key: the name of the array of a .npz file.

    Raises InputError where there is no table in it, or two columns bear one name.
    """
    found = _open(source, key, cache)
    seen: dict[str, int] = {}
    for place, name in enumerate(found.names):
        if name in seen:
            raise InputError(
                f"{found.name} has two columns named {quoted(name)}, the {seen[name] + 1}. and the {place + 1}.: "
                "rename one of them."
            )
        seen[name] = place
    if len(found) == 0:
        raise InputError(f"{found.name} has no rows below its header: give one row a sample.")
    return found


def _open(source: Any, key: str | None, cache: Path) -> RawTable:
    if isinstance(source, str | os.PathLike):
        path = Path(source).expanduser()
        if not path.is_file():
            near = did_you_mean(path.name, (p.name for p in path.parent.iterdir())) if path.parent.is_dir() else ""
            kind = "is a folder" if path.is_dir() else "does not exist"
            raise InputError(f"{path} {kind}: give a table as a CSV, Parquet or Arrow file, a frame or an array.{near}")
        try:
            return _open_file(path, key, cache)
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or first_line(error)}.") from None
    if is_frame(source):
        return _from_frame(source)
    if hasattr(source, "__array__") or isinstance(source, list | tuple):
        return _from_array(_as_array(source), "the array given")
    raise InputError(f"a source of type {type(source).__name__} is no table: give a file, a data frame or an array.")


def _open_file(path: Path, key: str | None, cache: Path) -> RawTable:
    with path.open("rb") as file:
        head = file.read(8)
    if not head:
        raise InputError(f"{path} is empty (0 bytes): give a table with a header and rows.")
    if head.startswith(b"\x93NUMPY"):
        return _from_array(open_npy(path), path.name)
    if head.startswith(b"PK\x03\x04"):
        samples, labels = open_npz(path, key, cache)
        return _from_array(samples, path.name, labels)
    try:
        if is_parquet(path):
            import pyarrow.parquet as pq

            table = pq.read_table(path)
            return RawTable(path.name, list(table.column_names), list(table.columns))
        if head.startswith(_ARROW):
            with pa.memory_map(str(path)) as mapped:
                table = pa.ipc.open_file(mapped).read_all()
            return RawTable(path.name, list(table.column_names), list(table.columns))
    except pa.ArrowException as error:
        raise InputError(f"{path.name} is damaged: {first_line(error)}.") from None
    return _read_csv(path)


def _read_csv(path: Path) -> RawTable:
    """Return a CSV file; what Arrow's reader finds fault with is read, or told, by the slower one."""
    import pyarrow.csv as pacsv

    with path.open("rb") as file:
        line = file.readline()
    try:
        header = line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        return _from_text(path)
    if not header.strip() or header.count('"') % 2 or "\r" in header:
        return _from_text(path)
    delimiter = max(DELIMITERS, key=header.count)
    names = [cell.strip() for cell in next(csv.reader([header], delimiter=delimiter), [])]
    places = [f"c{place}" for place in range(len(names))]  # names may be doubled, which is told later
    try:
        table = pacsv.read_csv(
            path,
            pacsv.ReadOptions(column_names=places, skip_rows=1, block_size=_CSV_BLOCK),
            pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=_holds_quotes(path)),
            pacsv.ConvertOptions(
                column_types=dict.fromkeys(places, pa.string()), null_values=[""], strings_can_be_null=True
            ),
        )
    except pa.ArrowException:
        return _from_text(path)
    return RawTable(path.name, names, list(table.columns))


def _holds_quotes(path: Path) -> bool:
    """Tell whether the first of a file has quotes: only then can a cell hold a line end, which is slow to read."""
    with path.open("rb") as file:
        return b'"' in file.read(1 << 20)


def _from_text(path: Path) -> RawTable:
    table = TextTable(path)
    if len(set(table.names)) < len(table.names):  # which open_columns tells
        return RawTable(table.name, table.names, [pa.nulls(len(table))] * len(table.names))
    return RawTable(table.name, table.names, [pa.array([c or None for c in table.column(n)]) for n in table.names])


def _from_frame(frame: Any) -> RawTable:
    if isinstance(frame, pa.Table):
        return RawTable("the table given", list(frame.column_names), list(frame.columns))
    names = [str(name) for name in frame.columns]
    columns = [frame.iloc[:, place] if hasattr(frame, "iloc") else frame[:, place] for place in range(len(names))]
    return RawTable("the table given", names, [_as_arrow(column) for column in columns])


def _as_arrow(cells: Any) -> Any:
    """Return a column of a frame as Arrow; of mixed types as strings."""
    if hasattr(cells, "to_arrow"):  # polars
        return cells.to_arrow()
    try:
        return pa.array(cells, from_pandas=True)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        listed = cells.tolist() if hasattr(cells, "tolist") else list(cells)
        return pa.array([None if cell is None or cell != cell else str(cell) for cell in listed], pa.string())


def _as_array(source: Any) -> np.ndarray:
    try:
        return np.asarray(source)
    except ValueError:
        raise InputError("rows of different lengths are no table: give each row as many cells.") from None


def _from_array(array: np.ndarray, name: str, labels: np.ndarray | None = None) -> RawTable:
    if array.dtype.names:  # a structured array
        return RawTable(name, list(array.dtype.names), [_as_arrow(array[field]) for field in array.dtype.names], labels)
    if array.ndim != 2 or array.shape[1] == 0:
        raise InputError(f"{name} has the shape {array.shape}: a table is [rows, columns].")
    width = len(str(array.shape[1] - 1))
    names = [f"column_{place:0{width}d}" for place in range(array.shape[1])]
    if array.dtype.kind in "biuf":
        return RawTable(name, names, [pa.array(np.ascontiguousarray(column)) for column in array.T], labels)
    return RawTable(name, names, [_as_arrow(column.tolist()) for column in array.T], labels)


def _is_plain(names: Sequence[str]) -> bool:
    """Tell whether no column is named as those of paths, images or texts are."""
    known = {name.strip().casefold() for name in names}
    others = {*PATH_COLUMNS, *TEXT_COLUMNS, "image", "img", "image_path", "audio", "sound", "wav"}
    return len(known) > 1 and not known & others and known != {"id", "label"}


def _header_of(path: Path) -> list[str]:
    if is_parquet(path):
        import pyarrow.parquet as pq

        schema = pq.read_schema(path)
        cells = [field for field in schema if pa.types.is_binary(field.type) or pa.types.is_nested(field.type)]
        return [] if cells else list(schema.names)
    with path.open("rb") as file:
        head = file.read(1 << 16)
    if head.startswith(_ARROW):
        with pa.memory_map(str(path)) as mapped:
            return list(pa.ipc.open_file(mapped).schema.names)
    line = head.decode("utf-8-sig", "replace").splitlines()[:1]
    return next(csv.reader(line, delimiter=max(DELIMITERS, key=line[0].count)), []) if line else []
