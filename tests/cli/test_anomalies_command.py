"""`handful anomalies` and tables on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from handful.cli import main


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    """Return the exit code of the command line."""
    monkeypatch.setattr("sys.argv", ["handful", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    rows = pd.DataFrame({"amount": draw.lognormal(3, 0.4, 120), "age": draw.normal(40, 9, 120), "id": range(120)})
    rows.loc[:3, "amount"] += 700
    rows["sort"] = np.where(rows["age"] > 40, "old", "young")
    rows.drop(columns="sort").to_csv(tmp_path / "t.csv", index=False)
    pd.DataFrame({"id": range(4, 24), "label": rows["sort"][4:24]}).to_csv(tmp_path / "l.csv", index=False)
    return tmp_path / "t.csv"


def test_anomalies_writes_scores_and_a_report_and_scores_new_rows(table: Path, monkeypatch, capsys) -> None:
    out = table.parent / "run"
    assert run(monkeypatch, "anomalies", table, "--out", out, "--share", 0.05, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["rows"], told["odd"]) == (120, 6)
    assert (out / "anomalies.html").is_file()
    assert run(monkeypatch, "anomalies", table, "--run", out, "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert again["odd"] == 6
    assert Path(again["scores"]).read_text().count("\n") == 121


def test_anomalies_without_a_place_to_write_exits_2(table: Path, monkeypatch, capsys) -> None:
    assert run(monkeypatch, "anomalies", table) == 2
    assert "--out RUN" in capsys.readouterr().err
    assert run(monkeypatch, "anomalies", table, "--out", table.parent / "r", "--columns", "amount") == 2
    assert "name=kind" in capsys.readouterr().err


def test_a_table_is_labelled_whole(table: Path, monkeypatch, capsys) -> None:
    assert run(monkeypatch, "label", table, "--labels", table.parent / "l.csv", "--out", table.parent / "run") == 0
    labels = pd.read_csv(table.parent / "run" / "labels.csv")
    age = pd.read_csv(table)["age"]
    assert ((labels["label"] == "old") == (age > 40)).mean() > 0.7
    assert (table.parent / "run" / "report.html").is_file()


def test_a_predictive_method_on_a_table_is_one_sentence(table: Path, monkeypatch, capsys) -> None:
    assert run(monkeypatch, "pretrain", table, "--method", "cpc", "--out", table.parent / "run") == 2
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert told.startswith("handful: cpc guesses what comes next, and the parts of a table have no order")
