"""Which rows of a graph this process holds, and how it speaks with the processes that hold the others.

Every sum over all rows, every look at the rows of neighbours and every choice among all rows goes through `Rows`, so
that a rule is written once: `AllRows` is the case of one process that holds them all, where each call gives back what
it was given; the rows of one process of many are in `handful.cluster`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from scipy import sparse

from handful.graph.components import label_components

Value = TypeVar("Value")


class Kept(Protocol):
    """A place for what an iteration has reached, so that a lost process costs a few steps of it."""

    def load(self) -> dict[str, Any] | None:
        """Return what was last kept here, None where nothing was."""

    def keep(self, steps: int, state: Mapping[str, Any]) -> None:
        """Keep the `state` after `steps` steps, if it is time to; arrays [n, ...] belong to the rows held here."""

    def finish(self, state: Mapping[str, Any]) -> None:
        """Keep the last state in the place of all before it."""


class Rows(Protocol):
    """The n rows held here of the N rows of a graph. Every process makes the same calls in the same order."""

    @property
    def count(self) -> int:
        """N, the rows of all processes together."""

    @property
    def most(self) -> int:
        """The rows that are held on the machine that holds the most, by all processes there: they share its memory."""

    @property
    def borders(self) -> int:
        """The rows of others that those held here are linked with; an array over both has the borders last."""

    def total(self, part: Any) -> np.ndarray:
        """Return the sum of `part` over all processes, to the last bit the same in each."""

    def highest(self, part: Any) -> np.ndarray:
        """Return the elementwise maximum of `part` over all processes."""

    def fetch(self, values: np.ndarray) -> None:
        """Write into the last rows of `values` [n + borders, K] what others have for them."""

    def with_borders(self, values: np.ndarray) -> np.ndarray:
        """Return `values` [n, ...] with those of the borders after them."""

    def numbers(self, held: np.ndarray) -> np.ndarray:
        """Return the numbers among all rows of the rows `held` [m], counted among those held here."""

    def join(self, held: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return `values` [m, ...] of the rows `held` [m] with those of all processes, in the order of all rows."""

    def collect(self, numbers: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return what all processes have in `values` [n, ...] at the row `numbers` [m] of all rows."""

    def take(self, values: np.ndarray) -> np.ndarray:
        """Return those of the rows held here of `values` [N, ...] over all rows."""

    def components(self, weights: sparse.csr_array) -> np.ndarray:
        """Return [n] int32, the connected component of each row held here, numbered in the order of all rows."""

    def kept(self) -> Kept:
        """Return the place of the next iteration."""

    def once(self, make: Callable[[], Value]) -> Value:
        """Return what `make` returns, an array [n, ...]; not made again by a process that takes over."""


class Nowhere:
    """No place: a process that holds all rows ends with them."""

    def load(self) -> None:
        return None

    def keep(self, steps: int, state: Mapping[str, Any]) -> None:
        pass

    def finish(self, state: Mapping[str, Any]) -> None:
        pass


NOWHERE = Nowhere()


@dataclass(frozen=True)
class AllRows:
    """All `count` rows of a graph, held by one process."""

    count: int
    borders: int = 0

    @property
    def most(self) -> int:
        """The rows held here."""
        return self.count

    def total(self, part: Any) -> np.ndarray:
        """Return `part`."""
        return np.asarray(part)

    def highest(self, part: Any) -> np.ndarray:
        """Return `part`."""
        return np.asarray(part)

    def fetch(self, values: np.ndarray) -> None:
        """Leave `values` as they are: nobody has others."""

    def with_borders(self, values: np.ndarray) -> np.ndarray:
        """Return `values`."""
        return values

    def numbers(self, held: np.ndarray) -> np.ndarray:
        """Return `held`."""
        return held

    def join(self, held: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return `values`."""
        return values

    def collect(self, numbers: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return the rows `numbers` of `values`."""
        return values[numbers]

    def take(self, values: np.ndarray) -> np.ndarray:
        """Return `values`."""
        return values

    def components(self, weights: sparse.csr_array) -> np.ndarray:
        """Return the components of `weights`."""
        return label_components(weights)

    def kept(self) -> Kept:
        """Return a place that keeps nothing."""
        return NOWHERE

    def once(self, make: Callable[[], Value]) -> Value:
        """Return what `make` returns."""
        return make()
