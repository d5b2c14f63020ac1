"""A text that shares no word with any other is named."""

from __future__ import annotations

from pathlib import Path

import handful

WORDS = "harbour ship sailor anchor deck mast", "oven flour butter sugar dough baker"


def _label(texts: list[str], out: Path) -> list[str]:
    given = ["sea", "bread", "sea", "bread", *[""] * (len(texts) - 4)]
    run = handful.label(texts, given, modality="text", out=out, method="tfidf", n_neighbors=5)
    return run.summary().notes


def test_text_of_words_of_its_own_is_named_and_no_other(tmp_path: Path) -> None:
    texts = [f"{WORDS[row % 2].rsplit(' ', 1 + row % 3)[0]} number{row}" for row in range(30)]
    told = [note for note in _label([*texts, "quixotic zeppelin"], tmp_path / "one") if "shares no word" in note]
    assert told == [
        "1 text shares no word with any other ('30'): what is said of it is a guess by chance; look at it by hand."
    ]
    told = [note for note in _label([*texts, "xyz abc", "уникальный"], tmp_path / "two") if "share no word" in note]
    assert told[0].startswith("2 texts share no word with any other ('30', '31'): what is said of them")
    assert not [note for note in _label(texts, tmp_path / "none") if "no word" in note]
