"""Reading tables: which columns are features, which is the id, which holds the answer, and the cells as float64."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from handful.data.dataset import Decoded
from handful.data.digests import DIGITS, digest_rows
from handful.data.items import Progress
from handful.data.sources import Source, Wanted, row_numbers
from handful.errors import InputError, did_you_mean, quoted
from handful.modalities.table_columns import ANSWERS, KINDS, Read, read_column
from handful.modalities.table_sources import RawTable, open_columns

_BLOCK = 65_536
_SAID = 20  # columns named in a message
LABELS, IDS = "holds the labels", "names the rows"
"""Why a column is left out that is put to another use."""


@dataclass(frozen=True)
class TableRows:
    """N rows of C columns, read by rows: `rows[index]` gives float64 [M, C] (see `table_columns`).

    columns: name and kind of each. names: the category of each code, by column.
    """

    values: np.ndarray
    columns: tuple[tuple[str, str], ...]
    names: Mapping[str, Mapping[float, str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: Any) -> np.ndarray:
        return self.values[rows]

    def cell(self, row: int, column: int) -> str:
        """Return one cell as a person writes it; nothing where it is missing."""
        return write_cell(float(self.values[row, column]), *self.columns[column], self.names)


@dataclass(frozen=True)
class TableItems:
    """The rows of a table, and what was said of its columns when it was read."""

    rows: TableRows
    notes: Mapping[str, str]
    left_out: Mapping[str, str]

    def blocks(self, rows: np.ndarray) -> Iterator[list[Any]]:
        for start in range(0, len(rows), _BLOCK):
            yield list(self.rows[rows[start : start + _BLOCK]])


def open_table(source: Any, wanted: Wanted, *, cache: Path, columns: Any = None) -> Source:
    """Return the rows of a table as a Source.

    source: a CSV, TSV, Parquet, Arrow, .npy or .npz file, a data frame or an array [rows, columns].
    columns: a mapping from names to kinds where they are not found rightly: "number", "category", "date", "boolean",
        "id" (the rows are named by it) or "ignore"; or pairs of name and kind: exactly these columns are read.
    A column named `id` names the rows. The column of the labels, and any named as answers are, is no feature.
    Raises InputError for a column that is not there, two of one name, or where no feature is left.
    """
    raw = open_columns(source, key=wanted.column, cache=cache)
    exact = columns is not None and not isinstance(columns, Mapping)
    if len(raw) == 1 and not exact:
        raise InputError(f"{raw.name} has one row: there is no other to compare it with.")
    asked = _asked_kinds(columns, raw)
    answer = _answer_column(raw, wanted.label_column)
    if answer is not None and asked.get(answer) in KINDS:
        raise InputError(
            f"column {quoted(answer)} of {raw.name} holds the labels: it cannot be a feature as well; "
            "take it out of columns."
        )
    id_column = _id_column(raw, asked)
    found, left_out = _read_columns(raw, asked, exact, {answer: LABELS, id_column: IDS})
    notes = {name: "; ".join(read.notes) for name, read in found.items() if read.notes}
    if not found:
        told = ", ".join(f"{quoted(name)} {why}" for name, why in list(left_out.items())[:_SAID])
        raise InputError(f"{raw.name} has no column that tells its rows apart: {told or 'it has none'}.")
    values = np.empty((len(raw), len(found)))
    for place, read in enumerate(found.values()):
        values[:, place] = read.values
    kinds = tuple((name, str(read.kind)) for name, read in found.items())
    carries = answer is not None or raw.labels is not None or wanted.label_column is not None
    rows = TableRows(values, kinds, {name: read.names for name, read in found.items() if read.names})
    return Source(
        raw.name,
        _row_ids(raw, id_column),
        TableItems(rows, notes, left_out),
        own_labels=None if not carries else lambda: _labels_of(raw, answer, wanted.label_column),
    )


def read_rows(
    source: Source,
    *,
    cache: Path,
    progress: Progress | None = None,
    size: int | None = None,
    columns: Any = None,
) -> Decoded:
    """Return the rows that `open_table` found.

    Raises InputError where all rows are the same.
    """
    if size is not None:
        raise InputError(f"size={size!r} is a setting of images: leave it out for tables.")
    items: Any = source.items
    rows: TableRows = items.rows
    digests = np.empty(len(rows), f"U{DIGITS}")
    for start in range(0, len(rows), _BLOCK):
        digests[start : start + _BLOCK] = digest_rows(rows[start : start + _BLOCK])
    settings = {"columns": [list(column) for column in rows.columns]}
    told = {"left_out": dict(items.left_out), "notes": dict(items.notes)}
    return Decoded(rows, np.arange(len(rows)), digests, {**settings, **told})


def write_cell(value: float, name: str, kind: str, names: Mapping[str, Mapping[float, str]]) -> str:
    """Return a cell's value as a person writes it; nothing where it is missing."""
    if np.isnan(value):
        return ""
    if kind == "category":
        return names.get(name, {}).get(value, "?")
    if kind == "boolean":
        return "yes" if value else "no"
    if kind == "date":
        moment = np.datetime64(round(value * 86_400), "s")
        return str(moment).replace("T00:00:00", "").replace("T", " ")
    return f"{value:.6g}"


