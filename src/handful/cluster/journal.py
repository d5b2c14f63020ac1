"""What a gang has reached, kept on the shared folder: a gang that takes over goes on there.

Every process makes the same iterations in the same order, so the place of one in that order names it; iterations
inside a call of `once` are named after it, and deleted with what it returned. A state is written by each process for
its own rows beside their numbers, and counts once all have written: the next gang may be of another size.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from handful.cluster.mesh import Mesh

Value = TypeVar("Value")
EVERY = 8
"""Steps between two states: so many are lost with a process, at most, or"""
SECONDS = 1.0
"""the work of so many seconds, where steps are short: files cost more than these."""


class Journal:
    """The states of the process with the row numbers `ids` [n] in `folder`, at every `every` steps."""

    def __init__(
        self, folder: Path, ids: np.ndarray, mesh: Mesh, *, every: int = EVERY, seconds: float = SECONDS
    ) -> None:
        self.folder, self.ids, self.mesh, self.every, self.seconds = folder, ids, mesh, every, seconds
        self._place: list[int] = [0]
        self._saved = time.monotonic()

    def kept(self) -> Place:
        """Return the place of the next iteration."""
        return Place(self, self._next())

    def once(self, make: Callable[[], Value]) -> Value:
        """Return what `make` returns, an array [n, K], from an earlier gang where that made it."""
        name = self._next()
        known = self.load(name)
        if known is not None:
            return known["value"]
        self._place.append(0)
        value = make()
        self._place.pop()
        self.save(name, 0, {"value": np.asarray(value)})
        if self.mesh.rank == 0:
            for inner in self.folder.glob(f"{name}.*"):
                shutil.rmtree(inner)
        return value

    def load(self, name: str) -> dict[str, Any] | None:
        """Return the state of `name`, arrays [n, K] for the rows held here, None where there is none."""
        found = sorted(self.folder.glob(f"{name}-*"))
        if not found:
            return None
        state: dict[str, Any] = {}
        for path in sorted(found[-1].glob("*.npz")):
            with np.load(path, allow_pickle=False) as part:
                own = np.flatnonzero(np.isin(part["ids"], self.ids, assume_unique=True))
                places = places_of(part["ids"][own], self.ids)
                for key in set(part.files) - {"ids"}:
                    value = part[key]
                    if value.ndim != 2:
                        state[key] = _plain(value)
                        continue
                    rows = state.setdefault(key, np.empty((len(self.ids), value.shape[1]), value.dtype))
                    rows[places] = value[own]
        return state

    def save(self, name: str, steps: int, state: Mapping[str, Any]) -> None:
        """Keep `state` under `name` in the place of an earlier one, once all processes have written theirs."""
        written, whole = self.folder / f"part-{name}-{steps:06d}", self.folder / f"{name}-{steps:06d}"
        written.mkdir(parents=True, exist_ok=True)
        np.savez(written / f"{self.mesh.rank}.npz", allow_pickle=False, ids=self.ids, **state)
        self.mesh.gather(np.zeros(1, np.uint8))
        if self.mesh.rank == 0:
            earlier = list(self.folder.glob(f"{name}-*"))
            written.rename(whole)
            for folder in earlier:
                shutil.rmtree(folder)
        self._saved = time.monotonic()

    def is_time(self) -> bool:
        """Tell, in all processes alike, whether enough was done since the last state to be worth its files."""
        waited = self.mesh.gather(np.array([time.monotonic() - self._saved]))
        return bool(np.max(waited) >= self.seconds)

    def _next(self) -> str:
        name = ".".join(f"{number:04d}" for number in self._place)
        self._place[-1] += 1
        return name


class Place:
    """Where the state of one iteration is kept."""

    def __init__(self, journal: Journal, name: str) -> None:
        self.journal, self.name = journal, name

    def load(self) -> dict[str, Any] | None:
        """Return what was last kept here, None where nothing was."""
        return self.journal.load(self.name)

    def keep(self, steps: int, state: Mapping[str, Any]) -> None:
        """Keep the `state` after every few steps."""
        if steps % self.journal.every == 0 and self.journal.is_time():
            self.journal.save(self.name, steps, state)

    def finish(self, state: Mapping[str, Any]) -> None:
        """Keep the last state, if much was done for it."""
        if self.journal.is_time():
            self.journal.save(self.name, 999_999, state)


def places_of(numbers: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Return where each of `numbers` [m] stands in `ids` [n], which hold it once."""
    order = np.argsort(ids)
    return order[np.searchsorted(ids, numbers, sorter=order)]


def _plain(value: np.ndarray) -> Any:
    return value.item() if value.ndim == 0 else value
