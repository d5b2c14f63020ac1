"""A graph written for a gang, and the block of its rows that one process holds."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy import sparse

from handful.cluster.held import HeldRows
from handful.cluster.journal import Journal
from handful.cluster.mesh import Mesh
from handful.graph import Graph
from handful.graph.cells import partition
from handful.graph.near import near_order

_CELL = 400


def write_graph(graph: Graph, folder: Path) -> None:
    """Write `graph` as arrays that processes map into memory, each reading its own rows."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = graph.weights
    arrays = {"indptr": weights.indptr, "indices": weights.indices, "data": weights.data}
    arrays |= {"components": graph.components(), "cut": near_together(graph), "near": near_order(weights)}
    if graph.vectors is not None:
        arrays["vectors"] = graph.vectors
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)


def near_together(graph: Graph) -> np.ndarray:
    """Return the rows [N] in an order in which linked rows are near: by cells of the vectors, else as they stand."""
    if graph.vectors is None:
        return np.arange(len(graph), dtype=np.int32)
    scale = np.ones(len(graph), np.float32)
    if graph.metric == "cosine":
        norms = np.linalg.norm(graph.vectors, axis=1)
        scale = (1 / np.where(norms > 0, norms, 1)).astype(np.float32)
    return np.concatenate(partition(graph.vectors, scale, _CELL, np.random.default_rng(0)))


def owners(order: np.ndarray, size: int) -> np.ndarray:
    """Return [N] which of `size` processes holds a row: equal parts of `order` [N]."""
    owner = np.empty(len(order), np.int16)
    for rank, (start, stop) in enumerate(pairwise(np.linspace(0, len(order), size + 1).astype(int))):
        owner[order[start:stop]] = rank
    return owner


def read_block(folder: Path, mesh: Mesh, journal_folder: Path) -> Graph:
    """Return the rows of this process of the graph in `folder`, linked with the other processes."""
    arrays = {path.stem: np.load(path, mmap_mode="r", allow_pickle=False) for path in folder.glob("*.npy")}
    owner = owners(np.asarray(arrays["cut"]), mesh.size)
    ids = np.asarray(arrays["near"])[owner[arrays["near"]] == mesh.rank]
    whole = sparse.csr_array((arrays["data"], arrays["indices"], arrays["indptr"]), shape=(len(owner), len(owner)))
    weights, outside = _cut(whole[ids], ids, owner, mesh.rank)
    rows = HeldRows(ids, owner, outside, arrays["components"][ids], mesh, Journal(journal_folder, ids, mesh))
    vectors = arrays.get("vectors")
    return Graph(weights, vectors=None if vectors is None else vectors[ids], rows=rows)


def _cut(
    weights: sparse.csr_array, ids: np.ndarray, owner: np.ndarray, rank: int
) -> tuple[sparse.csr_array, np.ndarray]:
    """Return the rows `ids` [n], given as `weights` [n, N], as [n, n + borders], and the numbers of the border rows.

    Columns stand in the order of the held rows, then of the borders by owner and number, as `HeldRows` has them.
    """
    columns = weights.indices
    away = np.unique(columns[owner[columns] != rank])
    away = away[np.lexsort((away, owner[away]))]
    place = np.empty(len(owner), np.int32)
    place[ids] = np.arange(len(ids))
    place[away] = len(ids) + np.arange(len(away))
    shape = (len(ids), len(ids) + len(away))
    return sparse.csr_array((weights.data, place[columns], weights.indptr), shape=shape), away
