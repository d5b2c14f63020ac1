"""The search and the propagation over machines beside one: equality, seconds, memory, messages and bytes a step.

    python benchmarks/bench_cluster.py --rows 100000 --nodes 1 3
    python benchmarks/bench_cluster.py --rows 10000000 --nodes 3 --solve spreading --rule none
    python benchmarks/bench_cluster.py --images 30000 --rows --nodes 1 3

Rows of 64 numbers around 50 centres in 10 classes, 5 given labels a class. The nodes are started on this machine, so
that with as many processors as nodes the seconds are those of a cluster without its network. Memory "of its own" is
what a process holds besides the pages of files, which processes of one machine share and the system can take back.
`--images`: made grey images of 28 pixels through the network that SimCLR trains, here and on the nodes.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import handful
from handful.cluster.block import read_block, write_graph
from handful.cluster.gang import run_together
from handful.cluster.local import started
from handful.cluster.machines import Machines
from handful.cluster.mesh import Mesh
from handful.cluster.search import find_block, read_neighbours, write_points
from handful.graph import Graph, knn_graph
from handful.graph.conjugate import Solution
from handful.propagation import Propagation
from handful.propagation.audit import find_label_issues
from handful.propagation.diffusion import extend_harmonically, spread_mass
from handful.propagation.problem import Problem
from handful.propagation.propagate import make_problem, propagate
from handful.training.embed import batches_of

CLASSES, PER_CLASS, WIDTH = 10, 5, 64
AT_A_TIME = 1_000_000  # rows made


def make(rows: int, folder: Path, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors [rows, 64], a memory map of a file in `folder`, and labels [rows], -1 where none is given."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(50, WIDTH)).astype(np.float32)
    of = rng.integers(50, size=rows)
    path = folder / f"{rows}.npy"
    vectors = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(rows, WIDTH))
    for start in range(0, rows, AT_A_TIME):
        some = centres[of[start : start + AT_A_TIME]]
        vectors[start : start + AT_A_TIME] = some + 0.7 * rng.normal(size=some.shape).astype(np.float32)
    labels = np.full(rows, -1)
    for code in range(CLASSES):
        labels[rng.choice(np.flatnonzero(of % CLASSES == code), PER_CLASS, replace=False)] = code
    vectors.flush()
    return np.load(path, mmap_mode="r", allow_pickle=False), labels


class Memory:
    """own: the most bytes that this process held besides the pages of files, while it was watched."""

    own = 0

    def look(self) -> None:
        """See what is held now."""
        told = Path("/proc/self/status").read_text()
        self.own = max(self.own, 1024 * int(told.split("RssAnon:")[1].split()[0]))


@contextmanager
def watched() -> Iterator[Memory]:
    """Watch the memory of this process, ten times a second."""
    memory, over = Memory(), threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            memory.look()

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield memory
    finally:
        memory.look()
        over.set()
        watching.join()


def solve(problem: Problem, name: str) -> Solution:
    """Return the values of one rule: harmonic to 1e-8, or those of spreading as the rule asks for them."""
    return extend_harmonically(problem, tol=1e-8) if name == "harmonic" else spread_mass(problem, alpha=0.99)


def solve_here(problem: Problem, name: str) -> tuple[Solution, float, float]:
    """Return what `solve` gives, and the seconds by the clock and the processor of the second of two solves."""
    solve(problem, name)  # compiles and factors
    begun, worked = time.perf_counter(), time.process_time()
    found = solve(problem, name)
    return found, time.perf_counter() - begun, time.process_time() - worked


def solve_block(mesh: Mesh, folder: Path, name: str) -> dict[str, Any]:
    """Return what `solve_here` does for the rows held here, their numbers, and what was sent."""
    with watched() as memory:
        graph = read_block(folder, mesh, folder.with_name("journal"))
        codes = graph.rows.take(np.load(folder.with_name("codes.npy"), mmap_mode="r"))
        solve(Problem(graph, codes, CLASSES), name)
        problem, before = Problem(graph, codes, CLASSES), (mesh.messages, mesh.sent)
        begun, worked = time.perf_counter(), time.process_time()
        found = solve(problem, name)
        told = {"wall": time.perf_counter() - begun, "worked": time.process_time() - worked}
    told |= {"messages": mesh.messages - before[0], "sent": mesh.sent - before[1], "borders": graph.rows.borders}
    held = graph.rows.numbers(np.arange(len(codes)))
    return told | {"held": held, "x": found.x, "steps": found.steps, "own": memory.own, "peak": peak()}


def peak() -> float:
    """Return the most memory that this process held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def search_block(mesh: Mesh, folder: Path, n_neighbors: int) -> dict[str, float]:
    """Return the seconds of the search, the processor's of them, messages, bytes, and the memory at most."""
    begun, worked, before = time.perf_counter(), time.process_time(), (mesh.messages, mesh.sent)
    with watched() as memory:
        find_block(mesh, folder, n_neighbors, True, 0)
    told = {"wall": time.perf_counter() - begun, "worked": time.process_time() - worked, "own": memory.own}
    return told | {"messages": mesh.messages - before[0], "sent": mesh.sent - before[1], "peak": peak()}


