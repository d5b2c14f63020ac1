from __future__ import annotations

import numpy as np
import pytest

from handful.errors import InputError
from handful.modalities.text_duplicates import find_near_duplicates


def _texts(n: int, *, words: int = 60) -> list[str]:
    draw = np.random.default_rng(0)
    return [" ".join(f"word{number}" for number in draw.integers(0, 2000, words)) for _ in range(n)]


def test_copies_with_a_word_changed_are_found_and_no_others() -> None:
    texts = _texts(300)
    texts += [" ".join([*text.split()[:30], "other", *text.split()[31:]]) for text in texts[:20]]
    groups = find_near_duplicates(texts)
    assert sorted(tuple(rows.tolist()) for rows in groups) == [(row, 300 + row) for row in range(20)]


def test_case_and_punctuation_do_not_count() -> None:
    groups = find_near_duplicates(["The cat sat on the mat.", "a dog ran far away", "the CAT sat: on the mat"])
    assert [rows.tolist() for rows in groups] == [[0, 2]]


def test_many_copies_make_one_group_and_the_largest_comes_first() -> None:
    texts = [*_texts(5), "all of these are the same", "two of a kind here"] + ["All of these are the same!"] * 200
    groups = find_near_duplicates([*texts, "two of a kind, here"])
    assert [len(rows) for rows in groups] == [201, 2]


def test_half_the_words_are_not_enough_unless_asked_for() -> None:
    first, second = _texts(2)
    mixed = " ".join(first.split()[:45] + second.split()[45:])
    assert find_near_duplicates([first, second, mixed]) == []
    assert [rows.tolist() for rows in find_near_duplicates([first, second, mixed], least=0.5)] == [[0, 2]]


def test_texts_without_words_are_alike_to_nothing() -> None:
    assert find_near_duplicates(["...", "...", "!"]) == []
    with pytest.raises(InputError, match="least must be a share above 0"):
        find_near_duplicates(["a", "b"], least=0)
