"""What a random check does to the accuracy that is stated, and when the review says enough."""

from __future__ import annotations

import pytest

from handful.reviewing.progress import after_audit, judge

CAREFUL = (0.93, 0.85, 0.97)


def _judged(audited: tuple[int, int]) -> tuple[bool, float | None]:
    counts = {"below": 0, "open_rows": 500, "unreached": 0, "decisions": 60, "labels": 60}
    found = judge(CAREFUL, **counts, asked=0.95, history=[], audited=audited)
    return found.enough, found.expected_accuracy


def test_nothing_is_changed_where_nobody_looked() -> None:
    assert after_audit(CAREFUL, 0, 0) == CAREFUL


def test_rows_that_prove_right_raise_it_and_wrong_ones_lower_it() -> None:
    value, low, high = after_audit(CAREFUL, 20, 20)
    assert value > CAREFUL[0]
    assert low > CAREFUL[1]
    assert low < value < high < 1
    worse = after_audit(CAREFUL, 10, 20)
    assert worse[0] < 0.85
    assert worse[2] < CAREFUL[2]


def test_a_long_check_outweighs_what_was_expected() -> None:
    value, low, high = after_audit((0.5, 0.45, 0.55), 980, 1000)
    assert value == pytest.approx(0.98, abs=0.02)
    assert high - low < 0.03


def test_enough_is_said_once_a_check_shows_it() -> None:
    assert _judged((0, 0)) == (False, 0.93)
    assert not _judged((10, 10))[0]
    assert _judged((100, 100))[0]
    assert not _judged((90, 100))[0]


def test_words_and_figures_round_alike() -> None:
    told = judge(
        (0.34951, 0.157, 0.608), below=1, open_rows=9, unreached=0, decisions=15, labels=15, asked=0.95, history=()
    )
    assert told.expected_accuracy == 0.3495
    assert told.enough_why == "34.9 % should be right, 95 % are asked for."
