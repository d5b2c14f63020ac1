from __future__ import annotations

import numpy as np
import pytest
import toy

import handful
from handful.data import encode_labels
from handful.evaluation.judge import Evaluation, Line, draw_given


def _two_clusters(n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1], n)
    return rng.normal(size=(2 * n, 4)) + 6 * truth[:, None], truth


def test_draw_gives_each_class_its_count() -> None:
    labels = encode_labels(["a"] * 5 + ["b"] * 7 + [None] * 3)
    rows = draw_given(labels, 3, np.random.default_rng(0))
    assert np.bincount(labels.codes[rows]).tolist() == [3, 3]
    assert len(set(rows.tolist())) == 6


def test_clusters_far_apart_come_out_right_beside_the_peers() -> None:
    vectors, truth = _two_clusters()
    judged = handful.evaluate(vectors, truth, [2], trials=3)
    ours, spreading, head = judged.lines
    assert ours.accuracy > 0.98
    assert ours.calibration_error is not None
    assert "LabelSpreading" in spreading.method
    assert head.accuracy > 0.9
    assert judged.rows == 120


def test_rows_whose_truth_is_not_known_are_not_scored() -> None:
    vectors, truth = _two_clusters()
    truth = truth.astype(object)
    truth[::2] = None
    assert handful.evaluate(vectors, truth, [1], trials=1, peers=False).rows == 60


def test_a_class_too_small_to_draw_from_is_said() -> None:
    vectors, _ = _two_clusters(10)
    with pytest.raises(handful.InputError, match="class 1 has 1 rows: 1 cannot be drawn"):
        handful.evaluate(vectors, [0] * 19 + [1], [1], trials=1)


def test_the_same_seed_gives_the_same_lines() -> None:
    vectors, truth = _two_clusters()
    first, second = (handful.evaluate(vectors, truth, [1], trials=2, peers=False, seed=3) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("make", "alone"),
    [
        (toy.toy_images, {"pca", "gradients", "simclr", "untrained network"}),
        (toy.toy_texts, {"tfidf", "simclr", "untrained network"}),
        (toy.toy_sounds, {"pca", "untrained network"}),
        (toy.toy_series, {"pca", "untrained network"}),
        (toy.toy_tables, {"untrained network"}),
        (toy.toy_videos, {"pca", "course", "untrained network"}),
    ],
)
def test_a_run_is_judged_beside_its_parts_whatever_it_is_of(make, alone, tmp_path, monkeypatch) -> None:
    data, truth = make(32), np.arange(32) % 2
    monkeypatch.setattr("handful.evaluation.judge.read_again", lambda run: data)
    run = handful.label(data, np.where(np.arange(32) < 8, truth, -1), out=tmp_path / "run", epochs=1)
    methods = {line.method for line in handful.evaluate(run, truth, [1], trials=1).lines}
    assert alone <= methods - {"auto"}


def _line(method: str, accuracy: float, *, std: float = 0.02, count: int = 2) -> Line:
    return Line(method, count, 10, accuracy, std, 0.0)


@pytest.mark.parametrize(
    ("lines", "best"),
    [
        ([_line("auto", 0.5), _line("pca", 0.6), _line("gradients", 0.7)], "gradients"),
        ([_line("auto", 0.5), _line("pca", 0.51)], None),
        ([_line("auto", 0.5, std=0.2), _line("pca", 0.6, std=0.2)], None),
        ([_line("auto", 0.5), _line("auto + logistic regression", 0.9), _line("pca", 0.4)], None),
        ([_line("auto", 0.9), _line("auto", 0.5, count=5), _line("pca", 0.6, count=5)], "pca"),
    ],
)
def test_a_representation_that_is_better_alone_is_named(lines, best) -> None:
    judged = Evaluation(lines, 100, 3, 0, alone=["pca", "gradients"])
    found = judged.better_alone()
    assert (None if found is None else found.method) == best
    assert (f"--method {best} takes it alone" in judged.in_words()) == (best is not None)
