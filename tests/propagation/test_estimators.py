"""The scikit-learn faces: scikit-learn's own tests and checks, and what we do better."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sklearn.semi_supervised
from scipy import sparse
from sklearn.datasets import make_moons
from sklearn.utils.estimator_checks import check_estimator

import handful

FACES = (
    handful.LabelPropagation,
    handful.LabelSpreading,
    handful.LaplaceLearning,
    handful.PoissonLearning,
    handful.PWLLearning,
)
IMPORT = "from sklearn.semi_supervised import _label_propagation as label_propagation"
MINUS_ONE = "uses -1 as a class, which means not labelled here; scikit-learn passes its own classes over by name"
SWAP = (
    f"import handful\n{IMPORT}\n"
    "label_propagation.LabelPropagation = handful.LabelPropagation\n"
    "label_propagation.LabelSpreading = handful.LabelSpreading\n"
)


def test_scikit_learns_own_tests_pass_with_our_classes(tmp_path: Path) -> None:
    theirs = Path(sklearn.semi_supervised.__file__).parent / "tests" / "test_label_propagation.py"
    text = theirs.read_text()
    assert IMPORT in text
    (tmp_path / "test_peer.py").write_text(text.replace(IMPORT, SWAP))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "sklearn.conftest", "test_peer.py"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout[-2000:]
    passed = int(told.stdout.split(" passed")[0].split()[-1])
    assert passed >= 30


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("face", FACES, ids=lambda face: face.__name__)
def test_every_estimator_check_passes(face: type) -> None:
    ours = {} if face.__name__.startswith("Label") else {"check_classifiers_classes": MINUS_ONE}
    results = check_estimator(face(), on_skip=None, on_fail="raise", expected_failed_checks=ours)
    assert len(results) >= 40
    assert {found["status"] for found in results} <= {"passed", "skipped", "xfail"}


def test_parameters_of_scikit_learn_are_all_there() -> None:
    for name in ("LabelPropagation", "LabelSpreading"):
        theirs = inspect.signature(getattr(sklearn.semi_supervised, name)).parameters
        assert set(theirs) <= set(inspect.signature(getattr(handful, name)).parameters)


@pytest.mark.parametrize("unlabelled", [-1, None, float("nan"), ""])
def test_strings_with_any_sign_of_no_label_are_taken(unlabelled: object) -> None:
    X, truth = make_moons(200, noise=0.05, random_state=0)
    y = np.full(200, unlabelled, dtype=object)
    y[:10] = np.array(["left", "right"])[truth[:10]]
    fitted = handful.LabelSpreading(kernel="knn", n_neighbors=8).fit(X, y)
    assert set(fitted.classes_) == {"left", "right"}
    assert (fitted.transduction_ == np.array(["left", "right"])[truth]).mean() > 0.9


def test_the_answer_does_not_change_with_the_names_of_the_classes() -> None:
    X, truth = make_moons(200, noise=0.1, random_state=1)
    y = np.where(np.arange(200) < 12, truth, -1)
    named = np.where(y == -1, -1, 7 - y)
    plain = handful.PWLLearning().fit(X, y).transduction_
    np.testing.assert_array_equal(handful.PWLLearning().fit(X, named).transduction_, 7 - plain)


def test_float32_is_kept() -> None:
    X, truth = make_moons(100, random_state=0)
    y = np.where(np.arange(100) < 10, truth, -1)
    fitted = handful.LabelSpreading(kernel="knn").fit(X.astype(np.float32), y)
    assert fitted.label_distributions_.dtype == np.float32


def test_new_rows_get_the_class_of_their_side() -> None:
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(0, 1, (50, 3)), rng.normal(8, 1, (50, 3))])
    y = np.full(100, -1)
    y[[0, 50]] = 0, 1
    new = np.vstack([rng.normal(0, 1, (5, 3)), rng.normal(8, 1, (5, 3))])
    for face in FACES:
        fitted = face().fit(X, y)
        np.testing.assert_array_equal(fitted.predict(new), [0] * 5 + [1] * 5)
        np.testing.assert_allclose(fitted.predict_proba(new).sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.array([[0.0, 1], [2, 0]]), "symmetric"),
        (np.array([[0.0, -1], [-1, 0]]), "at least 0, got -1"),
        (np.array([[0.0, np.nan], [np.nan, 0]]), "finite|NaN"),
        (np.ones((2, 3)), "square"),
    ],
)
def test_a_broken_precomputed_graph_is_told_in_a_sentence(weights: np.ndarray, words: str) -> None:
    with pytest.raises(handful.InputError, match=words):
        handful.propagate(sparse.csr_array(weights), [0, 1])
