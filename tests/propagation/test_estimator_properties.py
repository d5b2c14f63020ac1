"""What holds for every estimator and any sensible data, and what each says to data that is not."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy import sparse

import handful

FACES = {
    "propagation": lambda **options: handful.LabelPropagation(kernel="knn", n_neighbors=5, **options),
    "spreading": lambda **options: handful.LabelSpreading(kernel="knn", n_neighbors=5, **options),
    "laplace": lambda **options: handful.LaplaceLearning(n_neighbors=5, **options),
    "poisson": lambda **options: handful.PoissonLearning(n_neighbors=5, **options),
    "pwll": lambda **options: handful.PWLLearning(n_neighbors=5, **options),
}
faces = st.sampled_from(sorted(FACES))
any_face = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def problems(draw: Any) -> tuple[np.ndarray, np.ndarray]:
    """Draw samples [N, D] in blobs, and labels [N] with at least two classes and -1 where there is none."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_classes, size, width = draw(st.integers(2, 4)), draw(st.integers(8, 25)), draw(st.integers(1, 6))
    truth = np.repeat(np.arange(n_classes), size)
    X = rng.normal(size=(len(truth), width)) + draw(st.floats(0, 5)) * rng.normal(size=(n_classes, width))[truth]
    y = np.full(len(truth), -1)
    for code in range(n_classes):
        rows = np.flatnonzero(truth == code)
        y[rng.choice(rows, draw(st.integers(1, 3)), replace=False)] = code
    return X, y


def fitted(face: str, X: Any, y: Any, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return FACES[face](**options).fit(X, y)


@any_face
@given(faces, problems())
def test_shares_sum_to_one_where_a_label_reaches_and_to_zero_elsewhere(face, problem):
    found = fitted(face, *problem)
    np.testing.assert_allclose(found.label_distributions_.sum(axis=1), found.reached_.astype(float), atol=1e-6)
    assert ((found.transduction_ == -1) == ~found.reached_).all()
    assert found.reached_[problem[1] >= 0].all()


@any_face
@given(faces, problems(), st.integers(0, 1000))
def test_the_order_of_the_rows_does_not_count(face, problem, seed):
    X, y = problem
    order = np.random.default_rng(seed).permutation(len(y))
    plain = fitted(face, X, y, tol=1e-8).label_distributions_
    np.testing.assert_allclose(fitted(face, X[order], y[order], tol=1e-8).label_distributions_, plain[order], atol=2e-3)


@any_face
@given(faces, problems(), st.sampled_from([1e-6, 1e-2, 1e5]))
def test_the_unit_of_the_samples_does_not_count(face, problem, unit):
    X, y = problem
    plain = fitted(face, X, y, tol=1e-8).label_distributions_
    np.testing.assert_allclose(fitted(face, X * unit, y, tol=1e-8).label_distributions_, plain, atol=2e-3)


@any_face
@given(problems(), st.sampled_from(["", None, float("nan"), -1]))
def test_names_and_marks_of_classes_do_not_count(problem, mark):
    X, y = problem
    named = np.array([mark if code < 0 else f"class {9 - code}" for code in y], dtype=object)
    plain, other = fitted("pwll", X, y).transduction_, fitted("pwll", X, named).transduction_
    assert [None if code < 0 else f"class {9 - code}" for code in plain] == other.tolist()


@any_face
@given(problems())
def test_clamped_rows_keep_their_label(problem):
    X, y = problem
    for face in ("propagation", "pwll"):
        assert (fitted(face, X, y).transduction_ == y)[y >= 0].all()


@any_face
@given(faces, problems(), st.integers(0, 1000))
def test_a_warm_start_changes_the_time_and_not_the_answer(face, problem, seed):
    X, y = problem
    warm = fitted(face, X, y, warm_start=True, tol=1e-8)
    more = y.copy()
    open_rows = np.flatnonzero(y < 0)
    assume(len(open_rows))
    more[np.random.default_rng(seed).choice(open_rows)] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warm.fit(X, more)
    cold = fitted(face, X, more, tol=1e-8)
    np.testing.assert_allclose(warm.label_distributions_, cold.label_distributions_, atol=2e-3)


GOOD = np.arange(24.0).reshape(12, 2) ** 1.5
HALF = np.array([0, 1] + [-1] * 10)
BAD = {
    "one class": (GOOD, np.array([0] + [-1] * 11), "only 0"),
    "no label": (GOOD, np.full(12, -1), "no label"),
    "labels of mixed types": (GOOD, np.array(["a", 1] + [None] * 10, dtype=object), "write them one way"),
    "continuous labels": (GOOD, np.linspace(0.1, 0.9, 12), "continuous"),
    "too few labels": (GOOD, HALF[:5], "12"),
    "not finite": (np.where(GOOD > 40, np.nan, GOOD), HALF, "NaN"),
    "infinite": (np.where(GOOD > 40, np.inf, GOOD), HALF, "infinity"),
    "no columns": (GOOD[:, :0], HALF, r"0 feature"),
    "one row": (GOOD[:1], HALF[:1], "."),
    "more neighbours than rows": (GOOD[:4], HALF[:4], "n_neighbors"),
    "words as samples": (np.full((12, 2), "word"), HALF, "convert|word"),
}


@pytest.mark.parametrize("face", sorted(FACES))
@pytest.mark.parametrize("case", sorted(BAD))
def test_bad_samples_and_labels_are_one_sentence(face, case):
    X, y, words = BAD[case]
    with pytest.raises(handful.InputError, match=words):
        FACES[face]().fit(X, y)


def _ring(**changes: float) -> np.ndarray:
    weights = np.roll(np.eye(6), 1, axis=1) + np.roll(np.eye(6), -1, axis=1)
    for place, value in changes.items():
        weights[int(place[1]), int(place[2])] = value
    return weights


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (_ring(w03=2.0), "symmetric"),
        (_ring(w01=-1.0, w10=-1.0), "at least 0"),
        (_ring(w01=np.nan, w10=np.nan), "NaN"),
        (_ring()[:, :5], "square"),
    ],
)
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_a_broken_matrix_of_weights_is_one_sentence(weights, words, form):
    with pytest.raises(handful.InputError, match=words):
        handful.LabelSpreading(kernel="precomputed").fit(form(weights), [0, 1, -1, -1, -1, -1])


def test_copies_by_the_thousand_are_no_trouble():
    X = np.repeat(np.random.default_rng(0).normal(size=(20, 3)), 200, axis=0)
    y = np.full(len(X), -1)
    y[[0, 2000]] = 0, 1
    assert (fitted("pwll", X, y).transduction_[:200] == 0).all()
