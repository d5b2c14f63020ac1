"""The rows of a graph that one process of a gang holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from scipy import sparse

from handful.cluster.journal import Journal, places_of
from handful.cluster.mesh import Mesh
from handful.graph.rows import Kept

Value = TypeVar("Value")


class HeldRows:
    """Implements `handful.graph.rows.Rows` for the row numbers `ids` [n] of `count`.

    owner: [N] the rank of the process that holds a row. outside: the numbers of the rows of others that these are
    linked with; in an array with borders they come after the n, by owner and number. labels: [n] the components.
    """

    def __init__(
        self, ids: np.ndarray, owner: np.ndarray, outside: np.ndarray, labels: np.ndarray, mesh: Mesh, journal: Journal
    ) -> None:
        self.ids, self.count, self.mesh, self.journal = ids, len(owner), mesh, journal
        _, machines = np.unique(mesh.hosts, return_inverse=True)
        self.most = int(np.bincount(machines, np.bincount(owner, minlength=mesh.size)).max())
        self.outside = outside[np.lexsort((outside, owner[outside]))]
        self.borders = len(outside)
        self._labels = labels
        asked = [self.outside[owner[self.outside] == rank] for rank in range(mesh.size)]
        self._expected = [len(numbers) for numbers in asked]
        self._starts = len(ids) + np.concatenate([[0], np.cumsum(self._expected)])
        self._sent = [places_of(numbers, ids) for numbers in mesh.exchange(asked)]

    def total(self, part: Any) -> np.ndarray:
        """Return the sum of `part` over all processes, in the order of their ranks."""
        part = np.asarray(part)
        return np.sum([found.reshape(part.shape) for found in self.mesh.gather(part)], axis=0)

    def highest(self, part: Any) -> np.ndarray:
        """Return the elementwise maximum of `part` over all processes."""
        part = np.asarray(part)
        return np.max([found.reshape(part.shape) for found in self.mesh.gather(part)], axis=0)

    def fetch(self, values: np.ndarray) -> None:
        """Write into the last rows of `values` [n + borders, ...] what their holders have for them."""
        outgoing = [values[sent] for sent in self._sent]
        outgoing[self.mesh.rank] = values[:0]
        expected = [0 if rank == self.mesh.rank else length for rank, length in enumerate(self._expected)]
        for rank, found in enumerate(self.mesh.exchange_known(outgoing, expected)):
            if expected[rank]:
                values[self._starts[rank] : self._starts[rank + 1]] = found.reshape(-1, *values.shape[1:])

    def with_borders(self, values: np.ndarray) -> np.ndarray:
        """Return `values` [n, ...] with those of the borders after them."""
        out = np.empty((len(values) + self.borders, *values.shape[1:]), values.dtype)
        out[: len(values)] = values
        self.fetch(out)
        return out

    def numbers(self, held: np.ndarray) -> np.ndarray:
        """Return the numbers of the rows `held` [m] among all."""
        return self.ids[held]

    def join(self, held: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return `values` [m, ...] of the rows `held` [m] with those of all processes, in the order of all rows."""
        order = np.argsort(np.concatenate(self.mesh.gather(self.ids[held])))
        found = [part.reshape(-1, *values.shape[1:]) for part in self.mesh.gather(values)]
        return np.concatenate(found)[order]

    def collect(self, numbers: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return what all processes have in `values` [n, ...] at the row `numbers` [m] of all rows."""
        wanted, places = np.unique(numbers, return_inverse=True)
        held = np.flatnonzero(np.isin(self.ids, wanted))
        return self.join(held, values[held])[places]

    def take(self, values: np.ndarray) -> np.ndarray:
        """Return those of the rows held here of `values` [N, ...]."""
        return values[self.ids]

    def components(self, weights: sparse.csr_array) -> np.ndarray:
        """Return the components that were found over all rows."""
        return self._labels

    def kept(self) -> Kept:
        """Return the place of the next iteration in the journal."""
        return self.journal.kept()

    def once(self, make: Callable[[], Value]) -> Value:
        """Return what `make` returns, from the journal where it stands there."""
        return self.journal.once(make)
