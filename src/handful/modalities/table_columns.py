"""What the columns of a table hold: numbers, categories, dates, yes or no; and their cells as float64.

A category is kept as the first 48 bits of a digest of its name, so that a cell means the same whatever else is in the
table; a date as days since 1970; yes and no as 1 and 0; a missing cell as NaN.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from handful.errors import InputError, check_choice

KINDS = ("number", "category", "date", "boolean")
OTHER_KINDS = ("id", "ignore")
ANSWERS = ("label", "labels", "class", "target", "y", "outcome")
"""Columns of these names hold the answer, as a rule: they are left out unless they are asked for."""
_MISSING = ("", "na", "n/a", "nan", "null", "none", "?", "-", "--", "#n/a", "missing", "<na>", "nat")
_YES, _NO = ("true", "yes", "y", "t"), ("false", "no", "n", "f")
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_THOUSANDS = r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$"
_COMMA = r"^[+-]?\d+,\d+$"
_INFINITE = r"(?i)^[+-]?inf(inity)?$"
_DATE = r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}"
_DATE_FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%Y/%m/%d", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y")
_TIMES = ("", " %H:%M:%S", " %H:%M")
_MOSTLY = 0.9  # the share of cells that a column needs to be of a kind
_ID_NAME = re.compile(r"(^|[_ ])(id|uuid|guid|key|index|rowid)$|^unnamed: 0$|^$", re.IGNORECASE)
_FEW = 20  # rows below which all different says nothing


@dataclass(frozen=True)
class Read:
    """A column as it was read.

    kind: one of `KINDS`, or None where it is left out. values: [N] float64. names: the category of each code.
    notes: what was met, and why it is left out, in words.
    """

    kind: str | None
    values: np.ndarray | None = None
    names: Mapping[float, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_column(cells: Any, name: str, *, kind: str | None = None) -> Read:
    """Return a column of Arrow cells, of the kind that it clearly is, or of `kind`.

    Left out are columns that are empty, constant, or an id: a value of its own in every row.
    """
    if kind is not None:
        check_choice(f"the kind of column {name!r}", kind, (*KINDS, *OTHER_KINDS))
    if kind in OTHER_KINDS:
        return Read(None, notes=("is an id" if kind == "id" else "was asked to be left out",))
    cells = cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    found = _read_typed(cells, name, kind)
    return found if kind is not None else _unless_useless(found, name, cells)


def category_code(name: str) -> float:
    """Return the number that stands for a category: 48 bits, so that float64 holds it whole."""
    return float(int.from_bytes(hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=6).digest()))


def _read_typed(cells: Any, name: str, kind: str | None) -> Read:
    if pa.types.is_boolean(cells.type) and kind in (None, "boolean"):
        return Read("boolean", _floats(cells))
    if _is_date_type(cells.type) and kind in (None, "date"):
        return Read("date", _days(cells))
    if pa.types.is_decimal(cells.type):
        cells = cells.cast(pa.float64())
    if pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type) or pa.types.is_boolean(cells.type):
        if kind in (None, "number", "boolean"):
            return _without_infinities(kind or "number", _floats(cells))
        if kind == "date":
            raise InputError(f"column {name!r} holds numbers: they are no dates; leave its kind 'number'.")
    if pa.types.is_nested(cells.type) or pa.types.is_binary(cells.type):
        if kind is not None:
            raise InputError(f"column {name!r} holds {cells.type}, which is no {kind}: leave it out.")
        return Read(None, notes=(f"holds {cells.type}",))
    if pa.types.is_null(cells.type):
        return Read(kind or "number", np.full(len(cells), np.nan))
    return _read_words(pc.utf8_trim_whitespace(cells.cast(pa.string())), kind)


def _read_words(cells: Any, kind: str | None) -> Read:
    """Return a column of strings as what they stand for."""
    lower = pc.utf8_lower(cells)
    cells = pc.if_else(pc.is_in(lower, pa.array(_MISSING)), None, cells)
    present = len(cells) - cells.null_count
    if present == 0:
        return Read(kind or "number", np.full(len(cells), np.nan))
    if kind in (None, "number"):
        numbers, infinite = _as_numbers(cells)
        share = (np.isfinite(numbers).sum() + infinite) / present
        if kind == "number" or share >= _MOSTLY:
            odd = present - int(np.isfinite(numbers).sum()) - infinite
            notes = [_counts_as_missing(odd, "no number")] if odd else []
            notes += [_counts_as_missing(infinite, "infinite")] if infinite else []
            return Read("number", numbers, notes=tuple(notes))
    if kind in (None, "boolean"):
        yes, no = pc.is_in(lower, pa.array(_YES)), pc.is_in(lower, pa.array(_NO))
        told = pc.fill_null(pc.or_(yes, no), False)
        if kind == "boolean" or pc.sum(told).as_py() == present:
            return Read("boolean", _floats(pc.if_else(told, yes.cast(pa.float64()), None)))
    if kind in (None, "date"):
        days = _parse_dates(cells) if kind == "date" or _looks_like_dates(cells) else None
        if days is not None and (kind == "date" or np.isfinite(days).sum() >= _MOSTLY * present):
            odd = present - int(np.isfinite(days).sum())
            return Read("date", days, notes=(_counts_as_missing(odd, "no date"),) if odd else ())
    return _read_categories(cells)


def _read_categories(cells: Any) -> Read:
    encoded = cells.dictionary_encode()
    words = encoded.dictionary.to_pylist()
    codes = np.array([category_code(word) for word in words])
    index = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    values = np.where(index >= 0, codes[index], np.nan)
    return Read("category", values, dict(zip(codes.tolist(), words, strict=True)))


def _unless_useless(found: Read, name: str, cells: Any) -> Read:
    """Return a column, or why it is left out."""
    if found.values is None:
        return found
    present = found.values[~np.isnan(found.values)]
    if len(present) == 0:
        return Read(None, notes=("is empty",))
    first, n = present[0], len(found.values)
    if len(present) == n and (present == first).all():
        return Read(None, notes=("is constant",))
    if n < _FEW or len(present) < n:
        return found
    counts = np.diff(np.sort(present)) == 1 if found.kind == "number" else np.zeros(1, bool)
    is_whole = found.kind == "number" and bool((present == np.floor(present)).all())
    if found.kind == "category" and len(found.names) > _MOSTLY * n:
        return Read(None, notes=("has a value of its own in nearly every row",))
    if is_whole and len(np.unique(present)) == n and (_ID_NAME.search(name) or (counts.all() and present.min() <= 1)):
        return Read(None, notes=("numbers the rows",))
    return found


def _without_infinities(kind: str, values: np.ndarray) -> Read:
    infinite = np.isinf(values)
    if not infinite.any():
        return Read(kind, values)
    told = _counts_as_missing(int(infinite.sum()), "infinite")
    return Read(kind, np.where(infinite, np.nan, values), notes=(told,))


def _counts_as_missing(count: int, what: str) -> str:
    """Return in words that `count` cells are `what`: "infinite", or "no" and a noun."""
    if count == 1:
        return f"1 cell is {what} and counts as missing"
    return f"{count} cells are {what}{'s' if what.startswith('no ') else ''} and count as missing"


def _as_numbers(cells: Any) -> tuple[np.ndarray, int]:
    """Return strings as numbers, NaN where they are none, and how many are infinite."""
    try:
        values = _floats(cells.cast(pa.float64()))
    except pa.ArrowInvalid:
        plain = pc.if_else(pc.match_substring_regex(cells, _THOUSANDS), pc.replace_substring(cells, ",", ""), cells)
        comma = pc.match_substring_regex(plain, _COMMA)
        plain = pc.if_else(comma, pc.replace_substring(plain, ",", "."), plain)
        fits = pc.or_(pc.match_substring_regex(plain, _NUMBER), pc.match_substring_regex(plain, _INFINITE))
        values = _floats(pc.if_else(fits, plain, None).cast(pa.float64()))
    infinite = np.isinf(values)
    return np.where(infinite, np.nan, values), int(infinite.sum())


def _looks_like_dates(cells: Any) -> bool:
    sample = cells.drop_null()[:200]
    return len(sample) > 0 and bool(pc.mean(pc.match_substring_regex(sample, _DATE).cast(pa.float64())).as_py() > 0.8)


def _parse_dates(cells: Any) -> np.ndarray:
    """Return days since 1970; of two ways to read day and month the one that more cells allow, the day first if even.

    Every cell may be written in any of the formats, with or without a time.
    """
    plain = pc.replace_substring_regex(cells, r"(:\d{2})(\.\d+)?(Z|[+-]\d{2}:?\d{2})?$", r"\1")
    plain = pc.replace_substring_regex(plain, r"^(\d{4}-\d{2}-\d{2})T", r"\1 ")
    read = {form: _read_dates(plain, form) for form in _DATE_FORMATS}
    pair = ["%d/%m/%Y", "%m/%d/%Y"]
    if np.isfinite(read[pair[1]]).sum() > np.isfinite(read[pair[0]]).sum():
        read[pair[0]] = read[pair[1]]
    days = np.full(len(cells), np.nan)
    for form in _DATE_FORMATS:
        days = np.where(np.isnan(days), read[form], days)
    return days


def _read_dates(cells: Any, form: str) -> np.ndarray:
    days = np.full(len(cells), np.nan)
    for time in _TIMES:
        found = pc.strptime(cells, format=form + time, unit="s", error_is_null=True)
        days = np.where(np.isnan(days), _days(found), days)
    return days


def _is_date_type(kind: Any) -> bool:
    return pa.types.is_timestamp(kind) or pa.types.is_date(kind)


def _days(cells: Any) -> np.ndarray:
    seconds = cells.cast(pa.timestamp("us"), safe=False) if _is_date_type(cells.type) else cells
    return _floats(seconds.cast(pa.int64())) / 86_400e6


def _floats(cells: Any) -> np.ndarray:
    """Return cells as float64, NaN where they are missing."""
    if pa.types.is_boolean(cells.type):
        cells = cells.cast(pa.uint8())
    # Not `safe`: microseconds of the year 6024 are more than float64 tells apart, and a date is not known so finely.
    return cells.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
