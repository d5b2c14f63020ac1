"""Reading tables: what each column is, which are left out, and that the answer is never a feature."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

import handful
from handful import InputError


def frame(n: int = 60, *, seed: int = 0) -> pd.DataFrame:
    """Return a frame with a column of each kind, and of each that is left out."""
    draw = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id": [f"row-{row}" for row in range(n)],
            "amount": draw.lognormal(3, 1, n).round(2),
            "shop": draw.choice(["food", "fuel", "books"], n),
            "day": [f"2024-{1 + row % 12:02d}-{1 + row % 28:02d}" for row in range(n)],
            "abroad": draw.choice(["yes", "no"], n),
            "note": [f"n{number:x}" for number in draw.integers(0, 2**60, n)],
            "currency": "EUR",
            "empty": [None] * n,
            "label": draw.choice(["fair", "fraud"], n),
        }
    )


KINDS = [["amount", "number"], ["shop", "category"], ["day", "date"], ["abroad", "boolean"]]


def write(table: pd.DataFrame, path: Path) -> Path:
    """Write a frame in the format that the name says."""
    if path.suffix in (".csv", ".tsv"):
        table.to_csv(path, index=False, sep="," if path.suffix == ".csv" else "\t")
    elif path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pandas(table, preserve_index=False), path)
    else:
        pyarrow.feather.write_feather(pa.Table.from_pandas(table, preserve_index=False), str(path))
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.parquet", "t.arrow"])
def test_every_format_is_read_alike(name: str, tmp_path: Path) -> None:
    data = handful.read(write(frame(), tmp_path / name))
    known = handful.read(frame())
    assert data.modality == known.modality == "table"
    assert data.settings["columns"] == KINDS
    assert data.ids.tolist() == frame()["id"].tolist()
    assert np.array_equal(data.samples.values, known.samples.values)
    assert data.digests.tolist() == known.digests.tolist()


def test_polars_and_arrow_tables_are_read() -> None:
    table = pa.Table.from_pandas(frame(), preserve_index=False)
    assert handful.read(table).settings["columns"] == KINDS
    polars = pytest.importorskip("polars")
    assert handful.read(polars.from_arrow(table)).settings["columns"] == KINDS


def test_what_is_left_out_is_said() -> None:
    told = handful.read(frame()).settings["left_out"]
    assert told == {
        "id": "names the rows",
        "note": "has a value of its own in nearly every row",
        "currency": "is constant",
        "empty": "is empty",
        "label": "holds the labels",
    }


def test_kinds_can_be_said() -> None:
    columns = {"shop": "ignore", "currency": "category", "id": "category", "note": "id"}
    data = handful.read(frame(), columns=columns)
    assert dict(data.settings["columns"])["currency"] == "category"
    assert data.settings["left_out"]["shop"] == "was asked to be left out"
    assert data.ids.tolist() == frame()["note"].tolist()


@pytest.mark.parametrize(
    "cells",
    [
        ["2024-03-01", "2024-03-02 12:00:00", "2024-03-04T06:30:00Z"],
        ["01.03.2024", "02.03.2024 12:00", "04.03.2024 06:30:00"],
        ["03/01/2024", "2024-03-02 12:00:00", "03/30/2024 06:30:00"],
        [datetime.datetime(2024, 3, 1), datetime.datetime(2024, 3, 2, 12), None],
    ],
    ids=["ISO", "German", "American and ISO", "typed"],
)
def test_dates_are_read_in_every_format(cells: list) -> None:
    data = handful.read(pd.DataFrame({"when": cells, "x": [1.0, 2.0, 3.5]}))
    assert data.settings["columns"][0] == ["when", "date"]
    days = data.samples.values[:, 0]
    assert days[0] == (datetime.date(2024, 3, 1) - datetime.date(1970, 1, 1)).days
    assert days[1] - days[0] == 1.5
    assert data.samples.cell(1, 0) == "2024-03-02 12:00:00"


def test_three_formats_in_one_column_are_read() -> None:
    cells = ["2024-03-01", "13.02.2024", "25/12/2023"] * 10
    data = handful.read(pd.DataFrame({"when": cells, "x": np.arange(30) ** 1.5}))
    assert data.settings["columns"][0] == ["when", "date"]
    assert np.isfinite(data.samples.values).all()


def test_numbers_as_people_write_them() -> None:
    table = pd.DataFrame({"a": ["1,234.50", " 7 ", "-3e2", "?"], "b": ["1,5", "2,25", "NA", "0,1"], "c": list("wxyz")})
    values = handful.read(table).samples.values
    np.testing.assert_array_equal(values[:, 0], [1234.5, 7, -300, np.nan])
    np.testing.assert_array_equal(values[:, 1], [1.5, 2.25, np.nan, 0.1])


def test_mixed_and_infinite_cells_are_missing_and_said() -> None:
    mixed = [str(number / 8) for number in range(30)]
    mixed[4], mixed[9] = "broken", "inf"
    data = handful.read(pd.DataFrame({"a": mixed, "b": [np.inf, 1.5, -np.inf] * 10}))
    assert np.isnan(data.samples.values[[4, 9], 0]).all()
    assert data.settings["notes"]["a"] == (
        "1 cell is no number and counts as missing; 1 cell is infinite and counts as missing"
    )
    assert data.settings["notes"]["b"] == "20 cells are infinite and count as missing"


@pytest.mark.parametrize("labels", [None, "source"])
def test_the_label_column_is_never_a_feature(labels: str | None) -> None:
    table = frame().rename(columns={"label": "Fraud", "shop": "target"})
    data = handful.read(table, labels, label_column="Fraud")
    assert [name for name, _ in data.settings["columns"]] == ["amount", "day", "abroad"]
    turned = table.assign(Fraud=table["Fraud"].map({"fair": "fraud", "fraud": "fair"}))
    again = handful.read(turned, labels, label_column="Fraud")
    assert np.array_equal(again.samples.values, data.samples.values)
    assert again.digests.tolist() == data.digests.tolist()
    encoders = [handful.pretrain(found, epochs=0).embed(found) for found in (data, again)]
    assert np.array_equal(encoders[0].vectors, encoders[1].vectors)
    assert data.labels.classes.tolist() == ["fair", "fraud"]


def test_the_public_card_table_is_read_as_it_is() -> None:
    draw = np.random.default_rng(0)
    table = pd.DataFrame({f"V{number}": draw.normal(size=50) for number in range(1, 29)})
    table.insert(0, "Time", np.sort(draw.integers(0, 900, 50)).astype(float))
    table["Amount"], table["Class"] = draw.lognormal(size=50).round(2), (draw.random(50) < 0.1).astype(int)
    data = handful.read(table)
    assert [name for name, _ in data.settings["columns"]] == ["Time", *[f"V{n}" for n in range(1, 29)], "Amount"]
    assert "answers" in data.settings["left_out"]["Class"]
    assert handful.read(table, "source", label_column="Class").labels.classes.tolist() == [0, 1]


def test_a_cell_means_the_same_in_another_table() -> None:
    first = handful.read(pd.DataFrame({"a": ["x", "y"] * 9, "b": range(0, 36, 2)}))
    second = handful.read(pd.DataFrame({"a": ["z", "y"] * 9, "b": range(0, 36, 2)}))
    assert first.samples.values[1, 0] == second.samples.values[1, 0]
    assert first.samples.values[0, 0] != second.samples.values[0, 0]


def test_arrays_with_their_labels_are_read(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(30, 3))
    np.savez(tmp_path / "t.npz", X=rows, y=np.arange(30) % 2)
    data = handful.read(tmp_path / "t.npz", "source", "table")
    assert np.array_equal(data.samples.values, rows)
    assert data.labels.codes.tolist() == (np.arange(30) % 2).tolist()
    assert handful.read(rows).modality == "table"


def test_a_csv_with_quotes_and_line_ends_in_cells_is_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('\ufeffname;size\n"a\nb";1,5\n"c;d";2,5\n"a\nb";3,5\n', encoding="utf-8")
    data = handful.read(tmp_path / "t.csv")
    assert data.settings["columns"] == [["name", "category"], ["size", "number"]]
    assert data.samples.values[:, 1].tolist() == [1.5, 2.5, 3.5]
    assert data.samples.cell(1, 0) == "c;d"


def test_exactly_the_columns_of_an_encoder_are_read_again() -> None:
    known = handful.read(frame()).settings["columns"]
    grown = frame(30, seed=1).assign(shop="new", extra=np.arange(30.0))
    again = handful.read(grown, columns=known)
    assert again.settings["columns"] == known
    with pytest.raises(InputError, match="lacks 2 columns that are needed: 'amount', 'day'"):
        handful.read(grown.drop(columns=["amount", "day"]), columns=known)


def test_ten_thousand_columns_are_read_and_scored() -> None:
    rows = np.random.default_rng(0).normal(size=(24, 10_000))
    rows[3] += 8
    data = handful.read(pd.DataFrame(rows, columns=[f"c{place}" for place in range(10_000)]))
    assert len(data.settings["columns"]) == 10_000
    assert handful.AnomalyDetector().fit(data.samples.values).decision_scores_.argmax() == 3
