"""advise, doctor and demo as people call them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from handful.cli import main


def run(words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Return how the command ended, what it printed and what it said."""
    monkeypatch.setattr("sys.argv", ["handful", *words])
    with pytest.raises(SystemExit) as end:
        main()
    told = capsys.readouterr()
    return int(end.value.code or 0), told.out, told.err


@pytest.fixture
def table(tmp_path: Path) -> str:
    cells = np.random.default_rng(0).normal(size=(40, 4))
    lines = ["a,b,c,d", *(",".join(map(str, row)) for row in cells)]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    return str(tmp_path / "t.csv")


def test_advise_prints_json_and_words(table, monkeypatch, capsys) -> None:
    code, out, _ = run(["advise", table, "--json"], monkeypatch, capsys)
    assert code == 0
    assert json.loads(out)["signs"]["items"] == 40
    code, out, _ = run(["advise", table, "--goal", "anomalies"], monkeypatch, capsys)
    assert code == 0
    assert "Advised family: autoencoding" in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["advise", "nowhere"], "nowhere does not exist"),
        (["advise", "TABLE", "--goal", "labls"], "Did you mean 'labels'?"),
        (["advise", "TABLE", "--measure", "-1"], "measure must be minutes above 0"),
        (["demo", "--kind", "imge"], "Did you mean 'image'?"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_two(words, sentence, table, monkeypatch, capsys) -> None:
    code, out, told = run([table if word == "TABLE" else word for word in words], monkeypatch, capsys)
    assert code == 2
    assert sentence in told
    assert not out
    assert len(told.strip().splitlines()) == 1


def test_a_refused_method_leaves_no_folder_behind(table, tmp_path, monkeypatch, capsys) -> None:
    code, _, told = run(["pretrain", table, "--method", "cpc", "--out", str(tmp_path / "r")], monkeypatch, capsys)
    assert code == 2
    assert "have no order" in told
    assert not (tmp_path / "r").exists()


def test_doctor_names_kinds_and_devices(monkeypatch, capsys) -> None:
    code, out, _ = run(["doctor", "--json"], monkeypatch, capsys)
    assert code == 0
    assert {"core", "image", "video", "cpu", "cache"} <= {one["name"] for one in json.loads(out)}
    assert run(["doctor"], monkeypatch, capsys)[1].splitlines()[0].startswith("works  core")


def test_demo_of_a_table_labels_most_of_it(monkeypatch, capsys) -> None:
    code, out, told = run(["demo", "--kind", "table"], monkeypatch, capsys)
    assert code == 0
    assert "real wines" in told
    assert float(out.split("(")[1].split("%")[0]) > 60
