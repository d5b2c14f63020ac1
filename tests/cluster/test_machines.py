from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

import handful
from handful.errors import InputError
from handful.graph import knn_graph
from handful.propagation.audit import find_label_issues
from handful.propagation.propagate import make_problem, propagate
from handful.training.encoder import Encoder
from handful.training.pretrain import Watch

pytest.importorskip("ray", reason="Ray is not installed: pip install 'handful[cluster]'")
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning:ray"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def _digits() -> tuple[np.ndarray, np.ndarray]:
    """Return vectors of digits and of an island no label reaches, and three labels a class."""
    vectors, truth = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    labels = np.full(len(truth) + 30, -1)
    for digit in range(10):
        labels[rng.choice(np.flatnonzero(truth == digit), 3, replace=False)] = digit
    return np.vstack([vectors, rng.normal(200, 1, (30, 64))]).astype(np.float32), labels


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    """Give three nodes started here, and the machines as the path sees them."""
    from handful.cluster.local import started
    from handful.cluster.machines import Machines

    with started(3) as local:
        yield local, Machines(tmp_path_factory.mktemp("scratch"))


def test_a_stranger_without_the_token_of_the_nodes_is_turned_away(nodes):
    """In a process of its own: this one has the token."""
    local = nodes[0]
    asked = f"from ray._raylet import GcsClient; GcsClient(address={local.address!r})"
    env = {name: value for name, value in os.environ.items() if not name.startswith("RAY_AUTH")}
    ended = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, env=env, check=False)
    assert ended.returncode == 1
    assert "AuthenticationError" in ended.stderr


def test_a_fault_of_one_process_is_told_and_not_taken_for_a_loss(nodes, tmp_path):
    from handful.cluster.gang import run_together

    def fail_in_one(mesh):  # within, so that it is sent whole: the others cannot import this file
        if mesh.rank == 1:
            raise InputError("the second cannot")
        mesh.gather(np.zeros(1))

    said = []
    with pytest.raises(InputError, match="the second cannot"):
        run_together(fail_in_one, (), journal=tmp_path, say=said.append)
    assert not said


@pytest.mark.parametrize("approximate", [False, True])
def test_three_machines_link_as_one(nodes, approximate):
    vectors = np.random.default_rng(1).normal(size=(6000, 8)).astype(np.float32)
    vectors[100:120] = vectors[100]  # copies
    alone = knn_graph(vectors, 6, metric="cosine", approximate=approximate, seed=4)
    search = nodes[1].find_neighbours
    together = knn_graph(vectors, 6, metric="cosine", approximate=approximate, seed=4, search=search)
    np.testing.assert_array_equal(together.neighbours, alone.neighbours)
    np.testing.assert_array_equal(together.distances, alone.distances)
    np.testing.assert_array_equal(together.weights.data, alone.weights.data)
    assert together.recall == alone.recall
    assert together.notes == alone.notes


def test_three_machines_answer_as_one(nodes):
    machines, (vectors, labels) = nodes[1], _digits()
    graph = knn_graph(vectors, 8)
    alone, (together, issues) = propagate(graph, labels), machines.propagate(graph, labels)
    np.testing.assert_allclose(together.probabilities, alone.probabilities, atol=1e-5)
    assert together.labels.tolist() == alone.labels.tolist()
    assert together.runner_up.tolist() == alone.runner_up.tolist()
    assert together.notes == alone.notes
    assert together.expected_accuracy.value == pytest.approx(alone.expected_accuracy.value, abs=1e-5)
    expected = find_label_issues(make_problem(graph, labels)[0])
    by_row, expected_by_row = np.argsort(issues.rows), np.argsort(expected.rows)
    assert issues.rows[by_row].tolist() == expected.rows[expected_by_row].tolist()
    np.testing.assert_allclose(issues.scores[by_row], expected.scores[expected_by_row], atol=1e-5)
    assert len(machines.traffic) == 3
    assert all(part.sent > 0 and part.borders < len(labels) for part in machines.traffic)


@pytest.mark.parametrize("rule", ["laplace", "poisson"])
def test_rules_that_sharpen_keep_within_the_promise(nodes, rule):
    vectors, labels = _digits()
    graph = knn_graph(vectors, 8)
    together, _ = nodes[1].propagate(graph, labels, rule)
    np.testing.assert_allclose(together.probabilities, propagate(graph, labels, rule).probabilities, atol=1e-5)


def test_the_whole_path_on_machines_writes_the_graph_of_one(nodes, tmp_path):
    vectors, labels = load_digits(return_X_y=True)
    labels[np.random.default_rng(0).permutation(len(labels))[40:]] = -1
    runs = [
        handful.label(vectors, labels, modality="table", out=tmp_path / name, rule="spreading", machines=machines)
        for name, machines in (("alone", None), ("together", nodes[1]))
    ]
    graphs = [(run.folder / "graph.npz").read_bytes() for run in runs]
    assert graphs[0] == graphs[1]
    assert runs[0].labels["label"].equals(runs[1].labels["label"])


