"""Labels of stretches of a recording, for the windows that it is cut into."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from handful.data.labels import is_unlabelled
from handful.data.spreadsheet import plain_cell
from handful.data.tables import Table
from handful.errors import InputError, did_you_mean, quoted

ENDS = ("start", "end")
_WINDOW = re.compile(r"(.*)\[([\d.e+]+):([\d.e+]+)\]", re.DOTALL)
_MOST = 0.5  # of a window: above it no two labels can both cover one, unless they overlap


class Windows:
    """The windows of recordings by the recording's id, as ids such as "plant.csv[256:512]" name them."""

    def __init__(self, ids: Iterable[str]) -> None:
        found: dict[str, list[tuple[int, float, float]]] = {}
        for row, id in enumerate(ids):
            named = _WINDOW.fullmatch(id)
            if named is not None:
                found.setdefault(named[1], []).append((row, float(named[2]), float(named[3])))
        self.ends = {name: np.array([window[1:] for window in windows]) for name, windows in found.items()}
        self.rows = {name: np.array([window[0] for window in windows]) for name, windows in found.items()}

    def __len__(self) -> int:
        return sum(map(len, self.rows.values()))

    def covered(self, name: str, start: float, end: float) -> np.ndarray:
        """Return the share of each window of a recording that lies between `start` and `end`."""
        low, high = self.ends[name].T
        return np.clip(np.minimum(high, end) - np.maximum(low, start), 0, None) / (high - low)


def holds_intervals(table: Table, ids: Sequence[str] | None, rows: Iterable[str]) -> bool:
    """Tell whether a table labels intervals rather than rows: it has columns `start` and `end`, and its `ids` (None for
    no such column) are not among the `rows` of the source."""
    if not set(ENDS) <= set(table.names):
        return False
    return ids is None or not set(ids) & set(rows)


def interval_labels(
    table: Table, names: Sequence[str] | None, labels: Sequence[Any], ids: Sequence[str], source: str
) -> list[Any]:
    """Return the label of each of the `ids` of a source, None where there is none: a window has the label that covers
    more than half of it.

    names: the recording of each row of the table; None where there is one recording only. Ends are in the units of the
    ids: seconds of sounds, steps of series.
    Raises InputError for a source that is not cut into windows, a recording that is not there, ends that are none, two
    labels that both cover a window, and an interval that gives no window its label.
    """
    windows = Windows(ids)
    if not len(windows):
        raise InputError(f"{table.name} labels intervals, and {source} is not cut into windows: give window as well.")
    if names is None and len(windows.rows) > 1:
        raise InputError(f"{table.name} needs a column 'id' that names one of the {len(windows.rows)} recordings.")
    given = [(row, label) for row, label in enumerate(labels) if not is_unlabelled(label)]
    stretches = {row: _stretch(table, row, names, windows) for row, _ in given}
    cover: dict[tuple[str, Any], np.ndarray] = {}
    for row, label in given:
        key = stretches[row][0], label
        cover[key] = cover.get(key, 0) + windows.covered(*stretches[row])
    found: list[Any] = [None] * len(ids)
    for (name, label), share in cover.items():
        for row in windows.rows[name][share > _MOST].tolist():
            if found[row] is not None:
                raise InputError(
                    f"{table.name} labels most of {ids[row]} as {quoted(found[row])} and as {quoted(label)}: "
                    "intervals of different labels must not overlap."
                )
            found[row] = label
    for row, label in given:
        touched = windows.rows[stretches[row][0]][windows.covered(*stretches[row]) > 0]
        if not any(found[at] == label for at in touched.tolist()):
            raise InputError(
                f"{table.place(row)}: no window lies mostly within this interval: cut shorter windows, or closer "
                "together (stride)."
            )
    return found


def _stretch(table: Table, row: int, names: Sequence[str] | None, windows: Windows) -> tuple[str, float, float]:
    """Return the recording of a row of the table, and the start and end of its interval."""
    name = next(iter(windows.rows)) if names is None else names[row].replace("\\", "/").removeprefix("./")
    if name not in windows.rows:
        near = did_you_mean(name, list(windows.rows)[:3000])
        raise InputError(f"{table.place(row)}: {quoted(name)} is not a recording of this source.{near}")
    ends = []
    for column in ENDS:
        cell = table.column(column)[row]
        try:
            ends.append(float(plain_cell(cell) if isinstance(cell, str) else cell))
        except (TypeError, ValueError):
            raise InputError(f"{table.place(row)}: {quoted(cell)} in the column {column!r} is no number.") from None
    if not 0 <= ends[0] < ends[1] < np.inf:
        raise InputError(f"{table.place(row)}: an interval starts at 0 or later and ends later, got {ends}.")
    return name, ends[0], ends[1]
