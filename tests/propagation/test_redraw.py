import numpy as np
import pytest

from handful.graph import knn_graph
from handful.propagation.problem import Problem
from handful.propagation.redraw import draw_codes, predicted_codes, redraw, split_given
from handful.propagation.rules import spreading


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    vectors = np.concatenate([rng.normal(centre, 1, (40, 3)) for centre in (0, 6, 12)])
    codes = np.full(120, -1, dtype=np.int32)
    codes[[0, 1, 2, 40, 41, 80]] = [0, 0, 0, 1, 1, 2]
    return Problem(knn_graph(vectors, 8), codes, 3)


def test_as_many_labels_of_each_class_are_drawn_as_were_given(problem):
    truth = np.repeat([0, 1, 2], 40)
    drawn = draw_codes(problem, truth, np.random.default_rng(0))
    assert np.bincount(drawn[drawn >= 0]).tolist() == [3, 2, 1]
    assert (truth == drawn)[drawn >= 0].all()


def test_a_class_that_is_smaller_in_the_truth_gives_all_its_rows(problem):
    truth = np.where(np.arange(120) == 5, 0, 1)
    drawn = draw_codes(problem, truth, np.random.default_rng(0))
    assert drawn[5] == 0
    assert (drawn == 0).sum() == 1


def test_given_and_drawn_rows_are_not_judged(problem):
    truth = predicted_codes(problem, spreading(problem))
    for again in redraw(problem, truth, spreading, n=3, rng=np.random.default_rng(0)):
        assert not np.isin(again.judged, problem.given).any()
        assert (again.scores[again.judged].argmax(axis=1) == truth[again.judged]).tolist() == again.regained.tolist()


def test_separate_clusters_come_back_whole(problem):
    truth = predicted_codes(problem, spreading(problem))
    rng = np.random.default_rng(0)
    assert all(again.regained.all() for again in redraw(problem, truth, spreading, n=2, rng=rng))


def test_halves_share_only_the_rows_of_single_classes(problem):
    first, second = split_given(problem, np.random.default_rng(0))
    assert np.flatnonzero((first.codes >= 0) & (second.codes >= 0)).tolist() == [80]
    assert (np.maximum(first.codes, second.codes) == problem.codes).all()


def test_one_label_a_class_cannot_be_halved(problem):
    codes = np.full(120, -1)
    codes[[0, 40, 80]] = [0, 1, 2]
    assert split_given(problem.with_codes(codes), np.random.default_rng(0)) is None
