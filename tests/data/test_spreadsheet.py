"""CSV files that a spreadsheet may open: no cell is a formula, and every cell comes back as it was."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handful.data.label_files import read_labels
from handful.data.sources import Source
from handful.data.spreadsheet import marked_cell, plain_cell, read_csv, write_csv

FORMULAS = ["=1+1", "+A1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "'=1", '=HYPERLINK("http://x")', "=cmd|' /C calc'!A0"]


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_formula_is_marked_as_text(cell: str) -> None:
    assert str(marked_cell(cell)).startswith("'")
    assert plain_cell(str(marked_cell(cell))) == cell


@pytest.mark.parametrize("cell", ["a", "", "-5", "+3.5", "it's", "a=b", "'quoted'"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert marked_cell(cell) == cell == plain_cell(cell)


@given(st.text(max_size=6, alphabet="'=+-@\t\r a1."))
def test_every_cell_comes_back(cell: str) -> None:
    assert plain_cell(str(marked_cell(cell))) == cell


def test_a_table_comes_back_and_holds_no_formula(tmp_path: Path) -> None:
    cells = [*FORMULAS, "plain", "two\nlines", "é,;", "-5"]
    with (tmp_path / "x.csv").open("wb") as file:
        write_csv(pa.table({"id": cells, "n": list(range(len(cells)))}), file)
    with (tmp_path / "x.csv").open(newline="") as file:
        seen = [row[0] for row in csv.reader(file)][1:]
    assert not [cell for cell in seen if cell[:1] in "=+@\t\r" or cell.startswith("-2")]
    assert read_csv(str(tmp_path / "x.csv"))["id"].to_pylist() == cells


def test_labels_of_such_ids_are_read_again(tmp_path: Path) -> None:
    ids = np.array(["=1+1.png", "@b.png", "c.png"])
    with (tmp_path / "labels.csv").open("wb") as file:
        write_csv(pa.table({"id": ids[:2].tolist(), "label": ["+", "-"]}), file)
    found = read_labels(tmp_path / "labels.csv", Source("photos/", ids), label_column=None, cache=tmp_path)
    assert found is not None
    assert found.decode(found.codes).tolist() == ["+", "-", None]
