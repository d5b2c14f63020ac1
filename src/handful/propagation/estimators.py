"""The rules with scikit-learn's face: fit, predict, predict_proba, and the attributes people know.

`LabelPropagation` and `LabelSpreading` stand in for scikit-learn's classes of these names. They differ where those
are wrong or slow:

- the neighbour graph is symmetric and weighted, and a row is not its own neighbour;
- the solve runs to a relative tolerance, however many rows there are (theirs is an absolute sum over all rows);
- a row that no label reaches is marked: -1 or None in `transduction_`, zeros in `label_distributions_`, False in
  `reached_`, and a warning says how many (theirs gives such rows the first class in silence);
- not labelled is -1, None, NaN or "", whatever the type of the other labels (theirs fails on strings with -1);
- float32 samples give float32 distributions;
- kernel="precomputed" takes a symmetric matrix of weights, dense or sparse;
- warm_start=True begins the next fit of the same samples from the last answer, and `progress` tells the steps;
- in `predict` a given row votes with its given label, and a new row far from all others still has a nearest one.
"""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from handful.errors import InputError
from handful.graph import Graph
from handful.graph.solver import Solution
from handful.propagation.affinity import (
    KERNELS,
    Kernel,
    as_affinity_graph,
    cross_weights,
    kernel_matrix,
    neighbour_graph,
)
from handful.propagation.diffusion import extend_harmonically, measure_reach, pour_sources, spread_mass
from handful.propagation.problem import Problem, as_shares, as_soft_shares
from handful.propagation.propagate import check_labels

SPARSE = ["csr", "csc", "coo", "dok", "bsr", "lil", "dia"]
FLOATS = [np.float64, np.float32]


class GraphClassifier(ClassifierMixin, BaseEstimator):
    """What the estimators share: samples to a graph, a rule on it, and votes for new samples."""

    kernel: Kernel
    gamma: float
    n_neighbors: int
    max_iter: int
    tol: float
    n_jobs: int | None
    warm_start: bool
    progress: Callable[[str], None] | None

    @abstractmethod
    def _solve(self, problem: Problem, start: np.ndarray | None) -> tuple[Solution, np.ndarray]:
        """Return the raw solution and the shares [N, K] it means."""

    def fit(self, X: Any, y: Any) -> Self:
        """Spread the labels `y` [N] over the samples `X`.

        X: [N, D] samples, dense or sparse; or [N, N] weights with kernel="precomputed".
        y: [N]; -1, None, NaN or "" where a sample has no label.

        Raises InputError for a parameter out of range, samples that are not finite, or fewer than two classes.
        """
        self._check_parameters()
        X = _checked(self, X, reset=True)
        labels = check_labels(_checked_labels(y), X.shape[0])
        earlier = self._earlier(X)
        say = self.progress or (lambda words: None)
        say("linking neighbours")
        graph = earlier[0] if earlier else self._make_graph(X)
        problem = Problem(graph, labels.codes, len(labels.classes))
        start = earlier[1] if earlier and earlier[1].shape == (len(problem.codes), problem.n_classes) else None
        say("spreading labels")
        solution, shares = self._solve(problem, start)
        # As in scikit-learn, the iteration that finds nothing left to do counts: a limit met exactly is a limit met.
        if solution.steps >= self.max_iter or (solution.residual > self.tol).any():
            warnings.warn(
                f"max_iter={self.max_iter} was reached without convergence.", category=ConvergenceWarning, stacklevel=2
            )
        self.X_, self.classes_, self.n_iter_ = X, labels.classes, max(solution.steps, 1)
        self.label_distributions_ = shares.astype(X.dtype, copy=False)
        self.reached_, self._votes = problem.reached, _votes(problem, shares)
        self.transduction_ = self._named(shares)
        if self.warm_start:
            self._graph, self._solution = graph, solution.x
        _warn_unreached(problem.reached)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each new sample [M], marked like `transduction_` where there is none."""
        return self._named(self.predict_proba(X))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return [M, K] the weighted mean of what the nearest fitted samples say, zeros where none was reached.

        X: [M, D] samples; or [M, N] weights to the fitted samples with kernel="precomputed".
        """
        check_is_fitted(self)
        X = _checked(self, X, reset=False)
        weights = cross_weights(X, self.X_, kernel=self.kernel, gamma=self.gamma, n_neighbors=self.n_neighbors)
        votes = np.asarray(weights @ self._votes)
        total = votes.sum(axis=1, keepdims=True)
        return (votes / np.where(total > 0, total, 1)).astype(self.X_.dtype, copy=False)

    def _named(self, shares: np.ndarray) -> np.ndarray:
        """Return the class with the largest share, or the mark of "not labelled" where all shares are zero."""
        names = self.classes_[shares.argmax(axis=1)]
        missing = ~shares.any(axis=1)
        if not missing.any():
            return names
        if names.dtype.kind == "i":
            names[missing] = -1
            return names
        names = names.astype(object)
        names[missing] = None
        return names

    def _make_graph(self, X: Any) -> Graph:
        if self.kernel == "knn":
            return neighbour_graph(X, self.n_neighbors)
        return as_affinity_graph(self._kernel_matrix(X), kernel=self.kernel)

    def _kernel_matrix(self, X: Any) -> Any:
        return kernel_matrix(X, kernel=self.kernel, gamma=self.gamma, n_neighbors=self.n_neighbors)

    def _earlier(self, X: Any) -> tuple[Graph, np.ndarray] | None:
        """Return the graph and the solution of an earlier fit of the same samples."""
        if not (self.warm_start and hasattr(self, "_solution") and self.X_.shape == X.shape):
            return None
        same = (self.X_ != X).nnz == 0 if sparse.issparse(X) else np.array_equal(self.X_, X)
        return (self._graph, self._solution) if same else None

    def _check_parameters(self) -> None:
        if not callable(self.kernel) and self.kernel not in KERNELS:
            raise InputError(
                f"kernel must be one of {', '.join(map(repr, KERNELS))} or a function, got {self.kernel!r}."
            )
        _check_number("gamma", self.gamma, least=0)
        _check_number("n_neighbors", self.n_neighbors, least=1, whole=True)
        _check_number("max_iter", self.max_iter, least=1, whole=True)
        _check_number("tol", self.tol, least=0)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.pairwise = self.kernel == "precomputed"
        return tags


