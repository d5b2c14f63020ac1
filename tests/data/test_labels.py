"""What counts as not labelled, and what a class is."""

from __future__ import annotations

import numpy as np
import pytest

from handful import InputError
from handful.data import Labels, encode_labels, is_unlabelled


@pytest.mark.parametrize(
    "value", [-1, -1.0, None, float("nan"), np.nan, "", " ", "-1", b"", np.int8(-1), np.str_("-1")]
)
def test_not_labelled_in_any_type(value):
    assert is_unlabelled(value)


@pytest.mark.parametrize("value", [0, 1, -2, "a", "nan", "None", False, np.uint8(255), 0.0])
def test_everything_else_is_a_class(value):
    assert not is_unlabelled(value)


@pytest.mark.parametrize(
    ("values", "classes", "codes"),
    [
        (["b", "a", None, "b", ""], ["a", "b"], [1, 0, -1, 1, -1]),
        ([3, -1, 7, 3], [3, 7], [0, -1, 1, 0]),
        ([3.0, np.nan, 7.0, None], [3, 7], [0, -1, 1, -1]),
        (np.array(["b", "-1", "a"]), ["a", "b"], [1, -1, 0]),
        (np.array(["b", np.nan, "a"]), ["a", "b"], [1, -1, 0]),
        (np.array([255, 0, 255], np.uint8), [0, 255], [1, 0, 1]),
        (np.array([2.0, np.nan, -1.0]), [2], [0, -1, -1]),
        (np.array(["x", None, -1], dtype=object), ["x"], [0, -1, -1]),
        ([], [], []),
    ],
)
def test_classes_are_sorted_and_come_back_as_given(values, classes, codes):
    labels = encode_labels(values)
    assert labels.classes.tolist() == classes
    assert labels.codes.tolist() == codes
    assert labels.given.tolist() == [code >= 0 for code in codes]


def test_pandas_missing_values_are_not_labelled():
    pandas = pytest.importorskip("pandas")
    series = pandas.Series(["a", None, pandas.NA, "b"])
    assert encode_labels(series).codes.tolist() == [0, -1, -1, 1]
    assert encode_labels(pandas.Series([1, None, 2], dtype="Int64")).codes.tolist() == [0, -1, 1]


def test_decode_gives_back_classes_and_none():
    labels = encode_labels(["b", None, "a"])
    assert labels.decode(labels.codes).tolist() == ["b", None, "a"]
    assert labels.decode(np.array([1, 0])).tolist() == ["b", "a"]
    assert encode_labels(labels) is labels


def test_take_keeps_the_classes():
    taken = encode_labels(["b", None, "a"]).take(np.array([0, 1]))
    assert taken.classes.tolist() == ["a", "b"]
    assert taken.codes.tolist() == [1, -1]
    assert isinstance(taken, Labels)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a", 1], "int and str"),
        ([1.5, 2], "1.5"),
        ([[1], [2]], "label"),
        (np.zeros((3, 2)), r"shape \(3, 2\)"),
        ([float("inf")], "inf"),
    ],
)
def test_what_is_no_class_is_refused(values, message):
    with pytest.raises(InputError, match=message):
        encode_labels(values)
