"""The words that carry each class."""

from __future__ import annotations

import numpy as np

from handful.modalities.text_words import telling_words

RAIN = [f"The rain in {place} falls on the day" for place in ("Rome", "Oslo", "Bern", "Kyiv")]
GOALS = [f"The goal of {name} decides the match" for name in ("Ada", "Ben", "Cleo", "Dan")]


def test_words_of_one_class_carry_it_and_common_ones_carry_none() -> None:
    weather, sport = telling_words(RAIN * 5 + GOALS * 5, np.repeat([0, 1], 20), 2)
    assert {"rain", "falls"} <= set(weather)
    assert {"goal", "match"} <= set(sport)
    assert "the" not in {*weather, *sport}


def test_a_word_that_one_text_repeats_carries_nothing() -> None:
    texts = [*(RAIN * 5), "spam " * 500, *(GOALS * 5)]
    weather, _ = telling_words(texts, np.repeat([0, 1], [21, 20]), 2)
    assert "spam" not in weather


def test_a_class_without_texts_and_texts_without_a_class_are_passed_over() -> None:
    codes = np.repeat([0, 2, -1], [20, 20, 1])
    found = telling_words([*(RAIN * 5), *(GOALS * 5), "nothing known"], codes, 3)
    assert found[1] == []
    assert "nothing" not in found[0] + found[2]


def test_words_of_any_script_without_numbers() -> None:
    texts = ["дождь идёт 2024"] * 20 + ["матч окончен 2024"] * 20
    assert telling_words(texts, np.repeat([0, 1], 20), 2)[0] == ["дождь", "идёт"]