class LabelSpreading(GraphClassifier):
    """Label spreading (Zhou et al. 2004) in the place of scikit-learn's class: the shares of (I - alpha S)^-1 Y.

    kernel: "rbf", "knn", "precomputed", or a function of two sets of samples that returns their weights.
    gamma: the rbf kernel's parameter.
    n_neighbors: the number of other samples each sample is linked to with kernel="knn".
    alpha: the part of a sample's share that comes from its neighbours. The paper's 0.99 is the default;
        scikit-learn's 0.2 hardly looks past the nearest given sample.
    max_iter, tol: limit and relative tolerance of the solve.
    n_jobs: kept for scikit-learn's signature; compiled loops use the threads that numba is given.
    warm_start: keep the graph and begin from the last answer where the samples are the same.
    progress: called with a few words as each step begins.

    Attributes: `X_`, `classes_` [K], `label_distributions_` [N, K], `transduction_` [N], `reached_` [N] bool,
    `n_iter_`, `n_features_in_`, `feature_names_in_`.
    """

    def __init__(
        self,
        kernel: Kernel = "rbf",
        *,
        gamma: float = 20,
        n_neighbors: int = 7,
        alpha: float = 0.99,
        max_iter: int = 1000,
        tol: float = 1e-3,
        n_jobs: int | None = None,
        warm_start: bool = False,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        self.kernel = kernel
        self.gamma = gamma
        self.n_neighbors = n_neighbors
        self.alpha = alpha
        self.max_iter = max_iter
        self.tol = tol
        self.n_jobs = n_jobs
        self.warm_start = warm_start
        self.progress = progress

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if not (isinstance(self.alpha, int | float | np.number) and 0 < self.alpha < 1):
            raise InputError(f"alpha must be a number above 0 and below 1, got {self.alpha!r}.")

    def _solve(self, problem: Problem, start: np.ndarray | None) -> tuple[Solution, np.ndarray]:
        solution = spread_mass(problem, alpha=self.alpha, start=start, tol=self.tol, max_steps=self.max_iter)
        return solution, as_shares(solution.x, problem)

    def _build_graph(self) -> Any:
        """Return S = D^-1/2 W D^-1/2 of the kernel, dense or sparse as the kernel is."""
        matrix = self._kernel_matrix(self.X_)
        matrix = matrix.toarray() if sparse.issparse(matrix) else matrix.copy()
        np.fill_diagonal(matrix, 0)
        degrees = matrix.sum(axis=0)
        root = np.sqrt(np.where(degrees > 0, degrees, 1))
        return matrix / root / root[:, None]


class LabelPropagation(GraphClassifier):
    """Label propagation (Zhu and Ghahramani 2002) in the place of scikit-learn's class.

    Given samples keep their label; every other sample has the mean of its neighbours' shares. Parameters and
    attributes as in `LabelSpreading`, without alpha.
    """

    def __init__(
        self,
        kernel: Kernel = "rbf",
        *,
        gamma: float = 20,
        n_neighbors: int = 7,
        max_iter: int = 1000,
        tol: float = 1e-3,
        n_jobs: int | None = None,
        warm_start: bool = False,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        self.kernel = kernel
        self.gamma = gamma
        self.n_neighbors = n_neighbors
        self.max_iter = max_iter
        self.tol = tol
        self.n_jobs = n_jobs
        self.warm_start = warm_start
        self.progress = progress

    def _solve(self, problem: Problem, start: np.ndarray | None) -> tuple[Solution, np.ndarray]:
        solution = extend_harmonically(problem, start=start, tol=self.tol, max_steps=self.max_iter)
        return solution, as_shares(solution.x, problem)

    def _build_graph(self) -> Any:
        """Return the kernel with rows that sum to one, dense or sparse as the kernel is."""
        matrix = self._kernel_matrix(self.X_)
        if not sparse.issparse(matrix):
            return matrix / matrix.sum(axis=1, keepdims=True)
        matrix = sparse.csr_array(matrix)
        return sparse.diags_array(1 / matrix.sum(axis=1)) @ matrix


class LaplaceLearning(LabelPropagation):
    """Laplace learning with a mean shift: label propagation less each class's mean, which mends few labels.

    Parameters and attributes as in `LabelPropagation`; the defaults link neighbours and solve to a tighter tolerance.
    """

    def __init__(
        self,
        kernel: Kernel = "knn",
        *,
        gamma: float = 20,
        n_neighbors: int = 7,
        max_iter: int = 1000,
        tol: float = 1e-5,
        n_jobs: int | None = None,
        warm_start: bool = False,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(
            kernel,
            gamma=gamma,
            n_neighbors=n_neighbors,
            max_iter=max_iter,
            tol=tol,
            n_jobs=n_jobs,
            warm_start=warm_start,
            progress=progress,
        )

    def _solve(self, problem: Problem, start: np.ndarray | None) -> tuple[Solution, np.ndarray]:
        solution = extend_harmonically(problem, start=start, tol=self.tol, max_steps=self.max_iter)
        return solution, as_soft_shares(solution.x - solution.x[problem.reached].mean(axis=0), problem)


class PoissonLearning(LaplaceLearning):
    """Poisson learning (Calder et al. 2020): right at one label a class, where label propagation is not."""

    def _solve(self, problem: Problem, start: np.ndarray | None) -> tuple[Solution, np.ndarray]:
        solution = pour_sources(problem, start=start, tol=self.tol, max_steps=self.max_iter)
        return solution, as_soft_shares(solution.x, problem)


class PWLLearning(LaplaceLearning):
    """Poisson-reweighted Laplace learning (Miller and Calder 2023): label propagation on weights that carry far."""

    def _solve(self, problem: Problem, start: np.ndarray | None) -> tuple[Solution, np.ndarray]:
        reach = measure_reach(problem, tol=self.tol, max_steps=self.max_iter)
        solution = extend_harmonically(problem, reach=reach, start=start, tol=self.tol, max_steps=self.max_iter)
        return solution, as_shares(solution.x, problem)


def _checked(estimator: GraphClassifier, X: Any, *, reset: bool) -> Any:
    """Return the samples as scikit-learn checks them, its complaints as InputError."""
    try:
        return validate_data(estimator, X, accept_sparse=SPARSE, dtype=FLOATS, reset=reset)
    except InputError:
        raise
    except ValueError as error:
        raise InputError(str(error)) from None


def _checked_labels(y: Any) -> np.ndarray:
    """Return the given labels [N]; raises InputError for continuous values, as scikit-learn's classifiers do."""
    if y is None:
        raise InputError("requires y to be passed, but the target y is None.")
    try:
        y = column_or_1d(y, warn=True)
        if y.dtype.kind in "iuf":
            check_classification_targets(y[~np.isnan(y)] if y.dtype.kind == "f" else y)
    except ValueError as error:
        raise InputError(str(error)) from None
    return y


def _votes(problem: Problem, shares: np.ndarray) -> np.ndarray:
    """Return what each fitted sample says of a new one: its given label, or its shares."""
    votes = shares.copy()
    votes[problem.given] = problem.one_hot
    return votes


def _warn_unreached(reached: np.ndarray) -> None:
    missing = int((~reached).sum())
    if missing:
        warnings.warn(
            f"{missing} of {len(reached)} samples get no label: no given sample lies in their part of the graph.",
            stacklevel=3,
        )


def _check_number(name: str, value: Any, *, least: float, whole: bool = False) -> None:
    kinds = (int, np.integer) if whole else (int, float, np.number)
    if not isinstance(value, kinds) or isinstance(value, bool) or not value >= least:
        raise InputError(f"{name} must be a {'whole ' if whole else ''}number of at least {least}, got {value!r}.")
