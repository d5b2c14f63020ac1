"""The detector: what it finds, that both faces hold, and what it says of a row."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.utils.estimator_checks import check_estimator

import handful
from handful import AnomalyDetector, InputError
from handful.tasks.anomalies import threshold_at


def rows_with_outliers(n: int = 600, n_odd: int = 12, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of two correlated groups, some of the last rows far from both, and which these are."""
    draw = np.random.default_rng(seed)
    centres = np.array([[0, 0, 0, 0], [4, 4, -3, 0]])[draw.integers(0, 2, n)]
    rows = centres + draw.normal(size=(n, 4)) * [1, 0.5, 1, 2]
    rows[-n_odd:] += draw.choice([-1, 1], (n_odd, 4)) * 6
    return rows, np.arange(n) >= n - n_odd


def test_outliers_score_above_the_others() -> None:
    rows, odd = rows_with_outliers()
    assert roc_auc_score(odd, AnomalyDetector().fit(rows).decision_scores_) > 0.97


def test_a_broken_relation_is_found_within_the_range_of_every_column() -> None:
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(800, 6))
    rows[:, 1] = 2 * rows[:, 0] + 0.05 * draw.normal(size=800)
    rows[:4, 0], rows[:4, 1] = 1.0, -2.0
    detector = AnomalyDetector().fit(rows)
    assert roc_auc_score(np.arange(800) < 4, detector.decision_scores_) > 0.95
    assert set(detector.explain(rows[:4]).argsort(1)[:, -2:].ravel()) == {0, 1}
    assert np.abs(detector.expect(rows[:4])[:, 0] + 1).max() < 0.8  # what the other column says, not the 1 that stands


def test_outliers_in_a_group_are_found() -> None:
    rows, _ = rows_with_outliers(n_odd=1)
    rows[:30] = [12, -12, 5, 0] + 0.05 * np.random.default_rng(1).normal(size=(30, 4))
    assert roc_auc_score(np.arange(600) < 30, AnomalyDetector().fit(rows).decision_scores_) > 0.97


def test_the_same_rows_and_seed_give_the_same_scores() -> None:
    rows, _ = rows_with_outliers()
    first, second = AnomalyDetector().fit(rows), AnomalyDetector().fit(rows)
    assert np.array_equal(first.decision_scores_, second.decision_scores_)
    assert np.array_equal(-first.score_samples(rows), first.decision_scores_)
    assert not np.array_equal(first.decision_scores_, AnomalyDetector(random_state=1).fit(rows).decision_scores_)


def test_units_and_places_of_columns_change_nothing_but_rounding() -> None:
    rows, odd = rows_with_outliers()
    moved = rows * [1e-3, 7, 1e6, 1] + [5, -2, 3e6, 0]
    one, other = AnomalyDetector().fit(rows), AnomalyDetector().fit(moved)
    np.testing.assert_allclose(one.decision_scores_, other.decision_scores_, atol=1e-3)
    assert roc_auc_score(odd, other.decision_scores_) > 0.97


def test_known_outliers_raise_what_is_like_them() -> None:
    rows, _ = rows_with_outliers(n_odd=1)
    rows[:40, 3] += 4.5  # within the spread of the last column: hard to see without being told
    odd = np.arange(600) < 40
    known = np.where(np.arange(600) < 5, 1, 0)
    told, plain = AnomalyDetector().fit(rows, known), AnomalyDetector().fit(rows)
    rest = known == 0
    precision = [average_precision_score(odd[rest], found.decision_scores_[rest]) for found in (told, plain)]
    assert precision[0] > precision[1] + 0.2


def test_the_threshold_leaves_the_stated_share_above_it() -> None:
    rows, _ = rows_with_outliers()
    detector = AnomalyDetector(contamination=0.05).fit(rows)
    assert detector.labels_.sum() == 30
    assert detector.set_threshold(share=0.02).labels_.sum() == 12
    assert (detector.predict(rows) == -1).sum() == 12
    assert ((detector.decision_function(rows) < 0) == (detector.labels_ == 1)).all()


