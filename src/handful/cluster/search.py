"""The neighbours of all rows, found by a gang: each process tries its part of the cells and of the rounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from handful.cluster.journal import Journal
from handful.cluster.mesh import Mesh
from handful.graph.neighbours import Neighbours, approximate_neighbours, exact_neighbours

_POINTS, _SCALE, _ROWS, _SQUARED = "points.npy", "scale.npy", "rows.npy", "squared.npy"


def write_points(points: np.ndarray, scale: np.ndarray, folder: Path) -> None:
    """Write `points` [N, D] float32 and the `scale` [N] of each as arrays that processes map into memory."""
    np.save(folder / _POINTS, points, allow_pickle=False)
    np.save(folder / _SCALE, scale, allow_pickle=False)


def find_block(mesh: Mesh, folder: Path, n_neighbors: int, approximate: bool, seed: int) -> float:
    """Find the neighbours of the points in `folder` with the other processes, and return the recall.

    The first process writes the lists into `folder`, for `read_neighbours`.
    """
    points, scale = (np.load(folder / name, mmap_mode="r", allow_pickle=False) for name in (_POINTS, _SCALE))
    if approximate:
        n = len(points)
        own = np.arange(n * mesh.rank // mesh.size, n * (mesh.rank + 1) // mesh.size)
        kept = Journal(folder / "journal", own, mesh, every=1).kept()
        found = approximate_neighbours(points, n_neighbors, scale=scale, seed=seed, team=mesh, kept=kept)
    else:
        found = exact_neighbours(points, n_neighbors, scale=scale, team=mesh)
    if mesh.rank == 0:
        np.save(folder / _ROWS, found.rows, allow_pickle=False)
        np.save(folder / _SQUARED, found.squared, allow_pickle=False)
    return found.recall


def read_neighbours(folder: Path, recall: float) -> Neighbours:
    """Return the lists that `find_block` wrote."""
    rows, squared = (np.load(folder / name, allow_pickle=False) for name in (_ROWS, _SQUARED))
    return Neighbours(rows, squared, recall)
