"""What every rule is given, and the form in which every rule answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from handful.graph import Graph
from handful.graph.rows import Rows


@dataclass(frozen=True, eq=False)
class Problem:
    """Labels to spread over a graph.

    graph: the graph over N rows. Where it holds some of the rows of a larger graph, so does everything here: a figure
        over all rows is a sum over `rows`.
    codes: [N] int32, the class of a given row in 0 .. K-1, -1 where the row is not labelled.
    n_classes: K; each class has at least one given row.
    priors: [K] the share of each class among all rows, or None where it is not known.
    """

    graph: Graph
    codes: np.ndarray
    n_classes: int
    priors: np.ndarray | None = None

    @property
    def rows(self) -> Rows:
        """Which rows these are among all."""
        return self.graph.rows

    @cached_property
    def n_given(self) -> int:
        """The number of all rows that carry a label."""
        return int(self.rows.total(len(self.given)))

    @cached_property
    def n_components(self) -> int:
        """The number of connected components of all rows."""
        return int(self.rows.highest(self.components.max(initial=-1))) + 1

    @cached_property
    def given(self) -> np.ndarray:
        """[M] the rows that carry a label."""
        return np.flatnonzero(self.codes >= 0)

    @cached_property
    def one_hot(self) -> np.ndarray:
        """[M, K] float64, the given labels as indicator rows, in the order of `given`."""
        return np.eye(self.n_classes)[self.codes[self.given]]

    @property
    def components(self) -> np.ndarray:
        """[N] int32, the connected component of each row."""
        return self.graph.components()

    @cached_property
    def present(self) -> np.ndarray:
        """[C, K] bool, whether a component of the graph holds a given row of a class."""
        found = np.zeros((self.n_components, self.n_classes), dtype=bool)
        found[self.components[self.given], self.codes[self.given]] = True
        return self.rows.highest(found)

    @cached_property
    def reached(self) -> np.ndarray:
        """[N] bool, whether a given label lies in the row's component."""
        return np.asarray(self.present.any(axis=1))[self.components]

    def mean(self, values: np.ndarray) -> Any:
        """Return the mean of `values` [m, ...] of some rows over the first axis, and over all processes."""
        return self.rows.total(values.sum(axis=0, dtype=np.float64)) / max(float(self.rows.total(len(values))), 1.0)

    @cached_property
    def near(self) -> Problem:
        """The same problem on `graph.near`."""
        graph = self.graph.near
        return self if graph is self.graph else replace(self, graph=graph, codes=graph.rows.take(self.codes))

    def with_codes(self, codes: np.ndarray) -> Problem:
        """Return the same problem with other given labels [N]."""
        return replace(self, codes=np.asarray(codes, dtype=np.int32))


RuleFunction = Callable[[Problem], np.ndarray]
"""A rule: scores [N, K], none negative, rows that sum to one where a label reaches and to zero elsewhere."""


def as_shares(mass: np.ndarray, problem: Problem) -> np.ndarray:
    """Return `mass` [N, K], its negatives taken as zero, with rows that sum to one where a label reaches.

    A reached row without any mass gets equal shares of the classes in its component.
    """
    mass = np.maximum(mass, 0) * problem.reached[:, None]
    empty = problem.reached & ~(mass.sum(axis=1) > 0)
    mass[empty] = problem.present[problem.components[empty]]
    return mass / np.where(problem.reached, mass.sum(axis=1), 1)[:, None]


def as_soft_shares(values: np.ndarray, problem: Problem) -> np.ndarray:
    """Return the softmax of `values` [N, K] of any sign, over the classes in each row's component.

    The values are divided by their standard deviation over the reached rows, so that neither the scale of the
    weights nor the number of rows changes the shares.
    """
    spread = _standard_deviation(values[problem.reached], problem)
    logits = values / spread if spread > 0 else np.zeros_like(values)
    logits = np.where(problem.present[problem.components], logits, -np.inf)
    top = np.where(problem.reached, logits.max(axis=1), 0)
    return as_shares(np.exp(logits - top[:, None]), problem)


def _standard_deviation(values: np.ndarray, problem: Problem) -> float:
    """Return that of all entries of `values` [m, K], of all processes."""
    total = problem.rows.total
    size = max(float(total(values.size)), 1.0)
    mean = total(values.sum()) / size
    return float(np.sqrt(total(np.square(values - mean).sum()) / size))
