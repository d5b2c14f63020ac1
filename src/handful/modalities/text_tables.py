"""Where texts come from: tables with a column of texts, JSON lines, lines of a file, lists, folders of documents."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from handful.data.folders import walk
from handful.data.items import BLOCK_ITEMS, FileItems
from handful.data.sources import PATH_COLUMNS, Source, Wanted, list_source, read_folder, row_numbers, table_ids
from handful.data.tables import FrameTable, Table, TextTable, find_column, is_frame, is_parquet, read_table
from handful.errors import InputError, did_you_mean
from handful.modalities.image_files import EXTENSIONS as IMAGE_EXTENSIONS
from handful.modalities.text_files import EXTENSIONS, check_encoding, find_encoding

COLUMNS = (
    "text",
    "sentence",
    "document",
    "content",
    "body",
    "review",
    "message",
    "comment",
    "abstract",
    "description",
    "utterance",
    "question",
    "query",
    "tweet",
    "article",
    "headline",
    "title",
    "summary",
)
"""The names that a column of texts usually has, the surest first."""
_TABLES = (".csv", ".tsv", ".tab")
_JSON = (".jsonl", ".ndjson", ".json")
_LINES = (".txt", ".text", ".md", "")


@dataclass(frozen=True)
class TextItems:
    """Texts in memory, given as UTF-8; what is no text passes as it is, so that it can be refused by name.

    encoding: of the file they were read from, or of cells that are bytes; None where they came as strings.
    """

    cells: Sequence[Any]
    encoding: str | None = None

    def blocks(self, rows: np.ndarray) -> Iterator[list[Any]]:
        for start in range(0, len(rows), BLOCK_ITEMS):
            yield [_as_content(self.cells[row], self.encoding) for row in rows[start : start + BLOCK_ITEMS]]


class JsonTable:
    """JSON objects as the rows of a table, one a line or all in one list; a line that is a string is a text."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self._rows, self._lines = _parse_json(text, name)
        self.names = list(dict.fromkeys(key for row in self._rows for key in row))

    def __len__(self) -> int:
        return len(self._rows)

    def column(self, name: str) -> list[Any]:
        return [row.get(name) for row in self._rows]

    def place(self, row: int) -> str:
        return f"{self.name} line {self._lines[row]}"


def open_texts(source: Any, wanted: Wanted, *, cache: Path, encoding: str | None = None) -> Source:
    """Return the texts of `source` as a Source.

    source: a folder of documents, a CSV, TSV, JSON lines or Parquet file with a column of texts, any other text file
        (one document a line), a data frame, or a list of strings, bytes or `Path`s.
    Raises InputError where there is no text in it.
    """
    check_encoding(encoding)
    if isinstance(source, str | os.PathLike):
        return _open_path(Path(source).expanduser(), wanted, encoding)
    if is_frame(source):
        return _table_source(FrameTable(source), wanted)
    if hasattr(source, "tolist") and not isinstance(source, list):
        source = source.tolist()
    if not isinstance(source, list | tuple):
        raise InputError(f"a source of type {type(source).__name__} holds no texts: give a folder, a file or a list.")
    if source and all(isinstance(item, os.PathLike) for item in source):
        return list_source(source, wanted)
    if not source:
        raise InputError("the list of texts is empty: give at least two.")
    return Source(f"the list of {len(source)} texts", row_numbers(len(source)), TextItems(source, encoding))


def holds_texts(source: Any) -> bool:
    """Tell whether `source` is clearly made of texts: told from names and types, without reading it all."""
    if is_frame(source):
        return _has_text_column([str(name) for name in getattr(source, "column_names", source.columns)])
    if isinstance(source, str | os.PathLike):
        return _path_holds_texts(Path(source).expanduser())
    items = source.tolist() if isinstance(source, np.ndarray) and source.dtype.kind in "UO" else source
    if not isinstance(items, list | tuple) or not items or not all(isinstance(item, str) for item in items):
        return False
    return not any(_is_path(item) for item in items[:100])


def _path_holds_texts(path: Path) -> bool:
    if path.is_dir():
        return _folder_holds_texts(path)
    if not path.is_file():
        return False
    if path.suffix.lower() in (".jsonl", ".ndjson", *EXTENSIONS):
        return True
    with path.open("rb") as file:
        head = file.read(4096)
    if is_parquet(path):
        return _has_text_column(read_table(path).names)
    if path.suffix.lower() not in _TABLES:
        return False
    first = head.decode(find_encoding(head), "replace").splitlines()[:1]
    return bool(first) and _has_text_column(_header_cells(first[0]))


def _folder_holds_texts(folder: Path) -> bool:
    """Tell whether documents lie in `folder`, and no image before any of them."""
    for path in walk(folder):
        if path.suffix.lower() in IMAGE_EXTENSIONS:
            return False
        if path.suffix.lower() in EXTENSIONS and path.stem.lower() not in ("readme", "license", "licence"):
            return True
    return False


def _has_text_column(names: Sequence[str]) -> bool:
    known = {name.strip().casefold() for name in names}
    return not known & {*PATH_COLUMNS, "image"} and bool(known & set(COLUMNS))


