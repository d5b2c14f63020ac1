"""What it gains to hold linked rows near each other: steps over a graph as its rows are numbered, and in `Graph.near`.

    python benchmarks/bench_near.py --rows 70000 1000000

Rows of 64 numbers around the principal components of Fashion-MNIST: the images themselves, and beyond their number
points between each and one of its neighbours, with a tenth of the spread as noise. Processor seconds, one thread; the
median of five steps, ten columns. HANDFUL_DATA as for the other benchmarks of images.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
from bench_graph import read_idx
from sklearn.decomposition import PCA

from handful.graph import Graph, knn_graph
from handful.graph.conjugate import Operator
from handful.graph.factor import factorise
from handful.graph.near import near_order, reordered
from handful.graph.rows import AllRows
from handful.graph.smoothing import random_walk, smooth

COLUMNS = 10


def make(rows: int, seed: int = 0) -> np.ndarray:
    """Return vectors [rows, 64] float32."""
    pixels = read_idx("images", 16).reshape(-1, 784).astype(np.float32) / 255
    points = PCA(64, random_state=0).fit_transform(pixels).astype(np.float32)
    if rows <= len(points):
        return points[:rows]
    near = knn_graph(points, 10, approximate=True).neighbours
    assert near is not None
    rng = np.random.default_rng(seed)
    first = rng.integers(len(points), size=rows)
    second = near[first, rng.integers(10, size=rows)]
    between = rng.uniform(0, 0.5, (rows, 1)).astype(np.float32)
    noise = 0.1 * points.std(axis=0) * rng.normal(size=(rows, 64)).astype(np.float32)
    return points[first] * (1 - between) + points[second] * between + noise


def seconds(work: Callable[[], object], times: int = 5) -> float:
    """Return the median of the processor seconds of `work`, after one that compiles."""
    work()
    taken = []
    for _ in range(times):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return statistics.median(taken)


def measure(graph: Graph) -> list[float]:
    """Return the seconds of a step of the smoothing, a step of conjugate gradients, a factor and its sweep."""
    n, weights = len(graph), graph.weights
    walk, none = random_walk(weights, graph.degrees), np.zeros(n, bool)
    values = np.random.default_rng(0).random((n, COLUMNS))
    operator = Operator(weights, graph.degrees, ~none, AllRows(n))
    padded = np.pad(values, ((0, 0), (0, -COLUMNS % 4)))
    factor = factorise(weights, np.zeros(n), none)
    return [
        seconds(lambda: smooth(walk, values, alpha=0.95, steps=5)) / 5,
        seconds(lambda: operator.times(padded)),
        seconds(lambda: factorise(weights, np.zeros(n), none), 1),
        seconds(lambda: factor.apply(values)),
    ]


def main() -> None:
    """Print a table for each number of rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[70_000])
    for rows in parser.parse_args().rows:
        graph = knn_graph(make(rows), 10)
        begun = time.process_time()
        near = Graph(reordered(graph.weights, near_order(graph.weights)))
        print(f"{rows} rows, recall {graph.recall:.3f}; the order {time.process_time() - begun:.2f} s")
        names = ("smoothing step", "conjugate gradient step", "factor", "sweep of the factor")
        for name, before, after in zip(names, measure(graph), measure(near), strict=True):
            print(f"| {name} | {1000 * before:.0f} ms | {1000 * after:.0f} ms | {before / after:.1f} |", flush=True)


if __name__ == "__main__":
    main()
