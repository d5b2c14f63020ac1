"""Odd rows of a table: what is written, that new rows are scored alike, and how the threshold is set."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.csv as pacsv
import pytest
from sklearn.metrics import roc_auc_score

from handful import InputError
from handful.reporting.anomalies import report_anomalies
from handful.run.anomalies import find_anomalies, score_anomalies
from handful.run.folder import open_run

ODD = np.arange(300) >= 290


def transactions(*, seed: int = 0) -> pd.DataFrame:
    """Return transactions, the last ten of far too much money, the very last in a shop of its own."""
    draw = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "id": [f"t{row}" for row in range(300)],
            "amount": draw.lognormal(3, 0.5, 300),
            "balance": draw.normal(1000, 200, 300),
            "shop": draw.choice(["food", "fuel"], 300),
            "abroad": draw.choice(["yes", "no"], 300),
        }
    )
    table.loc[ODD, "amount"] += 900
    table.loc[299, "shop"] = "casino"
    return table


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("transactions")
    transactions().to_csv(folder / "t.csv", index=False)
    find_anomalies(folder / "t.csv", out=folder / "run", share=0.03)
    return folder


def read_scores(path: Path) -> pd.DataFrame:
    return pacsv.read_csv(path).to_pandas()


def test_every_row_gets_a_score_and_the_columns_that_made_it_odd(folder: Path) -> None:
    found = read_scores(folder / "run" / "anomalies.csv")
    assert found["id"].tolist() == transactions()["id"].tolist()
    assert roc_auc_score(ODD, found["score"]) > 0.99
    assert found["odd"].sum() == 9
    assert (found["column_1"][290:299] == "amount").all()
    assert "shop" in found.loc[299, ["column_1", "column_2"]].tolist()
    np.testing.assert_allclose(found["value_1"][290:299].astype(float), transactions()["amount"][290:299], rtol=1e-5)
    parts = found[["part_1", "part_2", "part_3"]].to_numpy()
    assert (np.diff(parts, axis=1) <= 0).all()
    assert (parts.sum(1) <= 1.0001).all()


def test_new_rows_are_scored_as_the_old_ones_were(folder: Path) -> None:
    shuffled = transactions().sample(frac=1, random_state=0)[["shop", "balance", "abroad", "amount", "id"]]
    shuffled.to_csv(folder / "new.csv", index=False)
    scored = score_anomalies(folder / "run", folder / "new.csv")
    assert scored.path == folder / "run" / "scored" / "new.csv"
    again = read_scores(scored.path).set_index("id")["score"]
    before = read_scores(folder / "run" / "anomalies.csv").set_index("id")["score"]
    pd.testing.assert_series_equal(again.loc[before.index], before)


def test_what_was_met_in_the_columns_is_said(tmp_path: Path) -> None:
    table = transactions().assign(currency="EUR", Class=ODD.astype(int))
    table["balance"] = table["balance"].astype(object)
    table.loc[3, "balance"], table.loc[4, "amount"] = "unknown sum", np.inf
    told = find_anomalies(table, out=tmp_path / "run").notes
    assert "Column 'amount': 1 cell is infinite and counts as missing." in told
    assert "Column 'balance': 1 cell is no number and counts as missing." in told
    assert told[-1].startswith("Left out: 'currency' is constant, 'Class' is named as answers are; ")
    scored = score_anomalies(tmp_path / "run", table.assign(balance="words"), out=tmp_path / "new.csv")
    assert scored.notes == (
        "Column 'amount': 1 cell is infinite and counts as missing.",
        "Column 'balance': 300 cells are no numbers and count as missing.",
    )


def test_the_card_table_is_scored_without_its_answers(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    fraud = np.arange(400) >= 392
    card = pd.DataFrame(draw.normal(size=(400, 28)) + 4 * fraud[:, None], columns=[f"V{n}" for n in range(1, 29)])
    card.insert(0, "Time", np.sort(draw.integers(0, 9000, 400)).astype(float))
    card["Amount"], card["Class"] = draw.lognormal(3, 1, 400).round(2), fraud.astype(int)
    card.to_csv(tmp_path / "card.csv", index=False)
    card.assign(Class=1 - card["Class"]).to_csv(tmp_path / "turned.csv", index=False)
    scores = []
    for name in ("card", "turned"):  # the answers may say anything
        found = find_anomalies(tmp_path / f"{name}.csv", out=tmp_path / name)
        scores.append(found.table["score"].to_numpy())
        assert "Class" not in (tmp_path / name / "columns.json").read_text()
        assert [column for column, _ in open_run(tmp_path / name).data["settings"]["columns"]] == list(card)[:-1]
    np.testing.assert_array_equal(*scores)
    assert roc_auc_score(fraud, scores[0]) > 0.99
    told = find_anomalies(tmp_path / "card.csv", out=tmp_path / "known", label_column="Class")
    assert open_run(tmp_path / "known").record["anomalies"]["known"] == 8
    assert roc_auc_score(fraud, told.table["score"].to_numpy()) > 0.99


def test_new_categories_are_said_and_missing_columns_named(folder: Path) -> None:
    new = transactions(seed=1).assign(shop="moon")
    told = score_anomalies(folder / "run", new, out=folder / "moon.csv")
    assert told.notes == ("Column 'shop' has 1 category never seen before: 'moon'.",)
    with pytest.raises(InputError, match="lacks 2 columns that are needed: 'amount', 'shop'"):
        score_anomalies(folder / "run", new.drop(columns=["amount", "shop"]))
    assert score_anomalies(folder / "run", new[:1], out=folder / "one.csv").table.num_rows == 1


def test_a_grown_table_is_known_again_and_another_one_refused(tmp_path: Path) -> None:
    find_anomalies(transactions()[:200], out=tmp_path / "run")
    assert find_anomalies(transactions(), out=tmp_path / "run").table.num_rows == 300
    with pytest.raises(InputError, match="holds another data set"):
        find_anomalies(transactions(seed=5).assign(x=range(0, 600, 2)), out=tmp_path / "run")


def test_known_frauds_are_used(folder: Path) -> None:
    (folder / "known.csv").write_text("id,label\nt290,fraud\nt291,fraud\n")
    found = find_anomalies(folder / "t.csv", out=folder / "known", labels=folder / "known.csv")
    assert found.table["known"].to_pylist().count("odd") == 2
    scores = found.table["score"].to_numpy()
    assert scores[292:].min() > np.quantile(scores[:290], 0.99)


def test_a_false_alarm_rate_needs_ordinary_rows(folder: Path) -> None:
    with pytest.raises(InputError, match="needs rows known to be ordinary"):
        find_anomalies(folder / "t.csv", out=folder / "rate", false_alarm_rate=0.05)
    ordinary = transactions(seed=2)[:290]
    found = find_anomalies(folder / "t.csv", out=folder / "rate", false_alarm_rate=0.05, normals=ordinary)
    new = score_anomalies(folder / "rate", transactions(seed=3)[:290])
    assert found.odd >= 10
    assert new.odd / 290 < 0.12


def test_which_label_is_odd_has_to_be_clear(folder: Path) -> None:
    labels = {"t1": "a", "t2": "b"}
    with pytest.raises(InputError, match="which label marks the odd rows"):
        find_anomalies(folder / "t.csv", out=folder / "which", labels=labels)
    found = find_anomalies(folder / "t.csv", out=folder / "which", labels=labels, odd="b")
    assert found.table["known"].to_pylist()[1:3] == ["ordinary", "odd"]


def test_an_answer_column_is_never_a_feature(folder: Path) -> None:
    table = transactions().assign(Class=ODD.astype(int))
    plain = find_anomalies(transactions(), out=folder / "plain")
    found = find_anomalies(table, out=folder / "class")
    assert found.table.equals(plain.table)
    told = json.loads((folder / "class" / "data.json").read_text())["settings"]["left_out"]
    assert "answers" in told["Class"]


def test_the_report_opens_offline_and_escapes_what_it_shows(tmp_path: Path) -> None:
    table = transactions().rename(columns={"amount": "<b>amount"})
    table.loc[299, "shop"] = "<script>x</script>"
    find_anomalies(table, out=tmp_path / "run")
    page = report_anomalies(open_run(tmp_path / "run")).read_text()
    assert "300 rows of the table given" in page
    assert "<script" not in page
    assert "<b>amount" not in page
    assert "http" not in page
    assert "&lt;b&gt;amount" in page


def test_an_odd_time_of_day_is_found(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    hours = np.arange(400) * 24 + draw.normal(14, 2, 400)
    hours[200] = 200 * 24 + 3
    when = pd.Timestamp("2024-01-01") + pd.to_timedelta(hours, unit="h")
    found = find_anomalies(pd.DataFrame({"when": when, "x": draw.normal(size=400)}), out=tmp_path / "run")
    assert found.table["score"].to_numpy().argmax() == 200
    assert found.table["column_1"][200].as_py() == "when"


def test_vectors_of_other_kinds_of_data_are_scored(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    pictures = draw.integers(100, 120, (60, 8, 8)).astype(np.uint8)
    pictures[:3, :, :4] = 250
    found = find_anomalies(pictures, out=tmp_path / "run", modality="image", share=0.05)
    assert found.table.column_names == ["id", "score", "odd", "known"]
    assert np.isfinite(found.table["score"].to_numpy()).all()
