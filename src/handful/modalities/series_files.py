"""Series as files: the `.ts` format of the UCR and UEA archives, and tables with a row for each step of time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from handful.data.items import Undecodable
from handful.data.tables import Table, TextTable, read_text
from handful.errors import InputError, quoted

TIME_COLUMNS = ("time", "timestamp", "datetime", "date", "t", "seconds")
ID_COLUMNS = ("id", "series", "series_id", "item_id", "unique_id")
EVEN = 0.1
"""How far steps of time may differ, as a share: the months of a year do by 8 %."""
MOST_FILLED = 4  # times as many steps as were given: a clock that is wrong asks for any number
_MISSING = ("", "?", "nan", "na", "n/a", "null", "none", "-")
Item = np.ndarray | Callable[[], np.ndarray]
"""A series [T, C] with NaN where a value is missing, or a call that says why it cannot be read."""


@dataclass(frozen=True)
class Found:
    """ids: [N] strings or None where rows are numbered; items: the series; labels: one a series, or None."""

    ids: list[str] | None
    items: list[Item]
    labels: list[Any] | None = None


def refuse(reason: str) -> Callable[[], np.ndarray]:
    """Return an item that cannot be read, for this reason."""
    return partial(_raise, reason)


def _raise(reason: str) -> NoReturn:
    raise Undecodable(reason)


def read_ts(path: Path) -> Found:
    """Return the series of a `.ts` file and their classes.

    Raises InputError where the header is missing or announces time stamps.
    """
    header: dict[str, str] = {}
    items: list[Item] = []
    labels: list[Any] = []
    lines = read_text(path).splitlines()
    in_data = False
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if not in_data and line.startswith("@"):
            name, _, value = line[1:].partition(" ")
            in_data = name.lower() == "data"
            header[name.lower()] = value.strip().lower()
            continue
        if not in_data:
            raise InputError(f"{path.name} line {number} stands before '@data': a .ts file begins with a header.")
        if header.get("timestamps", "false").startswith("true"):
            raise InputError(f"{path.name} holds time stamps, which are not read: save values at even steps of time.")
        *channels, last = line.split(":")
        labelled = header.get("classlabel", "false").startswith("true") or header.get("targetlabel") == "true"
        items.append(_ts_series(channels if labelled else [*channels, last]))
        labels.append(None if last.strip() in _MISSING else last.strip())
    if not items:
        raise InputError(f"{path.name} holds no series below '@data'.")
    return Found(None, items, labels if header.get("classlabel", "false").startswith("true") else None)


def _ts_series(channels: list[str]) -> Item:
    if not channels:
        return refuse("has a class and no values")
    try:
        values = [np.array(_numbers(channel.split(","))) for channel in channels]
    except ValueError as error:
        return refuse(f"holds a cell that is no number: {error}")
    if len({len(channel) for channel in values}) > 1:
        return refuse("has channels of different lengths")
    return np.stack(values, 1)


def _numbers(cells: Sequence[Any]) -> list[float]:
    """Return cells as numbers, NaN where one is missing. Raises ValueError for one that is no number."""
    found = []
    for cell in cells:
        word = cell.strip().lower() if isinstance(cell, str) else cell
        found.append(np.nan if word is None or word in _MISSING else float(word))
    return found


def read_csv(path: Path) -> Table:
    """Return a CSV file as a table; one without a header gets numbers as the names of its columns."""
    text = read_text(path)
    first = next((line for line in text.splitlines() if line.strip()), "")
    cells = [cell for cell in first.replace(";", ",").replace("\t", ",").split(",") if cell.strip()]
    try:
        [float(cell) for cell in cells]
    except ValueError:
        return TextTable(path, text)
    delimiter = max(",;\t", key=first.count)
    return TextTable(path, delimiter.join(str(at) for at in range(first.count(delimiter) + 1)) + "\n" + text)


def split_table(table: Table, label_column: str | None) -> Found:
    """Return the series of a table with a row for each step: one for each id, or one where there is no id.

    Columns of numbers are the channels; the time is ordered by and must have even steps.
    """
    names = {name.strip().casefold(): name for name in table.names}
    id_column = next((names[name] for name in ID_COLUMNS if name in names), None)
    time_column = next((names[name] for name in TIME_COLUMNS if name in names), None)
    label = names.get((label_column or "label").casefold())
    channels = [name for name in table.names if name not in (id_column, time_column, label)]
    if not channels:
        raise InputError(f"{table.name} has no column of values beside {', '.join(table.names)}.")
    if len(table) == 0:
        raise InputError(f"{table.name} has no rows below its header.")
    values = np.stack([_channel(table, name) for name in channels], 1)  # [rows, C]
    times = None if time_column is None else _times(table, time_column)
    if id_column is None:
        return Found(None, [_even(values, times)])
    groups: dict[str, list[int]] = {}
    for row, name in enumerate(table.column(id_column)):
        groups.setdefault(str(name), []).append(row)
    cells = None if label is None else table.column(label)
    items = [_even(values[rows], None if times is None else times[rows]) for rows in groups.values()]
    labels = None if cells is None else [_one_label(cells, rows, table, label) for rows in groups.values()]
    return Found(list(groups), items, labels)


def series_of_table(table: Table) -> Item:
    """Return the one series of a table, or why it cannot be read."""
    try:
        return split_table(table, None).items[0]
    except InputError as error:
        return refuse(f"cannot be read: {str(error).rstrip('.')}")


def _channel(table: Table, name: str) -> np.ndarray:
    cells = table.column(name)
    try:
        return np.array(_numbers(cells))
    except (TypeError, ValueError):
        row = next(row for row, cell in enumerate(cells) if not _is_number(cell))
        raise InputError(
            f"{table.place(row)}: {quoted(cells[row])} in the column {name!r} is no number, and all columns but "
            "the id, the time and the label are channels: leave that column out."
        ) from None


def _is_number(cell: Any) -> bool:
    try:
        _numbers([cell])
    except (TypeError, ValueError):
        return False
    return True


def _one_label(cells: list[Any], rows: list[int], table: Table, column: str | None) -> Any:
    given = {cells[row] for row in rows} - {None, ""}
    if len(given) > 1:
        raise InputError(
            f"{table.place(rows[0])}: one series has several values in {column!r}, {sorted(map(str, given))[:3]}: "
            "give each series one label."
        )
    return next(iter(given), None)


def _times(table: Table, column: str) -> np.ndarray:
    """Return a column of times as numbers, of dates as seconds."""
    cells = table.column(column)
    try:
        return np.array([_time(cell) for cell in cells])
    except (TypeError, ValueError):
        row = next(row for row, cell in enumerate(cells) if not _is_time(cell))
        raise InputError(
            f"{table.place(row)}: {quoted(cells[row])} is no time: give numbers, or dates such as 2024-05-17 12:00."
        ) from None


def _time(cell: Any) -> float:
    if isinstance(cell, str):
        try:
            return float(cell)
        except ValueError:
            cell = datetime.fromisoformat(cell.strip())
    if hasattr(cell, "timestamp"):
        moment = cell.replace(tzinfo=UTC) if cell.tzinfo is None else cell
        return float(moment.timestamp())
    return float(cell)


def _is_time(cell: Any) -> bool:
    try:
        return bool(np.isfinite(_time(cell)))
    except (TypeError, ValueError):
        return False


def _even(values: np.ndarray, times: np.ndarray | None) -> Item:
    """Return values [T, C] at even steps of their times [T], with NaN where steps are missing, or why there are none.

    A step that is a whole multiple of the usual one is a gap; any other is irregular.
    """
    if times is None or len(times) < 3:
        return values
    steps = np.diff(times)
    if (steps <= 0).any():
        at = int(np.argmax(steps <= 0))
        fault = "stands twice" if steps[at] == 0 else "comes before the one above it"
        return refuse(f"has times that are not in order: the time of step {at + 1} {fault}; sort by time")
    usual = float(np.median(steps[steps < 1.5 * steps.min()]))  # without gaps
    counts = np.rint(steps / usual)
    if (np.abs(steps / usual - np.maximum(counts, 1)) > EVEN).any():
        return refuse(
            f"is sampled irregularly, in steps of {steps.min():g} to {steps.max():g}: "
            "bring it to even steps of time first"
        )
    whole = counts.sum() + 1
    if whole == len(values):
        return values
    if whole > MOST_FILLED * len(values):  # before it is an integer: it may be too large for one
        return refuse(f"has {len(values)} of {whole:.10g} steps between its first time and its last")
    place = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    filled = np.full((place[-1] + 1, values.shape[1]), np.nan)
    filled[place] = values
    return filled
