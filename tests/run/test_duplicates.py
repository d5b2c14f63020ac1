from pathlib import Path

import numpy as np
import pyarrow.csv as pacsv

import handful
from handful.run import open_run
from handful.run.duplicates import near_duplicate_groups

WORDS = "harbour ship sailor anchor deck mast", "oven flour butter sugar dough baker"


def make_texts() -> tuple[list[str], list[str]]:
    """Return 40 texts of two classes; the last four repeat the first two but for their case and points."""
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.permutation((WORDS[row % 2] + f" number{row}").split())) for row in range(36)]
    copies = [text.upper() + "." for text in (texts[0], texts[1], texts[0], texts[1])]
    return [*texts, *copies], ["sea" if row % 2 == 0 else "bread" for row in range(40)]


def test_texts_that_are_nearly_the_same_are_named_and_counted(tmp_path: Path) -> None:
    texts, truth = make_texts()
    given = [name if row < 4 else "" for row, name in enumerate(truth)]
    handful.label(texts, given, modality="text", out=tmp_path / "run", method="tfidf", n_neighbors=5)
    run = open_run(tmp_path / "run")
    assert pacsv.read_csv(run.folder / "near_duplicates.csv")["id"].to_pylist() == [0, 36, 38, 1, 37, 39]
    assert near_duplicate_groups(run)[[0, 36, 1, 5]].tolist() == [0, 0, 1, -1]
    assert "6 items are nearly the same" in run.record["near_duplicates"]["notes"][0]


def test_evaluation_says_how_many_scored_texts_repeat_a_given_one(tmp_path: Path) -> None:
    texts, truth = make_texts()
    given = [name if row < 4 else "" for row, name in enumerate(truth)]
    handful.label(texts, given, modality="text", out=tmp_path / "run", method="tfidf", n_neighbors=5)
    judged = handful.evaluate(open_run(tmp_path / "run"), truth, (10,), 5, peers=False)
    assert 0 < judged.lines[0].leaked < 6
    assert "nearly the same as a given one" in judged.in_words()
    bare = handful.evaluate(open_run(tmp_path / "run").embeddings, truth, (10,), 2, peers=False)
    assert bare.lines[0].leaked == 0
