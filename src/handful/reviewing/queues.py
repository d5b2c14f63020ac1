"""In which order items are put before a person."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from handful.errors import InputError, check_choice
from handful.propagation.suggest import suggest_rows
from handful.reviewing.desk import PROPAGATED, UNREACHED, Desk
from handful.reviewing.opened import graph_of

FIRST = 20  # typical rows, spread out, before the answer can say where it is weak
MOST = 1000  # rows asked for at once
PATIENCE_SECONDS = 1.5  # for the typical rows; until they are found rows in dense places come first
STEPS = 4  # of the walk along which a label is taken to help
HELD_BACK = 0.3  # what is left of the gain of a row next to one that is asked before it
CANDIDATES = 20  # rows looked at for each that is asked


@dataclass(frozen=True)
class Queue:
    """rows: best first; why: in one sentence, what order this is."""

    order: str
    rows: list[int]
    why: str


class Queues:
    """Makes queues from a desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._typical: list[int] = []
        self._finding: threading.Thread | None = None
        weights = desk.opened.weights
        degrees = weights @ np.ones(len(desk))
        data = weights.data / np.repeat(np.where(degrees > 0, degrees, 1), np.diff(weights.indptr)).astype(np.float32)
        self._walk = sparse.csr_array((data, weights.indices, weights.indptr), shape=weights.shape)
        self._degrees = degrees.astype(np.float32)
        self._gain: tuple[int, np.ndarray] | None = None

    def find_typical(self) -> threading.Thread:
        """Return the thread that finds the rows to begin with, begun if it was not; on a large run it takes a while."""
        if self._finding is None:
            self._finding = threading.Thread(target=self._find_typical, name="handful-typical", daemon=True)
            self._finding.start()
        return self._finding

    def make(self, order: str, who: str, *, n: int = 50, name: Any = None, seed: int = 0) -> Queue:
        """Return the next `n` rows in an order, without those decided on, and those this person skipped.

        name: the class, for the order "class". Raises InputError for an order or class that is not known.
        """
        check_choice("order", order, ORDERS)
        if not 1 <= n <= MOST:
            raise InputError(f"n must be from 1 to {MOST}, got {n}.")
        if order == "class" and name is None:
            raise InputError("the order 'class' needs class=NAME.")
        rows, why = ORDERS[order](self, who, n, name, seed)
        return Queue(order, [int(row) for row in rows[:n]], why)

    def _open(self, who: str) -> np.ndarray:
        """Return [N] bool, the rows that are still to be decided on by this person."""
        desk = self._desk
        with desk.lock:
            wanted = desk.known() < 0
            for number, one in desk.state.decisions.items():
                if one.entry.kind == "skip" and one.entry.who == who and not one.undone:
                    wanted[desk.state.rows[number]] = False
        return wanted

    def _suggest(self, who: str, n: int, name: Any, seed: int) -> tuple[Any, str]:
        wanted = self._open(who)
        first = [row for row in self._first_rows() if wanted[row]]
        if self._desk.progress.expected_accuracy is None:
            rest = np.flatnonzero(wanted)
            rest = rest[np.argsort(-self._degrees[rest], kind="stable")][: n + len(first)]
            return list(dict.fromkeys([*first, *rest.tolist()])), "Typical items first, spread over all of them."
        gain = self._gains() * wanted
        most = min(CANDIDATES * n, int((gain > 0).sum()))
        candidates = np.argpartition(-gain, most - 1)[:most] if most else np.empty(0, np.int64)
        chosen = self._spread(candidates[np.argsort(-gain[candidates])], gain, n)
        return list(dict.fromkeys([*first, *chosen])), "Those whose answer would change most."

    def _first_rows(self) -> list[int]:
        """Return the rows to begin with; none while they are still looked for, or once one has begun."""
        if len(self._desk.state.decisions) >= FIRST:
            return []
        self.find_typical().join(PATIENCE_SECONDS)
        return self._typical

    def _find_typical(self) -> None:
        if len(self._desk) <= 3:
            self._typical = list(range(len(self._desk)))
        else:
            self._typical = suggest_rows(graph_of(self._desk.opened), min(FIRST, len(self._desk) - 1)).tolist()

    def _gains(self) -> np.ndarray:
        """Return [N] how much doubt a label at each row would reach: a short walk over the doubts around it."""
        desk = self._desk
        if self._gain is None or self._gain[0] != desk.version:
            with desk.lock:
                version, doubt = desk.version, 1 - desk.confidence.astype(np.float32) / 255
            own = doubt
            total = doubt.copy()
            for _ in range(STEPS):
                doubt = self._walk @ doubt
                total += doubt
            self._gain = (version, total * own * np.sqrt(self._degrees))
        return self._gain[1]

    def _spread(self, candidates: np.ndarray, gain: np.ndarray, n: int) -> list[int]:
        """Return `n` of the candidates, the gain of each lowered near those before it."""
        left = {int(row): float(gain[row]) for row in candidates}
        chosen: list[int] = []
        while left and len(chosen) < n:
            row = max(left, key=left.__getitem__)
            chosen.append(row)
            del left[row]
            near = self._walk.indices[self._walk.indptr[row] : self._walk.indptr[row + 1]]
            for other in near.tolist():
                if other in left:
                    left[other] *= HELD_BACK
        return chosen

    def _unsure(self, who: str, n: int, name: Any, seed: int) -> tuple[Any, str]:
        return self._least_sure(self._open(who), n), "The least sure first, those that no label reaches before all."

    def _least_sure(self, wanted: np.ndarray, n: int) -> np.ndarray:
        desk = self._desk
        rows = np.flatnonzero(wanted)
        doubt = np.where(desk.source[rows] == UNREACHED, -1.0, desk.confidence[rows] - desk.signs[rows, 0] / 1e3)
        return rows[np.argsort(doubt, kind="stable")[:n]]

    def _class(self, who: str, n: int, name: Any, seed: int) -> tuple[Any, str]:
        desk = self._desk
        wanted = self._open(who) & (desk.codes == desk.classes.code(name)) & (desk.source == PROPAGATED)
        return self._least_sure(wanted, n), "Items taken for this class, the least sure first."

    def _issues(self, who: str, n: int, name: Any, seed: int) -> tuple[Any, str]:
        rows, doubts = self._desk.issues()
        return rows[np.argsort(-doubts, kind="stable")], "Labels that the labels of their neighbours contradict."

    def _random(self, who: str, n: int, name: Any, seed: int) -> tuple[Any, str]:
        rows = np.flatnonzero(self._open(who))
        rng = np.random.default_rng(seed)
        return rng.choice(rows, min(n, len(rows)), replace=False), "At random: what is found here holds for all."

    def _conflicts(self, who: str, n: int, name: Any, seed: int) -> tuple[Any, str]:
        with self._desk.lock:
            rows = self._desk.state.conflicts()
        return rows, "Items that people labelled differently: the last label given by both settles it."


ORDERS: dict[str, Callable[[Queues, str, int, Any, int], tuple[Any, str]]] = {
    "suggest": Queues._suggest,
    "unsure": Queues._unsure,
    "class": Queues._class,
    "issues": Queues._issues,
    "random": Queues._random,
    "conflicts": Queues._conflicts,
}
"""What makes the queue of each order."""
