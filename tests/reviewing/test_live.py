"""The live answer is the closed form, whatever the order in which labels came and went."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.linalg import inv

from handful.graph import knn_graph
from handful.reviewing.live import ALPHA, Live


@pytest.fixture
def weights():  # type: ignore[no-untyped-def]
    draw = np.random.default_rng(0)
    blobs = [draw.normal(size=(40, 3)) + 9 * place for place in range(3)]
    return knn_graph(np.concatenate(blobs), 6).weights


def closed_form(weights, codes: np.ndarray) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Return the shares [N, K] by the formula, written slowly."""
    dense = weights.toarray().astype(float)
    root = 1 / np.sqrt(dense.sum(axis=1))
    kernel = inv(np.eye(len(dense)) - float(ALPHA) * root[:, None] * dense * root[None, :])
    mass = np.stack([kernel[:, codes == code].sum(axis=1) for code in range(codes.max() + 1)], axis=1)
    mass /= mass.mean(axis=0)
    return mass / np.maximum(mass.sum(axis=1, keepdims=True), 1e-30)


def test_the_answer_equals_the_closed_form(weights) -> None:  # type: ignore[no-untyped-def]
    live = Live(weights)
    live.grow(3)
    codes = np.full(120, -1)
    for row, code in ((3, 0), (17, 1), (50, 1), (90, 2), (100, 0)):
        codes[row] = code
        live.set_labels(np.array([row]), np.array([code]))
    shares, answer = closed_form(weights, codes), live.answer()
    judged = answer.codes >= 0
    open_rows = judged & (codes < 0)
    assert (answer.codes[open_rows] == shares[open_rows].argmax(axis=1)).all()
    assert np.allclose(answer.share[open_rows], shares[open_rows].max(axis=1), atol=2e-3)


def test_an_undone_label_leaves_nothing_behind(weights) -> None:  # type: ignore[no-untyped-def]
    once, again = Live(weights), Live(weights)
    for live in (once, again):
        live.grow(2)
        live.set_labels(np.array([1, 60]), np.array([0, 1]))
    again.set_labels(np.array([2, 61]), np.array([1, 0]))
    again.set_labels(np.array([2, 61]), np.array([-1, -1]))
    assert np.array_equal(once.answer().codes, again.answer().codes)
    assert np.allclose(once.answer().share, again.answer().share, atol=1e-3)


def test_rows_that_no_label_reaches_get_none(weights) -> None:  # type: ignore[no-untyped-def]
    live = Live(weights)
    live.grow(2)
    live.set_labels(np.array([0, 1]), np.array([0, 1]))
    answer = live.answer()
    assert (answer.codes[:40] >= 0).all()
    assert (answer.codes[~live.reached()] == -1).all()
    assert not live.reached()[80:].any()


def test_carriers_are_what_each_label_brings(weights) -> None:  # type: ignore[no-untyped-def]
    live = Live(weights)
    live.grow(2)
    live.set_labels(np.array([0, 5, 9, 12]), np.array([0, 0, 0, 1]))
    dense = weights.toarray().astype(float)
    root = 1 / np.sqrt(dense.sum(axis=1))
    kernel = inv(np.eye(120) - float(ALPHA) * root[:, None] * dense * root[None, :])
    told = dict(live.carriers(20, 0, 6))
    wanted = kernel[20, [0, 5, 9]] / kernel[20, [0, 5, 9]].sum()
    assert told.keys() == {0, 5, 9}
    assert np.allclose([told[row] for row in (0, 5, 9)], wanted, atol=5e-3)
    assert sum(told.values()) == pytest.approx(1)


def test_a_class_that_was_rejected_gives_way_to_the_next(weights) -> None:  # type: ignore[no-untyped-def]
    live = Live(weights)
    live.grow(2)
    live.set_labels(np.array([0, 30]), np.array([0, 1]))
    before = live.answer()
    after = live.answer({10: {int(before.codes[10])}})
    assert after.codes[10] == before.second[10]
    assert np.array_equal(np.delete(after.codes, 10), np.delete(before.codes, 10))


def test_a_label_left_out_is_judged_by_the_others_alone(weights) -> None:  # type: ignore[no-untyped-def]
    live = Live(weights)
    live.grow(2)
    live.set_labels(np.array([0, 1, 2, 50]), np.array([0, 0, 1, 1]))
    shares, nearness = live.left_out(np.array([0, 50]))
    assert shares[0].argmax() in (0, 1)
    assert shares[0].sum() == pytest.approx(1)
    assert shares[1].sum() == 0  # the only label of its component
    assert nearness[0] > nearness[1]


def test_a_row_far_from_every_label_is_told_by_its_neighbours_who_carried_it() -> None:
    points = np.random.default_rng(0).random((3000, 2))
    live = Live(knn_graph(points, 6, metric="euclidean").weights)
    live.grow(2)
    corners = [int(np.abs(points - corner).sum(axis=1).argmin()) for corner in (0, 1)]
    live.set_labels(np.array(corners), np.array([0, 1]))
    answer = live.answer()
    bare = answer.nearness == 0
    assert 1000 < bare.sum() < 3000  # no mass has come to most
    beyond = np.flatnonzero(bare & (points.sum(axis=1) > 1.3))
    assert (answer.codes[beyond] == 1).mean() > 0.95
    assert (answer.share[bare] == 0.5).all()
    for row in np.flatnonzero(answer.codes >= 0)[::7].tolist():
        code = int(answer.codes[row])
        if row not in corners:
            assert live.carriers(row, code, 6) == [(corners[code], 1.0)]