def _header_cells(line: str) -> list[str]:
    delimiter = max(",;\t|", key=line.count)
    return [cell.strip().strip('"') for cell in line.removeprefix("\ufeff").split(delimiter)]


def _is_path(item: str) -> bool:
    if Path(item[-10:]).suffix.lower() in IMAGE_EXTENSIONS and "\n" not in item:
        return True
    try:
        return len(item) < 4096 and os.path.exists(item)
    except ValueError:  # a NUL byte
        return False


def _open_path(path: Path, wanted: Wanted, encoding: str | None) -> Source:
    if path.is_dir():
        return read_folder(path, wanted)
    if not path.is_file():
        near = did_you_mean(path.name, (p.name for p in path.parent.iterdir())) if path.parent.is_dir() else ""
        raise InputError(f"{path} does not exist: give a folder, a file or a list of texts.{near}")
    try:
        return _open_file(path, wanted, encoding)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from None


def _open_file(path: Path, wanted: Wanted, encoding: str | None) -> Source:
    if is_parquet(path):
        return _table_source(read_table(path), wanted)
    raw = path.read_bytes()
    if not raw.strip():
        raise InputError(f"{path} is empty: give a file with texts.")
    encoding = encoding or find_encoding(raw)
    text = raw.decode(encoding, "replace").removeprefix("\ufeff")
    if path.suffix.lower() in _JSON or text.lstrip().startswith('{"'):
        return _table_source(JsonTable(text, path.name), wanted, encoding)
    if path.suffix.lower() in _TABLES or (wanted.column is not None and path.suffix.lower() not in _LINES):
        return _table_source(TextTable(path, text), wanted, encoding)
    if path.suffix.lower() in (".html", ".htm", ".xhtml", ".pdf", ".docx", ".eml"):
        return Source(path.name, np.array([path.name]), FileItems(path.parent, [path.name]), root=path.parent)
    if wanted.column is not None or wanted.label_column is not None:
        return _table_source(TextTable(path, text), wanted, encoding)
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    return Source(path.name, row_numbers(len(lines)), TextItems(lines, encoding))


def _table_source(table: Table, wanted: Wanted, encoding: str | None = None) -> Source:
    if len(table) == 0:
        raise InputError(f"{table.name} has no rows.")
    cells = table.column(_text_column(table, wanted))
    return Source(
        table.name,
        table_ids(table),
        TextItems(cells, encoding),
        own_labels=lambda: table.column(find_column(table, [wanted.label_column or "label"], what="labels")),
    )


def _text_column(table: Table, wanted: Wanted) -> str:
    """Return the column of texts: the one asked for, one with a usual name, else the only one of many words."""
    if wanted.column is not None:
        return find_column(table, [wanted.column], what="texts")
    by_key = {name.strip().casefold(): name for name in reversed(table.names)}
    for name in COLUMNS:
        if name in by_key and name != wanted.label_column:
            return by_key[name]
    wordy = [name for name in table.names if name != wanted.label_column and _is_wordy(table.column(name)[:200])]
    if len(wordy) == 1:
        return wordy[0]
    which = "several columns of texts" if wordy else "no column of texts"
    found = ", ".join(repr(name) for name in (wordy or table.names)[:20])
    raise InputError(f"{table.name} has {which} ({found}): choose one with column='NAME'.")


def _is_wordy(cells: Sequence[Any]) -> bool:
    """Tell whether cells are mostly strings of three words or more."""
    texts = [cell for cell in cells if isinstance(cell, str)]
    return bool(texts) and bool(np.mean([len(text.split()) >= 3 for text in texts]) > 0.5)


def _as_content(cell: Any, encoding: str | None) -> Any:
    """Return a cell as `load` takes it: texts and numbers as UTF-8, missing ones as no bytes, others as they are."""
    if isinstance(cell, bytes):
        cell = cell.decode(encoding or find_encoding(cell), "replace")
    if cell is None or (isinstance(cell, float) and cell != cell):
        return b""
    if isinstance(cell, int | float | np.number) and not isinstance(cell, bool):
        cell = str(cell)
    return cell.encode("utf-8", "replace") if isinstance(cell, str) else cell


def _parse_json(text: str, name: str) -> tuple[list[dict[str, Any]], list[int]]:
    """Return the objects and the line that each stands on."""
    if text.lstrip().startswith("["):
        try:
            listed = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            raise InputError(f"{name} is not readable as JSON: {error}.") from None
        return [_as_row(value, f"{name} entry {n}") for n, value in enumerate(listed)], list(range(1, len(listed) + 1))
    rows, lines = [], []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            rows.append(_as_row(json.loads(line), f"{name} line {number}"))
        except (json.JSONDecodeError, RecursionError) as error:
            raise InputError(
                f"{name} line {number} is not readable as JSON ({error}): give one object a line, such as "
                '{"text": "..."}.'
            ) from None
        lines.append(number)
    return rows, lines


def _as_row(value: Any, place: str) -> dict[str, Any]:
    if isinstance(value, str):
        return {"text": value}
    if isinstance(value, dict):
        return value
    raise InputError(f"{place} is a {type(value).__name__}: give an object with a text in it, or a string.")
