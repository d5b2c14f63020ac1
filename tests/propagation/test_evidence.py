import numpy as np
import pytest

from handful.graph import Graph, knn_graph
from handful.propagation.evidence import (
    excess_logit,
    gather_evidence,
    intrinsic_dimension,
    neighbour_agreement,
)
from handful.propagation.problem import Problem
from handful.propagation.rules import RULES


def blobs(overlap, *, seed=0, given=4):
    rng = np.random.default_rng(seed)
    truth = np.repeat([0, 1, 2], 60)
    vectors = rng.normal(size=(180, 4)) * overlap + 6 * np.eye(3, 4)[truth]
    codes = np.full(180, -1, dtype=np.int32)
    for code in range(3):
        codes[np.flatnonzero(truth == code)[:given]] = code
    return Problem(knn_graph(vectors, 8), codes, 3)


def gathered(problem, rule="pwll"):
    return gather_evidence(problem, RULES[rule](problem), RULES[rule], rng=np.random.default_rng(0))


def test_neighbour_agreement_equals_the_dense_formula():
    problem = blobs(3.0)
    codes = np.random.default_rng(1).integers(0, 3, 180)
    weights = problem.graph.weights.toarray()
    slow = (weights * (codes[:, None] == codes[None, :])).sum(axis=1) / weights.sum(axis=1)
    np.testing.assert_allclose(neighbour_agreement(problem, codes), slow, rtol=1e-5)


def test_rows_without_edges_agree_with_nobody():
    weights = np.zeros((5, 5))
    weights[0, 1] = weights[1, 0] = weights[2, 3] = weights[3, 2] = 1
    problem = Problem(Graph.from_weights(weights), np.array([0, -1, 1, -1, -1], dtype=np.int32), 2)
    assert neighbour_agreement(problem, np.array([0, 0, 1, 0, 0])).tolist() == [1, 1, 0, 0, 0]


def test_excess_logit_is_zero_halfway_from_chance_to_certainty():
    assert excess_logit(0.6, 5) == pytest.approx(0)
    assert excess_logit(np.array([0.2, 0.1]), 5).tolist() == [excess_logit(0.0, 5)] * 2  # chance and below are alike


def test_every_sign_is_a_finite_figure_for_each_open_row():
    problem = blobs(3.0)
    evidence = gathered(problem)
    assert evidence.rows.tolist() == np.flatnonzero(problem.codes < 0).tolist()
    for name, sign in evidence.signs.items():
        assert sign.shape == evidence.rows.shape, name
        assert np.isfinite(sign).all(), name


def test_signs_of_clear_clusters_stand_above_those_of_overlapping_ones():
    clear, blurred = gathered(blobs(1.0)), gathered(blobs(5.0))
    for name in ("stability", "unity", "partnership", "smoothness"):
        assert clear.signs[name][0] > blurred.signs[name][0], name


def test_single_labels_leave_no_sign_of_halves():
    assert "unity" not in gathered(blobs(2.0, given=1)).signs
    assert "unity" in gathered(blobs(2.0, given=2)).signs


def test_a_graph_without_vectors_has_no_partner():
    problem = blobs(2.0)
    bare = Problem(Graph.from_weights(problem.graph.weights), problem.codes, 3)
    assert "partnership" not in gathered(bare).signs
    assert "dimension" not in gathered(bare).signs


@pytest.mark.parametrize("dimensions", [1, 2, 6])
def test_the_dimension_is_that_of_the_sheet_and_not_of_the_room_it_lies_in(dimensions):
    draw = np.random.default_rng(0)
    sheet = draw.uniform(size=(1000, dimensions)) @ draw.normal(size=(dimensions, 20))
    assert intrinsic_dimension(sheet) == pytest.approx(dimensions, rel=0.15)
    assert intrinsic_dimension(np.concatenate([sheet, sheet, sheet])) == intrinsic_dimension(sheet)


def test_few_or_equal_rows_have_one_dimension():
    assert intrinsic_dimension(np.ones((50, 3))) == 1
    assert intrinsic_dimension(np.arange(6.0).reshape(2, 3)) == 1
