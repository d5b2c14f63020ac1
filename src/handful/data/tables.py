"""Tables: CSV files (any usual delimiter, UTF-8), Parquet files and data frames, told by content."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from handful.data.arrays import first_line
from handful.errors import InputError, did_you_mean

DELIMITERS = ",;\t|"
MOST_ROWS_A_BYTE = 100
"""Rows in a byte of a Parquet file: as few as a row of any use takes, a bit for one that differs from the others."""


class Table(Protocol):
    """Named columns of equal length."""

    name: str
    names: list[str]

    def __len__(self) -> int: ...

    def column(self, name: str) -> list[Any]:
        """Return the cells of a column."""
        ...

    def place(self, row: int) -> str:
        """Say where a row stands, for messages: "labels.csv line 18"."""
        ...


class TextTable:
    """A CSV file, read whole; every cell is a string. `text`: what it holds, where that is known already."""

    def __init__(self, path: Path, text: str | None = None) -> None:
        self.name = path.name
        self.names, self._rows, self._lines = _parse(read_text(path) if text is None else text, path.name)

    def __len__(self) -> int:
        return len(self._rows)

    def column(self, name: str) -> list[Any]:
        index = self.names.index(name)
        return [row[index].strip() for row in self._rows]

    def place(self, row: int) -> str:
        return f"{self.name} line {self._lines[row]}"


class FrameTable:
    """A data frame of pandas or polars, or an Arrow table."""

    def __init__(self, frame: Any) -> None:
        self.name = "the table given"
        self.names = [str(name) for name in getattr(frame, "column_names", frame.columns)]
        self._frame = frame

    def __len__(self) -> int:
        return len(self._frame)

    def column(self, name: str) -> list[Any]:
        cells = self._frame[name]
        return list(cells.to_pylist() if hasattr(cells, "to_pylist") else cells)

    def place(self, row: int) -> str:
        return f"row {row} of {self.name}"


class ParquetTable:
    """Parquet files of one schema, one after the other; columns are read when asked for, long ones by batches."""

    def __init__(self, paths: Sequence[Path], name: str) -> None:
        import pyarrow.parquet

        self.name = name
        try:
            # A buffered stream holds a page at a time, where pre-buffering holds whole column chunks.
            self._files = [pyarrow.parquet.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False) for path in paths]
        except (pyarrow.ArrowException, OSError) as error:
            raise InputError(f"{name} is not readable as Parquet: {first_line(error)}.") from None
        self._schema = self._files[0].schema_arrow
        for path, file in zip(paths, self._files, strict=True):
            if file.schema_arrow.names != self._schema.names:
                raise InputError(f"{path} has other columns than {paths[0]}: read them one by one.")
        self.names = list(self._schema.names)
        size = sum(path.stat().st_size for path in paths)
        if len(self) > MOST_ROWS_A_BYTE * size:
            raise InputError(
                f"{name} announces {len(self):,} rows in {size:,} bytes, as files that are made to fill the memory do."
            )

    def __len__(self) -> int:
        return sum(int(file.metadata.num_rows) for file in self._files)

    def column(self, name: str) -> list[Any]:
        return [cell for file in self._files for cell in self._read(file, name)]

    def struct_field(self, name: str, field: str) -> list[Any]:
        """Return one field of a column of structs, without reading the others."""
        rows = [row for file in self._files for row in self._read(file, f"{name}.{field}")]
        return [None if row is None else row[field] for row in rows]

    def place(self, row: int) -> str:
        return f"{self.name} row {row}"

    def kind(self, name: str) -> str:
        """Return what a column holds: "bytes", "struct" (with a field `bytes`), "text" or "other"."""
        import pyarrow.types as types

        found = self._schema.field(name).type
        if types.is_binary(found) or types.is_large_binary(found) or types.is_binary_view(found):
            return "bytes"
        if types.is_struct(found) and "bytes" in self.field_names(name):
            return "struct"
        return "text" if types.is_string(found) or types.is_large_string(found) else "other"

    def field_names(self, name: str) -> list[str]:
        """Return the names of the fields of a column of structs."""
        struct = self._schema.field(name).type
        return [struct.field(index).name for index in range(struct.num_fields)]

    def stream(self, name: str, batch_bytes: int, most: int) -> Iterator[list[Any]]:
        """Yield the cells of a column in order, at most `most` and about `batch_bytes` at a time."""
        import pyarrow

        for file in self._files:
            cell_bytes = sum(_column_bytes(file, name)) / max(1, file.metadata.num_rows)
            batch = int(min(most, max(1, batch_bytes // max(1, cell_bytes))))
            try:
                for cells in file.iter_batches(batch, columns=[name]):
                    yield cells.column(0).to_pylist()
            except (pyarrow.ArrowException, OSError, ValueError) as error:
                raise InputError(f"{self.name} is damaged: {first_line(error)}.") from None

    def _read(self, file: Any, name: str) -> list[Any]:
        import pyarrow

        try:
            return file.read(columns=[name]).column(0).to_pylist()
        except (pyarrow.ArrowException, OSError, ValueError) as error:  # ValueError: text that is no UTF-8
            raise InputError(f"{self.name} is damaged: {first_line(error)}.") from None


def _column_bytes(file: Any, name: str) -> Iterator[int]:
    """Yield the uncompressed size of each chunk of a column."""
    for group in range(file.metadata.num_row_groups):
        for index in range(file.metadata.num_columns):
            chunk = file.metadata.row_group(group).column(index)
            if chunk.path_in_schema.split(".")[0] == name:
                yield chunk.total_uncompressed_size


def is_parquet(path: Path) -> bool:
    """Tell whether a file begins as Parquet does."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def is_frame(value: Any) -> bool:
    """Tell whether a value is a data frame or an Arrow table."""
    return hasattr(value, "columns") and hasattr(value, "__getitem__") and hasattr(value, "__len__")