def test_the_false_alarm_rate_holds_on_new_ordinary_rows() -> None:
    draw = np.random.default_rng(0)
    detector = AnomalyDetector().fit(draw.normal(size=(500, 3)))
    detector.set_threshold(normals=draw.normal(size=(400, 3)), false_alarm_rate=0.05)
    assert (detector.predict(draw.normal(size=(20_000, 3))) == -1).mean() == pytest.approx(0.05, abs=0.025)
    with pytest.raises(InputError, match="needs at least 99 rows known to be ordinary, got 98"):
        threshold_at(np.arange(98.0), 0.01)


def test_a_saved_detector_scores_alike(tmp_path) -> None:
    rows, odd = rows_with_outliers()
    detector = AnomalyDetector().fit(rows, np.where(odd, 1, 0))
    np.savez(tmp_path / "detector.npz", **detector.state())
    with np.load(tmp_path / "detector.npz", allow_pickle=False) as arrays:
        again = AnomalyDetector.from_state(arrays)
    assert np.array_equal(again.score_samples(rows), detector.score_samples(rows))
    assert np.array_equal(again.predict(rows), detector.predict(rows))


def test_missing_cells_are_read_and_constant_columns_say_nothing() -> None:
    rows, odd = rows_with_outliers()
    plain = AnomalyDetector().fit(rows)
    wider = np.column_stack([rows, np.ones(600), np.full(600, np.nan)])
    assert np.array_equal(AnomalyDetector().fit(wider).decision_scores_, plain.decision_scores_)
    gaps = rows.copy()
    gaps[::3, 1] = np.nan
    detector = AnomalyDetector().fit(gaps)
    assert roc_auc_score(odd, detector.decision_scores_) > 0.9
    ordinary = rows[np.argmin(plain.decision_scores_)][None]
    absent = ordinary.copy()
    absent[0, 0] = np.nan  # in a column that was never missing
    assert detector.score_samples(absent)[0] < detector.score_samples(ordinary)[0]


def test_explanations_sum_to_one_and_name_the_column() -> None:
    rows, _ = rows_with_outliers(n_odd=1)
    rows[7, 2] = 40.0
    shares = AnomalyDetector().fit(rows).explain(rows)
    np.testing.assert_allclose(shares.sum(1), 1, atol=1e-6)
    assert shares[7].argmax() == 2


def test_wild_values_and_many_columns_stay_finite() -> None:
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(60, 600))
    rows[3, 5], rows[4, 6] = 1e300, -1e300
    detector = AnomalyDetector().fit(rows)
    assert np.isfinite(detector.decision_scores_).all()
    assert np.isfinite(detector.explain(rows[:5])).all()
    assert set(np.argsort(detector.decision_scores_)[-2:]) == {3, 4}


BAD = [
    (np.ones((9, 3)), None, {}, "all 9 rows are the same"),
    (np.full((9, 3), np.nan), None, {}, "all 9 rows are the same"),
    (np.array([[1.0, 2.0]]), None, {}, "minimum of 2"),
    (np.array([[1.0, np.inf], [2, 3], [3, 4]]), None, {}, "infinity"),
    (np.eye(4), [1, 1, 1, 1], {}, "every row as a known outlier"),
    (np.eye(4), [1, 0], {}, "one value a row, shape \\(4,\\)"),
    (np.eye(4), None, {"contamination": 0.7}, "above 0 and at most 0.5, got 0.7"),
]


@pytest.mark.parametrize(("rows", "y", "options", "told"), BAD, ids=[case[-1][:20] for case in BAD])
def test_what_cannot_be_used_is_told_in_one_sentence(rows, y, options, told) -> None:
    with pytest.raises(InputError, match=told) as error:
        AnomalyDetector(**options).fit(rows, y)
    assert "\n" not in str(error.value)


@pytest.mark.filterwarnings("ignore")
def test_every_estimator_check_passes() -> None:
    results = check_estimator(handful.AnomalyDetector(), on_skip=None, on_fail="raise")
    assert len(results) >= 40
    assert {found["status"] for found in results} <= {"passed", "skipped"}
