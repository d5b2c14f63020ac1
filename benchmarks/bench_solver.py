"""Solves on the graph of Fashion-MNIST, 10 classes, residual 1e-6, the graph given: handful beside its peers.

    python benchmarks/bench_solver.py [--rows 70000] [--repeats 5]

Poisson learning beside GraphLearning's conjugate gradients; label spreading, alpha .99, beside the iteration that
scikit-learn's LabelSpreading runs, on the same graph and to the same residual. "new graph" makes the factor, "new
labels" has it. Repeats are interleaved.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable

import numpy as np
from bench_graph import fashion_vectors, read_idx
from scipy import sparse

from handful.graph import Graph, knn_graph
from handful.graph.solver import laplacian, solve_dirichlet, solve_poisson, solve_spreading

TOL = 1e-6
ALPHA = 0.99


def fashion_labels(rows: int) -> np.ndarray:
    labels = read_idx("labels", 8)
    if rows < len(labels):
        return labels[np.random.default_rng(0).choice(len(labels), rows, replace=False)]
    return np.tile(labels, -(-rows // len(labels)))[:rows]


def draw(labels: np.ndarray, seed: int, each: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return `each` rows of every class and their one-hot labels."""
    rng = np.random.default_rng(seed)
    rows = np.concatenate([rng.choice(np.flatnonzero(labels == c), each, replace=False) for c in range(10)])
    return rows, np.eye(10)[labels[rows]]


def sources(labels: np.ndarray, seed: int) -> np.ndarray:
    rows, one_hot = draw(labels, seed)
    B = np.zeros((len(labels), 10))
    B[rows] = one_hot - one_hot.mean(axis=0)
    return B


def graphlearning_poisson(L: sparse.csr_matrix, B: np.ndarray) -> np.ndarray:
    from graphlearning.utils import conjgrad

    return conjgrad(L, B, tol=TOL * np.linalg.norm(B))


def iterate_spreading(S: sparse.csr_matrix, Y: np.ndarray) -> np.ndarray:
    """Return x = alpha S x + Y by the iteration of scikit-learn's LabelSpreading, to the residual asked for."""
    x, limit = Y.copy(), TOL * np.linalg.norm(Y, axis=0)
    while True:
        following = ALPHA * (S @ x) + Y
        if (np.linalg.norm(following - x, axis=0) <= limit).all():
            return following
        x = following


def timed(call: Callable[[], object]) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - processor


def print_table(title: str, figures: dict[str, list[tuple[float, float]]], peer: str) -> None:
    print(f"\n{title}\n\n| solver | seconds | processor seconds | times faster than {peer} |\n|---|---|---|---|")
    base = np.median([f[0] for f in figures[peer]]) if peer in figures else np.nan
    for name, values in figures.items():
        wall, processor = np.median(values, axis=0)
        print(f"| {name} | {wall:.3f} | {processor:.3f} | {base / wall:.1f} |")
    if peer not in figures:
        print(f"| {peer} | not installed | | |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=70_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    labels = fashion_labels(options.rows)
    graph = knn_graph(fashion_vectors(options.rows), 10, approximate=True)
    L = sparse.csr_matrix(laplacian(graph))
    root = sparse.diags_array(1 / np.sqrt(graph.degrees))
    S = sparse.csr_matrix(root @ graph.weights.astype(np.float64) @ root)
    warm = Graph(weights=graph.weights)
    solve_poisson(warm, sources(labels, 99))
    solve_spreading(warm, sources(labels, 99), ALPHA)
    poisson: dict[str, list[tuple[float, float]]] = {}
    spreading: dict[str, list[tuple[float, float]]] = {}
    more: dict[str, list[tuple[float, float]]] = {}
    for seed in range(options.repeats):
        B, cold = sources(labels, seed), Graph(weights=graph.weights)
        Y = np.maximum(B, 0)
        _ = (cold.system.degrees, cold.system.components)
        poisson.setdefault("handful, new graph", []).append(timed(lambda B=B, g=cold: solve_poisson(g, B, tol=TOL)))
        poisson.setdefault("handful, new labels", []).append(timed(lambda B=B: solve_poisson(warm, B, tol=TOL)))
        if importlib.util.find_spec("graphlearning"):
            call = lambda B=B: graphlearning_poisson(L, B)  # noqa: E731
            poisson.setdefault("GraphLearning", []).append(timed(call))
        call = lambda Y=Y, g=cold: solve_spreading(g, Y, ALPHA, tol=TOL)  # noqa: E731
        spreading.setdefault("handful, new graph", []).append(timed(call))
        call = lambda Y=Y: solve_spreading(warm, Y, ALPHA, tol=TOL)  # noqa: E731
        spreading.setdefault("handful, new labels", []).append(timed(call))
        spreading.setdefault("scikit-learn's iteration", []).append(timed(lambda Y=Y: iterate_spreading(S, Y)))
        rows, one_hot = draw(labels, seed, 5)
        before = solve_dirichlet(warm, rows[:-1], one_hot[:-1], tol=TOL)
        call = lambda r=rows, v=one_hot: solve_dirichlet(warm, r, v, tol=TOL)  # noqa: E731
        more.setdefault("from zero", []).append(timed(call))
        call = lambda r=rows, v=one_hot, x=before.x: solve_dirichlet(warm, r, v, x0=x, tol=TOL)  # noqa: E731
        more.setdefault("warm start", []).append(timed(call))
    print(f"{options.rows} nodes, {graph.weights.nnz} entries, medians of {options.repeats} interleaved repeats")
    print_table("Poisson learning, residual 1e-6", poisson, "GraphLearning")
    print_table("Label spreading, alpha .99, residual 1e-6", spreading, "scikit-learn's iteration")
    print_table("Laplace learning, one label after 49", more, "from zero")


if __name__ == "__main__":
    main()
