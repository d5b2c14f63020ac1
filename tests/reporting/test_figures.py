"""The numbers of a report equal those a slow loop finds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from contents import made_content

from handful.evaluation.measures import calibration_error
from handful.reporting.figures import (
    THRESHOLDS,
    abstention,
    balanced_rows,
    class_counts,
    confusion,
    histogram,
    least_sure,
    mistakes,
    random_rows,
    reliability,
    surest,
    wilson,
)


def test_class_counts_equal_a_slow_count() -> None:
    content = made_content(truth=True)
    assert content.truth is not None
    for count in class_counts(content):
        mine = [row for row in range(len(content)) if content.labels[row] == count.index]
        propagated = [row for row in mine if content.source[row] == "propagated"]
        assert (count.total, count.propagated) == (len(mine), len(propagated))
        assert count.confidence == pytest.approx(np.mean([content.confidence[row] for row in propagated]))
        assert count.accuracy == pytest.approx(np.mean([content.truth[row] == count.index for row in propagated]))


def test_classes_come_largest_first_and_an_unused_class_counts_zero() -> None:
    content = made_content()
    counts = class_counts(replace(content, classes=[*content.classes, "never seen"]))
    assert [count.total for count in counts] == sorted((count.total for count in counts), reverse=True)
    unused = counts[-1]
    assert (unused.name, unused.total, unused.confidence, unused.accuracy) == ("never seen", 0, None, None)


def test_reliability_never_counts_rows_that_a_person_labelled() -> None:
    content = made_content(truth=True)
    assert content.truth is not None
    source = content.source.copy()
    source[10:20] = "reviewed"
    content = replace(content, source=source)
    by_person = np.isin(content.source, ["given", "reviewed"])
    assert not by_person[content.scored].any()
    lied = np.where(by_person, (content.truth + 1) % 4, content.truth)
    assert np.array_equal(replace(content, truth=lied).scored, content.scored)
    assert np.array_equal(replace(content, truth=lied).right(content.scored), content.right(content.scored))


def test_rows_whose_truth_is_not_known_are_not_scored() -> None:
    content = made_content(truth=True)
    assert content.truth is not None
    half = np.where(np.arange(len(content)) % 2, content.truth, -1)
    assert set(replace(content, truth=half).scored) == {row for row in content.scored if row % 2}


def test_calibration_error_of_the_diagram_is_that_of_the_evaluation() -> None:
    random = np.random.default_rng(0)
    confidence = random.uniform(size=500).astype(np.float32)
    right = random.random(500) < confidence**2
    found = reliability(confidence, right)
    assert found.error == pytest.approx(calibration_error(confidence, right))
    assert found.overall == right.mean()
    assert found.counts.sum() == 500


def test_confidence_that_is_true_has_no_calibration_error() -> None:
    found = reliability(np.full(10, 0.7), np.arange(10) < 7)
    assert found.error == pytest.approx(0)
    assert reliability(np.ones(3), np.zeros(3, bool)).error == 1


def test_wilson_interval_holds_the_share_and_narrows_with_more_trials() -> None:
    few_low, few_high = wilson(np.array([0.0, 0.5, 1.0]), np.array([10, 10, 10]))
    many_low, many_high = wilson(np.array([0.0, 0.5, 1.0]), np.array([1000, 1000, 1000]))
    assert (few_low <= [0, 0.5, 1]).all()
    assert (few_high >= [0, 0.5, 1 - 1e-9]).all()
    assert ((many_high - many_low) < (few_high - few_low)).all()


def test_abstention_equals_a_slow_count() -> None:
    content = made_content(truth=True)
    left = abstention(content)
    assert left.measured is not None
    for at in (0, 50, 70, 95):
        kept = content.scored[content.confidence[content.scored] >= THRESHOLDS[at]]
        assert left.kept[at] == len(kept)
        assert left.expected[at] == pytest.approx(content.confidence[kept].mean())
        assert left.measured[at] == pytest.approx(content.right(kept).mean())


def test_confidence_on_a_threshold_is_kept_in_either_precision() -> None:
    content = made_content(confidence=np.full(200, 0.7, np.float32))
    assert abstention(content).kept[70] == len(content.rows_from("propagated"))
    assert abstention(content).kept[71] == 0


def test_histogram_counts_every_value_once() -> None:
    assert histogram(np.array([0.0, 0.04, 0.05, 1.0, 1.2])).tolist() == [2, 1, *[0] * 17, 2]


def test_mistakes_are_the_largest_cells_off_the_diagonal_of_the_confusion() -> None:
    content = made_content(truth=True)
    counts = confusion(content)
    assert counts.sum() == len(content.scored)
    assert np.trace(counts) == content.right(content.scored).sum()
    worst = mistakes(content)[0]
    assert worst.count == (counts - np.diag(np.diag(counts))).max() == counts[worst.truth, worst.label]
    assert worst.share == pytest.approx(worst.count / counts[worst.truth].sum())


def test_least_sure_are_propagated_or_withheld_never_given_or_unreached() -> None:
    content = made_content()
    labels = content.labels.copy()
    labels[50] = -1
    content = replace(content, labels=labels, confidence=np.where(np.arange(200) == 50, 0.01, content.confidence))
    rows = least_sure(content, 20)
    assert rows[0] == 50
    assert set(content.source[rows]) == {"propagated"}
    assert (np.diff(content.confidence[rows]) >= 0).all()


def test_surest_of_each_class_are_its_most_confident_propagated_rows() -> None:
    content = made_content()
    best = surest(content, 3)
    assert set(best) == set(range(4))
    for index, rows in best.items():
        of_class = [row for row in content.rows_from("propagated") if content.labels[row] == index]
        assert rows.tolist() == sorted(of_class, key=lambda row: -content.confidence[row])[:3]


def test_balanced_rows_hold_as_many_of_a_rare_label_as_of_a_common_one() -> None:
    labels = np.repeat([0, 1, -1], [900, 60, 40])
    content = made_content(1000, 2, labels=labels, reached=labels >= 0)
    rows = balanced_rows(content, 90, always=np.array([5]))
    assert len(rows) == len(set(rows)) == 90
    assert 5 in rows
    assert all(28 <= (labels[rows] == label).sum() <= 32 for label in (-1, 0, 1))


def test_random_rows_keep_the_shares_of_the_labels() -> None:
    labels = np.repeat([0, 1], [9000, 1000])
    content = made_content(10_000, 2, labels=labels, reached=labels >= 0)
    rows = random_rows(content, 1000, always=np.array([], dtype=int))
    assert len(rows) == 1000
    assert 60 <= (labels[rows] == 1).sum() <= 140


def test_a_sample_larger_than_the_data_is_the_data() -> None:
    content = made_content()
    for choose in (random_rows, balanced_rows):
        assert choose(content, 1000, always=np.array([3])).tolist() == list(range(200))
