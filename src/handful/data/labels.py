"""The only place that knows how labels come in: what counts as not labelled, and what a class is.

Not labelled is -1, None, NaN or the empty string, whatever the type of the others. A class is a string or an
integer and comes back as it was given.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from handful.errors import InputError


@dataclass(frozen=True)
class Labels:
    """The given labels of N rows.

    classes: [K] the classes, sorted, as they were given (all strings or all integers).
    codes: [N] int32, the index into `classes`, -1 where the row is not labelled.
    """

    classes: np.ndarray
    codes: np.ndarray

    @property
    def given(self) -> np.ndarray:
        """[N] bool, whether the row carries a label."""
        return self.codes >= 0

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Return the classes of `codes` [M]: in the classes' own type, or objects with None where a code is -1."""
        codes = np.asarray(codes)
        if (codes >= 0).all():
            return self.classes[codes]
        names = np.empty(len(codes), dtype=object)
        names[codes >= 0] = self.classes[codes[codes >= 0]].tolist()
        return names

    def take(self, rows: np.ndarray) -> Labels:
        """Return the labels of `rows` only, with the same classes."""
        return Labels(self.classes, self.codes[rows])


def is_unlabelled(value: Any) -> bool:
    """Tell whether one value means "not labelled": -1, None, NaN or the empty string, in any type."""
    if value is None:
        return True
    if isinstance(value, str | np.str_):
        return value.strip() in ("", "-1")  # numpy turns ["a", -1] into ["a", "-1"]
    if isinstance(value, bytes):
        return value.strip() in (b"", b"-1")
    try:
        return bool(value != value) or bool(value == -1)  # NaN is the value that differs from itself
    except TypeError:  # pandas.NA has no truth value
        return True


def encode_labels(values: Iterable[Any] | Labels) -> Labels:
    """Return `values` [N] as Labels.

    Raises InputError where the values mix strings with numbers, or a number is not a whole number.
    """
    if isinstance(values, Labels):
        return values
    array = np.asarray(values) if isinstance(values, np.ndarray) else None
    if array is not None and array.ndim != 1:
        raise InputError(f"labels must be one value a row, shape (N,), got shape {array.shape}.")
    if array is not None and array.dtype.kind in "iu":
        codes = np.full(len(array), -1, dtype=np.int32)
        given = array != -1 if array.dtype.kind == "i" else np.ones(len(array), bool)
        classes, codes[given] = np.unique(array[given], return_inverse=True)
        return Labels(classes, codes)
    listed = array.tolist() if array is not None else list(values)
    if array is not None and array.dtype.kind == "U":  # numpy turns ["a", nan] into ["a", "nan"]
        listed = [None if value == "nan" else value for value in listed]
    rows = [row for row, value in enumerate(listed) if not is_unlabelled(value)]
    codes = np.full(len(listed), -1, dtype=np.int32)
    classes, codes[rows] = np.unique(_as_classes([listed[row] for row in rows]), return_inverse=True)
    return Labels(classes, codes)


def _as_classes(values: list[Any]) -> np.ndarray:
    """Return given values as one array of strings or of integers."""
    values = [v.decode("utf-8") if isinstance(v, bytes) else v for v in values]
    if not values:
        return np.array([], dtype=np.int64)
    if all(isinstance(v, str) for v in values):
        return np.array(values, dtype=str)
    if any(isinstance(v, str) for v in values):
        kinds = " and ".join(sorted({type(v).__name__ for v in values}))
        raise InputError(f"labels must be all strings or all whole numbers, got {kinds}: write them one way.")
    for value in values:
        if isinstance(value, bool | np.bool_):
            continue
        try:
            whole = int(value) == value
        except (TypeError, ValueError, OverflowError):
            whole = False
        if not whole:
            raise InputError(f"label {value!r} is neither a string nor a whole number: a class needs a name.")
    return np.array([int(v) for v in values], dtype=np.int64)
