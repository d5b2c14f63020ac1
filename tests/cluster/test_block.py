from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install 'handful[cluster]'")

from handful.cluster.block import read_block, write_graph
from handful.cluster.journal import Journal
from handful.cluster.mesh import Mesh
from handful.graph import knn_graph


def _in_a_mesh(size: int, work):
    meshes = [Mesh("127.0.0.1", rank, size, b"secret") for rank in range(size)]
    addresses = [mesh.address for mesh in meshes]

    def run(mesh: Mesh):
        mesh.connect(addresses)
        try:
            return work(mesh)
        finally:
            mesh.close()

    with ThreadPoolExecutor(size) as threads:
        return list(threads.map(run, meshes))


def test_blocks_hold_every_row_once_and_share_the_memory_of_their_machine(tmp_path):
    graph = knn_graph(np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32), 5)
    write_graph(graph, tmp_path / "graph")
    blocks = _in_a_mesh(3, lambda mesh: read_block(tmp_path / "graph", mesh, tmp_path / "journal"))
    held = [block.rows.numbers(np.arange(len(block))) for block in blocks]
    np.testing.assert_array_equal(np.sort(np.concatenate(held)), np.arange(300))
    for block, ids in zip(blocks, held, strict=True):
        np.testing.assert_allclose(block.weights.sum(axis=1), graph.weights[ids].sum(axis=1), rtol=1e-6)
        assert block.rows.most == 300  # all three are on one machine


def test_a_machine_of_its_own_is_counted_by_itself(tmp_path):
    graph = knn_graph(np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32), 5)
    write_graph(graph, tmp_path / "graph")

    def work(mesh: Mesh) -> int:
        mesh.hosts = ["one", "two", "one"]
        return read_block(tmp_path / "graph", mesh, tmp_path / "journal").rows.most

    assert _in_a_mesh(3, work) == [200] * 3


def test_a_gang_of_another_size_finds_the_rows_of_the_last(tmp_path):
    values = np.random.default_rng(0).normal(size=(50, 3))
    shuffled = np.random.default_rng(1).permutation(50)

    def save(mesh: Mesh) -> None:
        ids = np.sort(shuffled[mesh.rank :: mesh.size])
        Journal(tmp_path, ids, mesh).save("0000", 8, {"x": values[ids], "steps": 8, "slope": np.arange(3.0)})

    _in_a_mesh(3, save)

    def load(mesh: Mesh) -> None:
        ids = np.arange(mesh.rank, 50, mesh.size)
        state = Journal(tmp_path, ids, mesh).load("0000")
        assert state is not None
        np.testing.assert_array_equal(state["x"], values[ids])
        np.testing.assert_array_equal(state["slope"], np.arange(3.0))
        assert state["steps"] == 8

    _in_a_mesh(2, load)
