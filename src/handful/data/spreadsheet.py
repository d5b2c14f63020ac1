"""CSV files for people, who open them in a spreadsheet: no cell of text may be taken for a formula there.

An id is a file's name, and who names a file `=HYPERLINK(...)` must not have it run on the desk of whoever opens the
labels. So such a cell is written with a ' before it, which spreadsheets take for "this is text"; `plain_cell` takes it
away again. The Parquet file beside holds every cell as it is.
"""

from __future__ import annotations

import re
from typing import IO

import pyarrow as pa
import pyarrow.csv as pacsv

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def write_csv(table: pa.Table, file: IO[bytes], *, quoting: str = "needed") -> None:
    """Write a table as CSV to an open file, cells that a spreadsheet would run marked as text."""
    columns = [
        pa.array([marked_cell(cell) for cell in column.to_pylist()], column.type) if _is_text(column.type) else column
        for column in table.columns
    ]
    pacsv.write_csv(pa.table(columns, names=table.column_names), file, pacsv.WriteOptions(quoting_style=quoting))


def read_csv(path: str) -> pa.Table:
    """Return a table that `write_csv` wrote, its texts as they were; every column is of texts."""
    with pacsv.open_csv(path) as head:
        kinds = {name: pa.string() for name in head.schema.names}
    table = pacsv.read_csv(path, convert_options=pacsv.ConvertOptions(column_types=kinds, strings_can_be_null=False))
    return pa.table({name: [plain_cell(cell) for cell in table[name].to_pylist()] for name in table.column_names})


def marked_cell(cell: str | None) -> str | None:
    """Return a cell with a ' before it where a spreadsheet would take it for a formula."""
    return f"'{cell}" if cell and _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def plain_cell(cell: str) -> str:
    """Return a cell as it was before `marked_cell`."""
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell[1:]) else cell


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)
