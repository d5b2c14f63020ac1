"""Where items come from: a folder, a table with a path or bytes column, a list, or one array.

A source gives ids and either `items` (encoded one by one) or one `array` of equal rows. What an item holds is for the
kind of data to say.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from handful.data.arrays import open_npy, open_npz
from handful.data.folders import walk
from handful.data.idx import is_idx, read_idx_set
from handful.data.items import FileItems, Items, ListItems, ParquetItems, cell_content
from handful.data.tables import FrameTable, ParquetTable, Table, TextTable, find_column, is_frame, is_parquet
from handful.errors import InputError, did_you_mean

PATH_COLUMNS = ("path", "file_name", "filename", "file", "filepath", "file_path")


@dataclass(frozen=True)
class Source:
    """What was found, before anything is decoded.

    name: the source in words, for messages.
    ids: [N] strings, unique.
    items, array: the encoded items, or one array whose first axis is N: one of the two is None.
    own_labels: returns the labels that stand beside the rows, one a row; None where there are none.
    root: the folder below which all items of a folder lie, None for other sources.
    """

    name: str
    ids: np.ndarray
    items: Items | None = None
    array: np.ndarray | None = None
    own_labels: Callable[[], Sequence[Any] | np.ndarray] | None = None
    root: Path | None = None


@dataclass(frozen=True)
class Wanted:
    """What is looked for in a source.

    what: what an item is called in messages ("image").
    is_item_file: tells from a file's name and first bytes whether it is meant to be an item.
    columns: the names that a column of items usually has.
    column: the column of a table, or the array of a .npz file, that holds the items; None finds it.
    label_column: the column of a table that holds labels; None is "label".
    """

    what: str
    is_item_file: Callable[[Path], bool]
    columns: Sequence[str] = ()
    column: str | None = None
    label_column: str | None = None


def open_source(source: Any, wanted: Wanted, *, cache: Path) -> Source:
    """Return what `source` holds, without decoding any of it.

    Raises InputError where there is nothing to read.
    """
    if isinstance(source, str | os.PathLike):
        return _open_path(Path(source).expanduser(), wanted, cache)
    if is_frame(source):
        return _table_source(FrameTable(source), wanted, Path())
    if _is_array(source):
        return array_source(np.asarray(source), "the array given")
    if isinstance(source, Sequence) and not isinstance(source, bytes):
        return list_source(source, wanted)
    raise InputError(
        f"a source of type {type(source).__name__} cannot be read: "
        f"give a folder, a file, a list of {wanted.what}s or an array."
    )


def array_source(array: np.ndarray, name: str, labels: np.ndarray | None = None) -> Source:
    """Return one array as a source: its rows are the items, their numbers the ids."""
    if array.dtype.kind not in "biuf":
        raise InputError(f"{name} holds values of type {array.dtype}: samples must be numbers.")
    if array.size == 0 or array.ndim < 2:
        raise InputError(f"{name} has the shape {array.shape}: it needs one row a sample, and values in each row.")
    return Source(name, row_numbers(len(array)), array=array, own_labels=None if labels is None else lambda: labels)


def list_source(items: Sequence[Any], wanted: Wanted) -> Source:
    """Return a list of paths, bytes or arrays as a source; arrays of one shape become one array."""
    name = f"the list of {len(items)} {wanted.what}s"
    if len(items) == 0:
        raise InputError(f"the list of {wanted.what}s is empty: give at least one.")
    if all(isinstance(item, str | os.PathLike) for item in items):
        paths = [os.fspath(item) for item in items]
        return Source(name, _unique(_as_ids(paths), name), FileItems(Path(), paths))
    if all(isinstance(item, int | float | list | tuple) for item in items):
        try:
            return array_source(np.asarray(items), name)
        except ValueError:
            raise InputError(f"{name} holds lists of different lengths: give arrays, or rows of one length.") from None
    plain = [np.asarray(item) if _is_array(item) else item for item in items]
    if all(isinstance(item, np.ndarray) for item in plain) and len({(item.shape, item.dtype) for item in plain}) == 1:
        return array_source(np.stack(plain), name)
    return Source(name, row_numbers(len(items)), ListItems(plain))


def read_folder(root: Path, wanted: Wanted) -> Source:
    """Return the item files below `root`, in the order of their ids: their paths from there, with forward slashes."""
    paths: list[str] = []
    others: list[str] = []
    for path in walk(root):
        (paths if wanted.is_item_file(path) else others).append(path.relative_to(root).as_posix())
    shards = sorted(path for path in others if path.endswith(".parquet"))
    if not paths and shards:  # as `datasets` writes them: data/train-00000-of-00002.parquet
        return _table_source(ParquetTable([root / shard for shard in shards], _folder_name(root)), wanted, root)
    if not paths:
        found = f"none of its {len(others)} files is one" if others else "it is empty"
        raise InputError(f"there is no {wanted.what} in {root}: {found}.")
    paths.sort()
    return Source(_folder_name(root), _as_ids(paths), FileItems(root, paths), root=root)


def _open_path(path: Path, wanted: Wanted, cache: Path) -> Source:
    if path.is_dir():
        return _idx_source(path, cache) or read_folder(path, wanted)
    if path.is_file():
        try:
            return _open_file(path, wanted, cache)
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}.") from None
    if not path.parent.is_dir():
        raise InputError(f"{path} does not exist: give a folder or a file.")
    near = did_you_mean(path.name, (p.name for p in path.parent.iterdir()))
    found = _idx_source(path.parent, cache, prefix=path.name)  # "fashion-mnist/train" names two files, exists as none
    if found is None:
        raise InputError(f"{path} does not exist: give a folder or a file.{near}")
    return found


def _open_file(path: Path, wanted: Wanted, cache: Path) -> Source:
    """Read one file, told by its content: .npy, .npz, IDX, Parquet, a single item, or else CSV."""
    with path.open("rb") as file:
        head = file.read(1024)
    if not head:
        raise InputError(f"{path} is empty (0 bytes): give a folder or a file with content.")
    if head.startswith(b"\x93NUMPY"):
        return array_source(open_npy(path), path.name)
    if head.startswith(b"PK\x03\x04"):
        samples, labels = open_npz(path, wanted.column, cache)
        return array_source(samples, path.name, labels)
    if is_idx(path):
        found = _idx_source(path.parent, cache, prefix=path.name)
        if found is not None:
            return found
    if is_parquet(path):
        return _table_source(ParquetTable([path], path.name), wanted, path.parent)
    if wanted.is_item_file(path):
        return Source(path.name, np.array([path.name]), FileItems(path.parent, [path.name]), root=path.parent)
    if b"\0" in head:
        raise InputError(
            f"{path} is of no kind that is read: give a folder, a .npy, .npz, IDX, Parquet or CSV file, "
            f"or one {wanted.what}."
        )
    return _table_source(TextTable(path), wanted, path.parent)


def _idx_source(folder: Path, cache: Path, prefix: str = "") -> Source | None:
    found = read_idx_set(folder, cache, prefix)
    if found is None:
        return None
    source = array_source(found.samples, found.name, found.labels)
    return source if found.ids is None else replace(source, ids=found.ids)


def _table_source(table: Table, wanted: Wanted, root: Path) -> Source:
    """Return the rows of a table as a source; paths in it are relative to `root`, where the table lies."""
    if len(table) == 0:
        raise InputError(f"{table.name} has no rows below its header: give one a {wanted.what}.")
    items, paths = _table_items(table, wanted, root)
    return Source(
        table.name,
        table_ids(table, paths),
        items,
        own_labels=lambda: table.column(find_column(table, [wanted.label_column or "label"], what="labels")),
    )


def _table_items(table: Table, wanted: Wanted, root: Path) -> tuple[Items, list[str] | None]:
    """Return the items of a table, and their paths where each has its own."""
    column = _item_column(table, wanted)
    if isinstance(table, ParquetTable) and table.kind(column) != "text":
        if table.kind(column) == "other":
            raise InputError(f"the column {column!r} of {table.name} holds neither bytes nor paths.")
        is_struct = table.kind(column) == "struct" and "path" in table.field_names(column)
        paths = _if_unique(table.struct_field(column, "path")) if is_struct else None
        return ParquetItems(table, column, root), paths
    cells = table.column(column)
    if all(isinstance(cell, str) or cell is None for cell in cells):
        paths = [cell or "" for cell in cells]
        return FileItems(root, paths), paths
    return ListItems([cell_content(cell, root) for cell in cells]), None


def _item_column(table: Table, wanted: Wanted) -> str:
    if wanted.column is not None:
        return find_column(table, [wanted.column], what=f"{wanted.what}s")
    if isinstance(table, ParquetTable):
        encoded = [name for name in table.names if table.kind(name) in ("bytes", "struct")]
        if len(encoded) == 1:
            return encoded[0]
        if encoded:
            raise InputError(f"{table.name} has several columns of bytes, {encoded}: choose one with column='NAME'.")
    return find_column(table, [*PATH_COLUMNS, *wanted.columns], what=f"{wanted.what}s")


def _if_unique(paths: list[Any]) -> list[str] | None:
    return paths if all(paths) and len(set(paths)) == len(paths) else None


def table_ids(table: Table, paths: list[str] | None = None) -> np.ndarray:
    """Return the ids of a table's rows: its column `id`, else the paths, else the row numbers.

    Raises InputError that names the row where an id is missing or stands a second time.
    """
    if "id" in table.names:
        cells = table.column("id")
        missing = next((row for row, cell in enumerate(cells) if cell is None or cell != cell or cell == ""), None)
        if missing is not None:
            raise InputError(f"{table.place(missing)} has no id: give every row one, or leave the column 'id' out.")
        return _unique(np.array([str(cell) for cell in cells]), table.name, table.place)
    return row_numbers(len(table)) if paths is None else _unique(_as_ids(paths), table.name, table.place)


def row_numbers(n: int) -> np.ndarray:
    """Return "0" to "n-1", the ids of rows that have no other."""
    return np.arange(n).astype(f"U{len(str(n))}")


def _as_ids(paths: Iterable[str]) -> np.ndarray:
    r"""Return paths as ids: forward slashes, and bytes that are no UTF-8 written as \udcXX."""
    forward = (path.replace("\\", "/") if os.sep == "\\" else path for path in paths)
    return np.array([path.encode("utf-8", "backslashreplace").decode() for path in forward])


def _unique(ids: np.ndarray, name: str, place: Callable[[int], str] | None = None) -> np.ndarray:
    """Return `ids`; raises InputError that names the first id given twice."""
    values, counts = np.unique(ids, return_counts=True)
    if len(values) < len(ids):
        twice = values[counts > 1][0]
        first, second = (place(row) if place else f"item {row}" for row in np.flatnonzero(ids == twice)[:2].tolist())
        raise InputError(f"{name}: the id {str(twice)!r} stands twice, at {first} and at {second}: ids must differ.")
    return ids


def _folder_name(root: Path) -> str:
    return f"{root.resolve().name}/"


def _is_array(source: Any) -> bool:
    return isinstance(source, np.ndarray) or (hasattr(source, "__array__") and not isinstance(source, list | tuple))
