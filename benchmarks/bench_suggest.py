"""Accuracy with 10 and 50 suggested rows, nothing known of the classes, against as many rows drawn at random.

python benchmarks/bench_suggest.py --cache FOLDER [--sets fm_pca ag_minilm digits cl_hog] [--seeds 5]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from confidence_sets import sets

from handful.graph import Graph, knn_graph
from handful.propagation.problem import Problem
from handful.propagation.rules import laplace
from handful.propagation.suggest import suggest_rows


def accuracy(graph: Graph, truth: np.ndarray, rows: np.ndarray) -> float:
    """Return in percent how many of the other rows are right once `rows` are labelled."""
    classes, given = np.unique(truth[rows], return_inverse=True)
    codes = np.full(len(truth), -1, dtype=np.int32)
    codes[rows] = given
    if len(classes) == 1:
        return float(100 * (truth[codes < 0] == classes[0]).mean())
    answer = classes[laplace(Problem(graph, codes, len(classes))).argmax(axis=1)]
    return float(100 * (answer == truth)[codes < 0].mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--sets", nargs="*", default=["fm_pca", "ag_minilm", "digits", "cl_hog"])
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    print("| set, rows | random | suggested | gain |")
    print("|---|---|---|---|")
    for name, _, vectors, classes in sets(options.cache / "sets", options.sets):
        graph = knn_graph(vectors, 10)
        for n in (10, 50):
            found = []
            for seed in range(options.seeds):
                random = np.random.default_rng(seed).choice(len(classes), n, replace=False)
                suggested = suggest_rows(graph, n, seed=seed)
                found.append((accuracy(graph, classes, random), accuracy(graph, classes, suggested)))
            (random, chosen), (spread, chosen_spread) = np.mean(found, axis=0), np.std(found, axis=0)
            cells = f"{random:.1f} ({spread:.1f}) | {chosen:.1f} ({chosen_spread:.1f}) | {chosen - random:+.1f}"
            print(f"| {name}, {n} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
