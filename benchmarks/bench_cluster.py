"""The search and the propagation over machines beside one: equality, seconds, memory, messages and bytes a step.

    python benchmarks/bench_cluster.py --rows 100000 --nodes 1 3
    python benchmarks/bench_cluster.py --images 30000 --rows --nodes 1 3

Rows of 64 numbers around 50 centres in 10 classes, 5 given labels a class. The nodes are started on this machine, so
that with as many processors as nodes the seconds are those of a cluster without its network. `--images`: made grey
images of 28 pixels through the network that SimCLR trains, here and on the nodes.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

import handful
from handful.cluster.block import read_block, write_graph
from handful.cluster.gang import run_together
from handful.cluster.local import started
from handful.cluster.machines import Machines
from handful.cluster.mesh import Mesh
from handful.cluster.search import find_block, read_neighbours, write_points
from handful.graph import Graph, knn_graph
from handful.propagation.audit import find_label_issues
from handful.propagation.diffusion import extend_harmonically
from handful.propagation.problem import Problem
from handful.propagation.propagate import make_problem, propagate
from handful.training.embed import batches_of

CLASSES, PER_CLASS, WIDTH = 10, 5, 64


def make(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors [rows, 64] and labels [rows], -1 where none is given."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(50, WIDTH)).astype(np.float32)
    of = rng.integers(50, size=rows)
    vectors = centres[of] + 0.7 * rng.normal(size=(rows, WIDTH)).astype(np.float32)
    labels = np.full(rows, -1)
    for code in range(CLASSES):
        labels[rng.choice(np.flatnonzero(of % CLASSES == code), PER_CLASS, replace=False)] = code
    return vectors, labels


def solve(problem: Problem) -> tuple[np.ndarray, int, float]:
    """Return the harmonic extension, its steps, and the processor seconds of the second of two solves."""
    extend_harmonically(problem, tol=1e-8)
    worked = time.process_time()
    found = extend_harmonically(problem, tol=1e-8)
    return found.x, found.steps, time.process_time() - worked


def solve_block(mesh: Mesh, folder: Path) -> tuple:
    """Return what `solve` does for the rows held here, their numbers, and what was sent."""
    graph = read_block(folder, mesh, folder.with_name("journal"))
    codes = graph.rows.take(np.load(folder.with_name("codes.npy")))
    extend_harmonically(Problem(graph, codes, CLASSES), tol=1e-8)  # compiles and factors
    problem, before = Problem(graph, codes, CLASSES), (mesh.messages, mesh.sent)
    begun, worked = time.perf_counter(), time.process_time()
    found = extend_harmonically(problem, tol=1e-8)
    seconds = time.perf_counter() - begun, time.process_time() - worked
    sent = mesh.messages - before[0], mesh.sent - before[1]
    held = graph.rows.numbers(np.arange(len(codes)))
    return held, found.x, found.steps, seconds, sent, graph.rows.borders, peak()


def peak() -> float:
    """Return the most memory that this process held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def search_block(mesh: Mesh, folder: Path, n_neighbors: int) -> tuple[float, float, int, int, float]:
    """Return the seconds of the search, the processor's of them, messages, bytes, and the memory at most."""
    begun, worked, before = time.perf_counter(), time.process_time(), (mesh.messages, mesh.sent)
    find_block(mesh, folder, n_neighbors, True, 0)
    sent = mesh.messages - before[0], mesh.sent - before[1]
    return time.perf_counter() - begun, time.process_time() - worked, *sent, peak()


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
    return {
        "search: lists that differ": int((found.rows != graph.neighbours).any(axis=1).sum()),
        "search: seconds together (wall)": max(part[0] for part in parts),
        "search: seconds together (processor, all)": sum(part[1] for part in parts),
        "search: messages, each": parts[0][2],
        "search: bytes a row, each": max(part[3] for part in parts) / len(graph),
        "search: memory of a process at most, MB": max(part[4] for part in parts),
    }


def measure(graph: Graph, labels: np.ndarray, nodes: int, rule: str) -> dict[str, float]:
    """Return the figures of `nodes` nodes beside this process."""
    problem, encoded = make_problem(graph, labels)
    alone, steps, work = solve(problem)
    with started(nodes), tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "graph"
        write_graph(graph, folder)
        np.save(folder.with_name("codes.npy"), encoded.codes)
        parts = run_together(solve_block, (folder,), journal=Path(scratch) / "journal", say=print)
        together = np.concatenate([part[1] for part in parts])[np.argsort(np.concatenate([part[0] for part in parts]))]
        taken = parts[0][2]
        told = {"rows": len(labels), "nodes": nodes, "entries a row": graph.weights.nnz / len(labels)}
        told |= measure_search(graph, Path(scratch))
        told |= {
            "largest difference": float(np.abs(together - alone).max()),
            "steps alone": steps,
            "steps together": taken,
            "ms a step alone (processor)": 1000 * work / steps,
            "ms a step together (processor, all)": 1000 * sum(part[3][1] for part in parts) / taken,
            "ms a step together (wall)": 1000 * max(part[3][0] for part in parts) / taken,
            "messages a step, each": parts[0][4][0] / taken,
            "bytes a step, each": max(part[4][1] for part in parts) / taken,
            "borders, share of the rows held": float(np.mean([part[5] / len(part[0]) for part in parts])),
            "memory of a process at most, MB": max(part[6] for part in parts),
        }
        if rule == "none":
            return told
        begun, machines = time.perf_counter(), Machines(scratch)
        answer, _ = machines.propagate(graph, labels, rule)
        told |= {f"seconds of {rule}, together": time.perf_counter() - begun}
        told |= {f"messages of {rule}, each": machines.traffic[0].messages}
        told |= {f"bytes of {rule}, each": max(part.sent for part in machines.traffic)}
    begun = time.perf_counter()
    expected = propagate(graph, labels, rule)
    find_label_issues(problem)
    told |= {f"seconds of {rule}, alone": time.perf_counter() - begun}
    told |= {"probabilities differ by": float(np.abs(answer.probabilities - expected.probabilities).max())}
    return told | {"labels that differ": int((answer.labels != expected.labels).sum())}


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
    reading.add_argument("--rule", default="laplace", help="none for the search and one solve alone")
    asked = reading.parse_args()
    for nodes in asked.nodes if asked.images else []:
        print(*(f"  {name}: {value:.4g}" for name, value in measure_embedding(asked.images, nodes).items()), sep="\n")
    for rows in asked.rows:
        vectors, labels = make(rows)
        begun = time.perf_counter()
        worked = time.process_time()
        graph = knn_graph(vectors, 10, approximate=True)
        seconds = f"{time.perf_counter() - begun:.0f} s ({time.process_time() - worked:.0f} of the processor)"
        print(f"graph of {rows} rows: {seconds}, recall {graph.recall:.3f}", flush=True)
        for nodes in asked.nodes:
            told = measure(graph, labels, nodes, asked.rule)
            print(*(f"  {name}: {value:.4g}" for name, value in told.items()), sep="\n", flush=True)


if __name__ == "__main__":
    main()