def measure_search(graph: Graph, scratch: Path) -> dict[str, float]:
    """Return the figures of the search on the nodes that are there, beside the lists of `graph`."""
    assert graph.vectors is not None
    assert graph.neighbours is not None
    folder = scratch / "search"
    folder.mkdir()
    write_points(graph.vectors, np.ones(len(graph), np.float32), folder)
    asked = (folder, graph.neighbours.shape[1])
    parts = run_together(search_block, asked, journal=folder / "journal", say=print)
    found = read_neighbours(folder, graph.recall)
    shutil.rmtree(folder)
    return {
        "search: lists that differ": int((found.rows != graph.neighbours).any(axis=1).sum()),
        "search: seconds together (wall)": max(part["wall"] for part in parts),
        "search: seconds together (processor, all)": sum(part["worked"] for part in parts),
        "search: messages, each": parts[0]["messages"],
        "search: bytes a row, each": max(part["sent"] for part in parts) / len(graph),
        "search: memory of a process at most, MB": max(part["peak"] for part in parts),
        "search: memory of its own, MB": max(part["own"] for part in parts) / 2**20,
    }


def measure_solve(graph: Graph, codes: np.ndarray, name: str, scratch: Path) -> tuple[np.ndarray, dict[str, float]]:
    """Return the values of `solve` on the nodes that are there, and its figures."""
    folder = scratch / "graph"
    write_graph(graph, folder)
    np.save(folder.with_name("codes.npy"), codes)
    parts = run_together(solve_block, (folder, name), journal=scratch / "journal", say=print)
    shutil.rmtree(folder)
    x, taken = np.empty((len(codes), CLASSES)), parts[0]["steps"]
    for part in parts:
        x[part["held"]] = part["x"]
    return x, {
        "steps together": taken,
        "ms a step together (processor, all)": 1000 * sum(part["worked"] for part in parts) / taken,
        "ms a step together (wall)": 1000 * max(part["wall"] for part in parts) / taken,
        "messages a step, each": parts[0]["messages"] / taken,
        "bytes a step, each": max(part["sent"] for part in parts) / taken,
        "borders, share of the rows held": float(np.mean([part["borders"] / len(part["held"]) for part in parts])),
        "memory of a process at most, MB": max(part["peak"] for part in parts),
        "memory of its own, MB": max(part["own"] for part in parts) / 2**20,
    }


def measure_rule(graph: Graph, labels: np.ndarray, rule: str, scratch: Path) -> tuple[Propagation, dict[str, float]]:
    """Return the whole answer by `rule` on the nodes that are there, and its figures."""
    begun, machines = time.perf_counter(), Machines(scratch)
    answer, _ = machines.propagate(graph, labels, rule)
    return answer, {
        f"seconds of {rule}, together": time.perf_counter() - begun,
        f"messages of {rule}, each": machines.traffic[0].messages,
        f"bytes of {rule}, each": max(part.sent for part in machines.traffic),
    }