def read_table(path: Path) -> TextTable | ParquetTable:
    """Return a CSV or Parquet file as a table.

    Raises InputError where it is damaged, is not UTF-8 text, or its rows do not fit its header.
    """
    return ParquetTable([path], path.name) if is_parquet(path) else TextTable(path)


def write_parquet(table: Any, file: IO[bytes]) -> None:
    """Write an Arrow table as Parquet to an open file, in one piece: a writer that fails midway complains twice."""
    import pyarrow
    import pyarrow.parquet

    made = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, made)
    file.write(made.getvalue())


def find_column(table: Table, names: Sequence[str], *, what: str) -> str:
    """Return the first column of `table` that bears one of `names`, in any case.

    Raises InputError that names the columns found.
    """
    by_key = {name.strip().casefold(): name for name in reversed(table.names)}
    for name in names:
        if name.strip().casefold() in by_key:
            return by_key[name.strip().casefold()]
    wanted = " or ".join(repr(name) for name in names)
    found = ", ".join(repr(name) for name in table.names[:20]) + (", ..." if len(table.names) > 20 else "")
    near = did_you_mean(names[0], table.names)
    raise InputError(f"{table.name} has no column {wanted} for the {what}; its columns are {found}.{near}")


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file, without a byte order mark.

    Raises InputError where the file cannot be read or is not UTF-8 text.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(f"{path.name} is UTF-16: save it as UTF-8 (in Excel: 'CSV UTF-8').")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, byte = raw.count(b"\n", 0, error.start) + 1, raw[error.start]
        raise InputError(f"{path.name} line {line} is not UTF-8 (byte 0x{byte:02x}): save the file as UTF-8.") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(f"{path.name} line {line} holds a NUL byte: it is not a text file.")
    return text


def _parse(text: str, name: str) -> tuple[list[str], list[list[str]], list[int]]:
    """Return the header, the rows and the line on which each row ends."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    if not first:
        raise InputError(f"{name} is empty: it needs a header line such as 'id,label' and rows below it.")
    delimiter = max(DELIMITERS, key=first.count)
    try:
        return _parse_rows(text, name, delimiter, quoted=True)
    except InputError:
        if delimiter != "\t":
            raise
    return _parse_rows(text, name, delimiter, quoted=False)  # many write tabs and let quotes stand for quotes


def _parse_rows(text: str, name: str, delimiter: str, *, quoted: bool) -> tuple[list[str], list[list[str]], list[int]]:
    header: list[str] = []
    rows, lines = [], []
    begins, last = 1, 1  # the lines on which the next row and the last one begin
    with _fields_of_any_size():
        reader = csv.reader(
            io.StringIO(text, newline=""), delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
        )
        try:
            for row in reader:
                last, begins = begins, reader.line_num + 1
                if not any(cell.strip() for cell in row):
                    continue
                if not header:
                    header = [cell.strip() for cell in row]
                    continue
                if len(row) != len(header):
                    _check_quotes_closed(text, name, last, delimiter, quoted)
                    raise InputError(_misfit(name, last, reader.line_num, len(row), len(header)))
                rows.append(row)
                lines.append(reader.line_num)
            _check_quotes_closed(text, name, last, delimiter, quoted)
        except csv.Error as error:
            raise InputError(f"{name} line {reader.line_num} is not readable as CSV: {first_line(error)}.") from None
    return header, rows, lines


def _misfit(name: str, begins: int, ends: int, n_cells: int, n_columns: int) -> str:
    where = (
        f"{name} line {ends} has" if begins == ends else f"{name} lines {begins} to {ends}, one row by the quotes, have"
    )
    return (
        f"{where} {n_cells} cells and the header has {n_columns}: quote cells that contain the delimiter, "
        "and close every quote."
    )


def _check_quotes_closed(text: str, name: str, begins: int, delimiter: str, quoted: bool) -> None:
    """Raise InputError where the row that begins on line `begins` runs to the end of the text within a quote."""
    if not quoted:
        return
    rest = "\n".join(re.split(r"\r\n|\r|\n", text)[begins - 1 :])
    try:
        next(csv.reader(io.StringIO(rest, newline=""), delimiter=delimiter, strict=True), None)
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            raise InputError(
                f"{name} line {begins} opens a quote that is never closed: close it, or double a quote in a cell."
            ) from None


@contextmanager
def _fields_of_any_size() -> Iterator[None]:
    """Let the csv module read cells of more than its 131,072 characters."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)