def _photos(count: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (count, 12, 12), dtype=np.uint8)


@pytest.mark.parametrize("kind", ["text", "series"])
def test_three_machines_embed_as_one(nodes, tmp_path, kind):
    if kind == "text":
        source = [f"the {colour} {thing} of {n}" for n in range(6) for colour in ("red", "blue") for thing in "abcde"]
    else:
        source = [np.sin(np.arange(20 + n) / (1 + n % 7)).astype(np.float32) for n in range(60)]
    data = handful.read(source, modality=kind)
    encoder = handful.pretrain(data, "untrained", out=tmp_path / "encoder")
    batches = [np.arange(start, start + 7) for start in range(0, len(data) - 7, 7)]
    alone = [encoder.embed(data, rows=rows).vectors for rows in batches]
    together = list(nodes[1].embed(tmp_path / "encoder", (data.samples[rows] for rows in batches)))
    assert len(together) == len(alone)
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert not list(nodes[1].scratch.iterdir())


def test_what_an_encoder_raises_on_another_machine_is_told_here(nodes, tmp_path):
    data = handful.read(_photos(40), modality="image")
    handful.pretrain(data, "pca", out=tmp_path / "encoder")
    (tmp_path / "encoder" / "config.json").unlink()
    with pytest.raises(InputError, match=r"config\.json is missing"):
        list(nodes[1].embed(tmp_path / "encoder", [data.samples[np.arange(3)]]))


def test_a_run_is_embedded_on_machines_as_on_one(nodes, tmp_path, monkeypatch):
    monkeypatch.setattr(
        sys.modules["handful.training.pretrain"], "FIT_ROWS", 100
    )  # fewer than there are: the others are embedded later
    monkeypatch.setattr(Encoder, "batch_size", lambda encoder, data: 16)
    photos, labels, said = _photos(200), [0, 1] * 5 + [None] * 190, []
    runs = [
        handful.label(
            photos,
            labels,
            out=tmp_path / name,
            modality="image",
            method="pca",
            machines=machines,
            watch=Watch(stage=said.append),
        )
        for name, machines in (("alone", None), ("together", nodes[1]))
    ]
    assert said.count("embedding on 3 machines") == 1
    np.testing.assert_allclose(runs[1].embeddings.vectors, runs[0].embeddings.vectors, atol=1e-5)


def test_no_vector_is_lost_with_a_node(nodes, tmp_path):
    local, machines = nodes
    data, said = handful.read(_photos(90), modality="image"), []
    encoder = handful.pretrain(data, "pca", out=tmp_path / "encoder")
    batches, extra = np.arange(90).reshape(30, 3), local.add_node(num_cpus=1)

    def samples():
        for place, rows in enumerate(batches):
            if place == 6:  # each has one at least, and none has begun: they are still being loaded
                local.remove_node(extra, allow_graceful=False)
            yield data.samples[rows]

    local.wait_for_nodes()
    together = list(machines.embed(tmp_path / "encoder", samples(), progress=said.append))
    assert said[0] == "embedding on 4 machines"
    assert any("was lost" in words for words in said)
    np.testing.assert_allclose(np.concatenate(together), encoder.embed(data).vectors, atol=1e-5)


def test_what_is_no_cluster_is_told():
    from handful.cluster import cluster

    with pytest.raises(InputError, match="local:N with N from 1 to 64"), cluster("local:none"):
        pass
    with pytest.raises(InputError, match="a folder that all of its machines see"), cluster("192.0.2.1:6379"):
        pass


def test_the_answer_is_the_same_when_a_node_is_lost(nodes):
    local, machines = nodes
    vectors, labels = _digits()
    graph = knn_graph(vectors, 8)
    alone, said = propagate(graph, labels, "spreading"), []
    killer = threading.Thread(target=_remove_a_node_once, args=(local, machines.scratch, "handful-*/journal/0*"))
    killer.start()
    together, _ = machines.propagate(graph, labels, "spreading", progress=said.append)
    killer.join()
    assert any("was lost" in words for words in said)
    assert len(machines.traffic) == 2
    np.testing.assert_allclose(together.probabilities, alone.probabilities, atol=1e-5)


def test_the_links_are_the_same_when_a_node_is_lost(nodes):
    local, machines = nodes
    vectors, said = np.random.default_rng(2).normal(size=(20_000, 16)).astype(np.float32), []
    killer = threading.Thread(target=_remove_a_node_once, args=(local, machines.scratch, "handful-*/journal"))
    killer.start()
    together = knn_graph(vectors, 8, approximate=True, search=partial(machines.find_neighbours, progress=said.append))
    killer.join()
    assert any("was lost" in words for words in said)
    np.testing.assert_array_equal(together.neighbours, knn_graph(vectors, 8, approximate=True).neighbours)


def _remove_a_node_once(local: Any, scratch: Path, pattern: str) -> None:
    """Take a node away once the scratch folder holds what `pattern` says."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if list(scratch.glob(pattern)):
            local.remove_node(next(iter(local.worker_nodes)), allow_graceful=False)
            return
        time.sleep(0.02)
