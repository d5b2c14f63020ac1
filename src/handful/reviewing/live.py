"""The whole answer after every decision, from the one before it.

Each known label spreads its mass over the graph by itself, so a new one adds to what is there, and an undone one takes
its own away again: mass = (I - alpha S)^-1 Y, S = D^-1/2 W D^-1/2 (Zhou, Bousquet, Lal, Weston and Schölkopf, Learning
with local and global consistency, 2004). It is pushed outward from the changed row only (Andersen, Chung and Lang,
Local graph partitioning using PageRank vectors, 2006), so that a decision costs as much as it changes. A row's label is
the class with the most mass there, the mass of each class divided by all it has: else the class with the most labels
takes more than its part. A row so far out that no mass has come to it follows the nearest that has some, and is as
unsure as can be. On digits and Fashion-MNIST it is level with the default rule (benchmarks/LOG.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from handful.graph.components import label_components
from handful.graph.threads import in_threads, row_blocks
from handful.reviewing import live_kernels as kernels

ALPHA = np.float32(0.97)
LEAST_OWED = np.float32(1e-5)
OWN_OWED = np.float32(3e-4)  # a label's mass at its own row comes from nearby
LEAST_LEFT = 0.01  # mass of the other labels at a labelled row, below which it is but the error of its own


@dataclass(frozen=True)
class Answer:
    """A label for every row. All [N]: -1 and 0 where no label reaches.

    codes: int32 the class; share: float32 its share; second: int32 the runner-up; next_share: float32 its share.
    nearness: float32 how much mass comes to the row at all, 1 on average.
    """

    codes: np.ndarray
    share: np.ndarray
    second: np.ndarray
    next_share: np.ndarray
    nearness: np.ndarray


class Live:
    """Keeps the masses for a graph while labels come and go. For one thread at a time.

    weights: [N, N] symmetric. codes: [N] int32, the class of each labelled row, -1 for none.
    """

    def __init__(self, weights: sparse.csr_array) -> None:
        n = weights.shape[0]
        degrees = weights @ np.ones(n)
        root = 1 / np.sqrt(np.where(degrees > 0, degrees, 1))
        data = (weights.data * np.repeat(root, np.diff(weights.indptr)) * root[weights.indices]).astype(np.float32)
        self._matrix = (weights.indptr, weights.indices, data)
        self._root = root.astype(np.float32)
        self._way = np.full(n, -1, np.int32)
        self._components = label_components(weights)
        self.codes = np.full(n, -1, np.int32)
        self._mass = np.zeros((0, n), np.float32)
        self._buffers = np.zeros(n, np.float32), np.zeros(n, np.uint8), np.empty(n, np.int32), np.empty(n, np.int32)
        self._own: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self.codes)

    def grow(self, n_classes: int) -> None:
        """Make room for so many classes."""
        more = n_classes - len(self._mass)
        if more > 0:
            self._mass = np.concatenate([self._mass, np.zeros((more, len(self)), np.float32)])

    def set_labels(self, rows: np.ndarray, codes: np.ndarray) -> None:
        """Let `rows` [m], each once, have the classes `codes` [m], -1 for none any more."""
        changed = self.codes[rows] != codes
        rows, codes, before = rows[changed], codes[changed], self.codes[rows[changed]]
        for code in np.union1d(codes, before).tolist():
            if code >= 0:
                come, gone = rows[codes == code], rows[before == code]
                amounts = np.concatenate([np.ones(len(come), np.float32), -np.ones(len(gone), np.float32)])
                self._push(np.concatenate([come, gone]), amounts, LEAST_OWED, self._mass[code])
        self.codes[rows] = codes

    def answer(self, masked: dict[int, set[int]] | None = None) -> Answer:
        """Return the answer as it stands. masked: by row, classes that people said it does not have."""
        n = len(self)
        codes, second = np.empty(n, np.int32), np.empty(n, np.int32)
        share, next_share, nearness = (np.empty(n, np.float32) for _ in range(3))
        reached = self.reached()
        columns = (codes, share, second, next_share, nearness)
        in_threads(
            kernels.read_off, [(*block, self._mass, self._scale(), reached, *columns) for block in row_blocks(n)]
        )
        kernels.carry_on(*self._matrix, reached, nearness, codes, second, self._way, self._buffers[2])
        for row, classes in (masked or {}).items():
            if self.codes[row] < 0:
                codes[row], share[row], second[row], next_share[row] = self._without(row, classes)
        given = self.codes >= 0
        codes[given], share[given] = self.codes[given], 1
        return Answer(codes, share, second, next_share, nearness)

    def reached(self) -> np.ndarray:
        """Return [N] bool, whether a label lies in the row's component of the graph."""
        with_label = np.zeros(self._components.max(initial=0) + 1, bool)
        with_label[self._components[self.codes >= 0]] = True
        return with_label[self._components]

    def carriers(self, row: int, code: int, most: int) -> list[tuple[int, float]]:
        """Return the labelled rows of a class that bring most to `row`, and their share of what the class has there.

        What a label brings to a row is what the row would bring to the label (the inverse is symmetric): one push from
        the row tells it of all labels. A row that is too far for it asks its neighbours the way instead; one to which
        no mass has come at all has its label from the row it follows since the last answer.
        """
        while self._way[row] >= 0:
            row = int(self._way[row])
        mass = self._from(row, LEAST_OWED)
        known = np.flatnonzero((self.codes == code) & (mass > 0))
        known = known[known != row]
        if not len(known):
            return self._uphill(row, code, most)
        total = float(mass[known].sum())
        order = known[np.argsort(-mass[known], kind="stable")][:most]
        return [(int(other), float(mass[other] / total)) for other in order]

    def _uphill(self, row: int, code: int, most: int) -> list[tuple[int, float]]:
        """Return the labelled rows that a class's mass comes from, going uphill from each neighbour of `row`.

        Over the root of the degree, the mass of a row without a label is below that of its best neighbour: the way
        up ends at a label. Each counts by what its neighbours bring to the row.
        """
        indptr, indices, data = self._matrix
        height = self._mass[code] * self._root
        brought: dict[int, float] = {}
        for at in range(indptr[row], indptr[row + 1]):
            here, flow = int(indices[at]), float(data[at] * self._mass[code, indices[at]])
            while flow > 0 and self.codes[here] != code:
                beside = indices[indptr[here] : indptr[here + 1]]
                above = int(beside[height[beside].argmax()])
                if height[above] <= height[here]:
                    break
                here = above
            if flow > 0 and self.codes[here] == code:
                brought[here] = brought.get(here, 0.0) + flow
        total = sum(brought.values())
        order = sorted(brought, key=lambda other: (-brought[other], other))[:most]
        return [(other, brought[other] / total) for other in order]

    def left_out(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the share of each class [m, K] at labelled `rows` [m] by the labels of the others, and nearness [m].

        Zeros where the others bring nothing.
        """
        mass = self._mass[:, rows].T.astype(np.float64)
        mass[np.arange(len(rows)), self.codes[rows]] -= [self._own_mass(int(row)) for row in rows]
        scale = self._scale()
        mass = np.maximum(mass, 0) * scale
        total = mass.sum(axis=1, keepdims=True)
        shares = np.where(total > LEAST_LEFT * scale.max(initial=0), mass / np.where(total > 0, total, 1), 0)
        return shares, total[:, 0] / max(int((scale > 0).sum()), 1)

    def _own_mass(self, row: int) -> float:
        """Return what a label brings to its own row."""
        if row not in self._own:
            self._own[row] = float(self._from(row, OWN_OWED)[row])
        return self._own[row]

    def _from(self, row: int, least: np.float32) -> np.ndarray:
        mass = np.zeros(len(self), np.float32)
        self._push(np.array([row]), np.ones(1, np.float32), least, mass)
        return mass

    def _push(self, rows: np.ndarray, amounts: np.ndarray, least: np.float32, mass: np.ndarray) -> None:
        kernels.push(*self._matrix, rows, amounts, ALPHA, least, mass, *self._buffers)

    def _scale(self) -> np.ndarray:
        """Return [K] what the mass of each class counts, 0 for a class without a label."""
        present = np.bincount(self.codes[self.codes >= 0], minlength=len(self._mass)) > 0
        size = np.maximum(self._mass.mean(axis=1, dtype=np.float64), 1e-30)
        return np.where(present, 1 / size, 0).astype(np.float32)

    def _without(self, row: int, classes: set[int]) -> tuple[int, float, int, float]:
        """Return class, share, runner-up and its share of a row that is known to be of none of `classes`."""
        mass = np.maximum(self._mass[:, row], 0) * self._scale()
        mass[[code for code in classes if code < len(mass)]] = 0
        total = float(mass.sum())
        if total <= 0:
            return -1, 0.0, -1, 0.0
        order = [int(code) for code in np.argsort(-mass, kind="stable") if mass[code] > 0][:2]
        second = order[1] if len(order) > 1 else -1
        return order[0], float(mass[order[0]] / total), second, float(mass[second] / total) if second >= 0 else 0.0