def _asked_kinds(columns: Any, raw: RawTable) -> dict[str, str]:
    """Return the kinds asked for by name. Raises InputError for names that the table has not, all of them named."""
    if columns is None:
        return {}
    if isinstance(columns, str) or not isinstance(columns, Mapping | Sequence):
        raise InputError(f"columns must be a mapping from names to kinds, or pairs of both, got {quoted(columns)}.")
    asked = {str(name): str(kind) for name, kind in (columns.items() if isinstance(columns, Mapping) else columns)}
    missing = [name for name in asked if name not in raw.names]
    if missing:
        told = ", ".join(quoted(name) for name in missing[:_SAID]) + (", ..." if len(missing) > _SAID else "")
        near = did_you_mean(missing[0], raw.names) if len(missing) == 1 else ""
        plural = "a column that is" if len(missing) == 1 else f"{len(missing)} columns that are"
        raise InputError(f"{raw.name} lacks {plural} needed: {told}.{near}")
    return asked


def _answer_column(raw: RawTable, label_column: str | None) -> str | None:
    """Return the column of the labels: the one asked for, else the one named "label"."""
    wanted = "label" if label_column is None else label_column
    exact = [name for name in raw.names if name == wanted]
    alike = exact or [name for name in raw.names if name.strip().casefold() == wanted.strip().casefold()]
    return alike[0] if alike else None  # a label column may as well be one of a labels file


def _id_column(raw: RawTable, asked: Mapping[str, str]) -> str | None:
    given = [name for name, kind in asked.items() if kind == "id"]
    if len(given) > 1:
        raise InputError(f"two columns are to name the rows, {quoted(given[0])} and {quoted(given[1])}: choose one.")
    if given:
        return given[0]
    return "id" if "id" in raw.names and asked.get("id") is None else None


def _read_columns(
    raw: RawTable, asked: Mapping[str, str], exact: bool, known: Mapping[str | None, str]
) -> tuple[dict[str, Read], dict[str, str]]:
    """Return the features, and why each other column is left out."""
    found: dict[str, Read] = {}
    left_out: dict[str, str] = {}
    order = list(asked) if exact else raw.names
    for name in order:
        kind = asked.get(name)
        if name in known:
            left_out[name] = known[name]
        elif kind is None and name.strip().casefold() in ANSWERS:
            left_out[name] = f"is named as answers are; give it a kind (columns: {name}=category) to make it a feature"
        else:
            read = read_column(raw.columns[raw.names.index(name)], name, kind=kind)
            if read.kind is None:
                left_out[name] = read.notes[0]
            else:
                found[name] = read
    return found, left_out


def _labels_of(raw: RawTable, answer: str | None, asked: str | None) -> Any:
    if answer is None and raw.labels is not None:
        return raw.labels
    if answer is None:
        told = ", ".join(quoted(name) for name in raw.names[:_SAID])
        near = did_you_mean(str(asked), raw.names)
        raise InputError(f"{raw.name} has no column {asked!r} for the labels; its columns are {told}.{near}")
    cells = raw.columns[raw.names.index(answer)].to_pylist()
    words = [cell for cell in cells if isinstance(cell, str) and cell.strip()]
    whole = all(cell.strip().lstrip("+-").isdigit() for cell in words) if words else False
    return [int(cell) if isinstance(cell, str) and cell.strip() and whole else cell for cell in cells]


def _row_ids(raw: RawTable, id_column: str | None) -> np.ndarray:
    """Return the ids of the rows. Raises InputError where one is missing or stands twice."""
    if id_column is None:
        return row_numbers(len(raw))
    cells = raw.columns[raw.names.index(id_column)].to_pylist()
    for row, cell in enumerate(cells):
        if cell is None or cell != cell or cell == "":
            raise InputError(f"row {row} of {raw.name} has no id: give every row one, or leave {id_column!r} out.")
    ids = np.array([str(cell) for cell in cells])
    values, counts = np.unique(ids, return_counts=True)
    if len(values) < len(ids):
        twice = values[counts > 1][0]
        rows = np.flatnonzero(ids == twice)[:2].tolist()
        raise InputError(
            f"{raw.name}: the id {str(twice)!r} stands twice, in row {rows[0]} and in row {rows[1]}: ids must differ."
        )
    return ids
