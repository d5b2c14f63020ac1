"""Rows in an order in which linked ones lie near each other, so that what is read for one is at hand for the next.

In the order of a user's rows nearly every look at a neighbour waits for main memory once the columns of a block no
longer fit a processor's cache. Reverse Cuthill-McKee (Cuthill and McKee 1969, George 1971) numbers the rows by how far
they are from one at the rim, a million rows in a second or two, and steps over the graph become four to eight times as
fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import reverse_cuthill_mckee

from handful.graph.rows import AllRows

LEAST_ROWS = 20_000
"""Below this the columns of a block fit a cache in any order."""


def near_order(weights: sparse.csr_array) -> np.ndarray:
    """Return the rows [N] of symmetric `weights` [N, N] in an order in which linked ones are near."""
    return reverse_cuthill_mckee(sparse.csr_matrix(weights), symmetric_mode=True)


def reordered(weights: sparse.csr_array, order: np.ndarray) -> sparse.csr_array:
    """Return `weights` [N, N] with rows and columns in `order` [N], the entries of each row ascending."""
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    moved = weights[order]
    moved = sparse.csr_array((moved.data, place[moved.indices], moved.indptr), shape=weights.shape)
    moved.sort_indices()
    return moved


@dataclass(frozen=True, kw_only=True)
class OrderedRows(AllRows):
    """All `count` rows of a graph, held by one process in another order than they are numbered in.

    order: [N] the number of each row that is held. labels: [N] the component of each row that is held.
    """

    order: np.ndarray
    labels: np.ndarray

    @cached_property
    def places(self) -> np.ndarray:
        """[N] where each row of all is held."""
        places = np.empty_like(self.order)
        places[self.order] = np.arange(len(self.order))
        return places

    def numbers(self, held: np.ndarray) -> np.ndarray:
        """Return the numbers among all rows of the rows `held` [m]."""
        return self.order[held]

    def join(self, held: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return `values` [m, ...] of the rows `held` [m] in the order of all rows."""
        return values[np.argsort(self.order[held])]

    def collect(self, numbers: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return what `values` [N, ...] has at the row `numbers` [m] of all rows."""
        return values[self.places[numbers]]

    def take(self, values: np.ndarray) -> np.ndarray:
        """Return `values` [N, ...] over all rows in the order in which they are held."""
        return values[self.order]

    def components(self, weights: sparse.csr_array) -> np.ndarray:
        """Return the components, numbered in the order of all rows."""
        return self.labels


@dataclass(frozen=True)
class TakenRows:
    """Some rows of `values` [N, ...], taken when they are asked for: `values[order[rows]]`."""

    values: np.ndarray
    order: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """[N, ...]."""
        return (len(self.order), *self.values.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the values."""
        return self.values.dtype

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, rows: Any) -> np.ndarray:
        return self.values[self.order[rows]]
