"""The map: where each item of a run lies in the plane, made once and kept in the run folder."""

from __future__ import annotations

import threading

import numpy as np

from handful.files import write_array
from handful.graph.layout import layout
from handful.reviewing.opened import GRID, Opened, as_grid, graph_of


class Positions:
    """The map of a run. `find` makes it where it is not there."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._ready = threading.Event()
        self._grid: np.ndarray | None = None
        run = opened.run
        path, record = run.folder / "map.npy", run.record
        if run.stands(path.name) and record.get("map") == record.get("graph", {}).get("made_of"):
            positions = np.load(path, mmap_mode="r", allow_pickle=False)
            if positions.shape == (len(opened), 2):
                self._take(positions)

    @property
    def ready(self) -> bool:
        """Whether the map is there."""
        return self._ready.is_set()

    def grid(self) -> np.ndarray:
        """Return places [N, 2] as whole numbers from 0 to 65535; until the map is made, all in the middle."""
        return self._grid if self._grid is not None else np.full((len(self._opened), 2), GRID // 2, np.uint16)

    def find(self) -> None:
        """Make the map and keep it, unless it is there."""
        if self.ready:
            return
        run = self._opened.run
        positions = layout(graph_of(self._opened), seed=run.record["graph"]["made_of"]["seed"])
        note = {"map": run.record["graph"]["made_of"]}
        with self._opened.writing, run.writing("map.npy", step="report", note=note) as (file,):
            write_array(file, positions)
        self._take(positions)

    def _take(self, positions: np.ndarray) -> None:
        self._grid = as_grid(np.asarray(positions))
        self._ready.set()
