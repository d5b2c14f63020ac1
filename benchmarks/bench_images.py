"""Labels from a handful on all 70,000 images of Fashion-MNIST: the whole path, beside GraphLearning and scikit-learn.

    python benchmarks/bench_images.py --out RUN --draws 20
    python benchmarks/bench_images.py --out RUN --method untrained --peer-draws 0 --rules consensus,blend

Needs the Debian package dataset-fashion-mnist; GraphLearning (PyPI `graphlearning`) is run where it is installed.
Draws are stratified: the same rows for everybody; scored on the rows not given. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.semi_supervised import LabelSpreading

import handful
from handful.data import encode_labels
from handful.evaluation.judge import draw_given
from handful.graph import Graph
from handful.propagation.problem import Problem
from handful.propagation.rules import RULES

SOURCE = Path("/usr/share/datasets/fashion-mnist")
Rule = Callable[[np.ndarray], np.ndarray]


def read_all() -> tuple[np.ndarray, np.ndarray]:
    """Return all 70,000 images and their classes."""
    parts = [handful.read(SOURCE / f"{part}-images-idx3-ubyte.gz", "source") for part in ("train", "t10k")]
    images = np.concatenate([np.asarray(part.samples[np.arange(len(part))]) for part in parts])
    return images, np.concatenate([part.labels.classes[part.labels.codes] for part in parts])


def ours(graph: Graph, name: str) -> Rule:
    return lambda codes: RULES[name](Problem(graph, codes, 10)).argmax(1)


def graphlearning(graph: Graph, name: str) -> Rule | None:
    """Return a rule of GraphLearning on the same graph, or None where it is not installed."""
    try:
        import graphlearning
    except ImportError:
        return None
    peers = {
        "laplace": lambda: graphlearning.ssl.laplace(graph.weights),
        "poisson": lambda: graphlearning.ssl.poisson(graph.weights),
        "pwll": lambda: graphlearning.ssl.laplace(graph.weights, reweighting="poisson"),
    }

    def rule(codes: np.ndarray) -> np.ndarray:
        given = np.flatnonzero(codes >= 0)
        return peers[name]().fit_predict(given, codes[given])

    return rule


def scikit_learn(vectors: np.ndarray) -> Rule:
    def rule(codes: np.ndarray) -> np.ndarray:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return LabelSpreading(kernel="knn", n_neighbors=10, n_jobs=2).fit(vectors, codes).transduction_

    return rule


def judge(rule: Rule, truth: np.ndarray, count: int, draws: int) -> str:
    labels, scores = encode_labels(truth), []
    for draw in range(draws):
        codes = np.full(len(truth), -1, np.int32)
        given = draw_given(labels, count, np.random.default_rng([0, count, draw]))
        codes[given] = truth[given]
        hidden = codes < 0
        scores.append(100 * (rule(codes) == truth)[hidden].mean())
    return f"{np.mean(scores):.1f} ({np.std(scores):.1f})"


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--out", required=True)
    arguments.add_argument("--draws", type=int, default=20)
    arguments.add_argument("--peer-draws", type=int, default=5)
    arguments.add_argument("--counts", default="1,2,3,4,5")
    arguments.add_argument("--method", default="auto")
    arguments.add_argument("--epochs", type=int)
    arguments.add_argument("--rules", default="pwll")
    options = arguments.parse_args()
    counts = [int(count) for count in options.counts.split(",")]
    images, truth = read_all()
    first = np.full(len(truth), -1)
    given = draw_given(encode_labels(truth), 1, np.random.default_rng(0))
    first[given] = truth[given]
    began = time.monotonic()
    run = handful.label(handful.read(images, first), out=options.out, method=options.method, epochs=options.epochs)
    print(f"whole path: {(time.monotonic() - began) / 60:.1f} minutes; {run.summary().in_words()}\n", flush=True)
    graph = run.graph
    lines: dict[str, tuple[Rule | None, int]] = {}
    for name in options.rules.split(","):
        lines[f"handful, {name}"] = (ours(graph, name), options.draws)
    for name in ("laplace", "poisson", "pwll"):
        lines[f"GraphLearning, {name}"] = (graphlearning(graph, name), options.peer_draws)
    lines["scikit-learn LabelSpreading(kernel='knn')"] = (scikit_learn(graph.vectors), options.peer_draws)
    print("| method, the same vectors | draws | " + " | ".join(map(str, counts)) + " |")
    print("|---|" + "---|" * (1 + len(counts)))
    for name, (rule, draws) in lines.items():
        if rule is None or not draws:
            print(f"| {name} | {'not installed' if draws else 'not run'} |")
            continue
        print(f"| {name} | {draws} | " + " | ".join(judge(rule, truth, c, draws) for c in counts) + " |", flush=True)


if __name__ == "__main__":
    main()