def measure(graph: Graph, labels: np.ndarray, nodes: int, name: str, rule: str) -> Iterator[dict[str, float]]:
    """Yield the figures of `nodes` nodes beside this process, as they come."""
    problem, encoded = make_problem(graph, labels)
    answer = None
    with started(nodes), tempfile.TemporaryDirectory() as scratch:
        yield {"rows": len(labels), "nodes": nodes, "entries a row": graph.weights.nnz / len(labels)}
        yield measure_search(graph, Path(scratch))
        together, told = measure_solve(graph, encoded.codes, name, Path(scratch))
        yield told
        if rule != "none":
            answer, told = measure_rule(graph, labels, rule, Path(scratch))
            yield told
    alone, seconds, worked = solve_here(problem, name)
    yield {
        "largest difference": float(np.abs(together - alone.x).max()),
        "rows whose largest value is another": int((together.argmax(axis=1) != alone.x.argmax(axis=1)).sum()),
        "steps alone": alone.steps,
        "ms a step alone (processor)": 1000 * worked / alone.steps,
        "ms a step alone (wall)": 1000 * seconds / alone.steps,
        "memory of this process at most, MB": peak(),
    }
    if answer is None:
        return
    begun = time.perf_counter()
    expected = propagate(graph, labels, rule)
    find_label_issues(problem)
    yield {
        f"seconds of {rule}, alone": time.perf_counter() - begun,
        "probabilities differ by": float(np.abs(answer.probabilities - expected.probabilities).max()),
        "labels that differ": int((answer.labels != expected.labels).sum()),
    }


def measure_embedding(images: int, nodes: int) -> dict[str, float]:
    """Return the seconds of embedding here and on `nodes` nodes, and by how much the vectors differ."""
    pixels = np.random.default_rng(0).integers(0, 256, (images, 28, 28), dtype=np.uint8)
    data = handful.read(pixels, modality="image")
    with tempfile.TemporaryDirectory() as scratch, started(nodes):
        folder = Path(scratch) / "encoder"
        encoder = handful.pretrain(data, "random", out=folder)
        batches = list(batches_of(np.arange(len(data)), encoder.batch_size(data)))
        machines, seconds, found = Machines(scratch), {}, {}
        for name, made in (
            ("alone", lambda: (encoder.embed(data, rows=rows).vectors for rows in batches)),
            ("together", lambda: machines.embed(folder, (data.samples[rows] for rows in batches))),
        ):
            begun, vectors, first = time.perf_counter(), [], 0.0
            for part in made():
                vectors.append(part)
                first = first or time.perf_counter() - begun
            seconds[name], found[name] = (time.perf_counter() - begun, first), np.concatenate(vectors)
    return {
        "images": images,
        "nodes": nodes,
        **{f"seconds {name}": whole for name, (whole, _) in seconds.items()},
        **{f"until the first batch, {name}": first for name, (_, first) in seconds.items()},
        "vectors differ by": float(np.abs(found["alone"] - found["together"]).max()),
    }


def main() -> None:
    """Print the figures."""
    reading = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reading.add_argument("--images", type=int, default=0)
    reading.add_argument("--rows", type=int, nargs="*", default=[100_000])
    reading.add_argument("--nodes", type=int, nargs="+", default=[1, 3])
    reading.add_argument("--solve", choices=("harmonic", "spreading"), default="harmonic")
    reading.add_argument("--rule", default="laplace", help="of the whole answer; none for the search and one solve")
    asked = reading.parse_args()
    for nodes in asked.nodes if asked.images else []:
        print(*(f"  {name}: {value:.4g}" for name, value in measure_embedding(asked.images, nodes).items()), sep="\n")
    for rows in asked.rows:
        with tempfile.TemporaryDirectory() as folder:
            vectors, labels = make(rows, Path(folder))
            begun, worked = time.perf_counter(), time.process_time()
            graph = knn_graph(vectors, 10, approximate=True)
            seconds = f"{time.perf_counter() - begun:.0f} s ({time.process_time() - worked:.0f} of the processor)"
            print(f"graph of {rows} rows: {seconds}, recall {graph.recall:.3f}, {peak():.0f} MB at most", flush=True)
            for nodes in asked.nodes:
                for told in measure(graph, labels, nodes, asked.solve, asked.rule):
                    print(*(f"  {name}: {value:.4g}" for name, value in told.items()), sep="\n", flush=True)


if __name__ == "__main__":
    main()
