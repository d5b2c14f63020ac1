"""Rules on the same graph and the same labels: handful beside GraphLearning and scikit-learn, paired over draws.

    python benchmarks/bench_rules.py [--draws 100] [--counts 1,5] [--rows 70000]

Fashion-MNIST, PCA-64 of the pixels, 10-nearest-neighbour graph (approximate search above 20,000 rows, its recall is
printed). Rules with class priors are told that all classes are equally large. Every rule sees each draw; the last
column is the paired difference to handful's rule of the same kind, with its standard error. The table is printed
after each fifth draw, so that a run that is cut short has its figures.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable

import numpy as np
from bench_graph import fashion_vectors
from bench_solver import fashion_labels

from handful.data import encode_labels
from handful.evaluation.judge import draw_given
from handful.graph import Graph, knn_graph
from handful.propagation.problem import Problem
from handful.propagation.rules import RULES

Rule = Callable[[np.ndarray], np.ndarray]
OURS, OURS_WITH_PRIORS = "handful blend", "handful consensus, priors"


def rules_on(graph: Graph, n_classes: int) -> dict[str, Rule]:
    """Return every rule by name: from codes [N] to codes [N]."""
    even = np.full(n_classes, 1 / n_classes)
    found: dict[str, Rule] = {
        OURS: lambda codes: RULES["blend"](Problem(graph, codes, n_classes)).argmax(1),
        "handful PWLL": lambda codes: RULES["pwll"](Problem(graph, codes, n_classes)).argmax(1),
        OURS_WITH_PRIORS: lambda codes: RULES["consensus"](Problem(graph, codes, n_classes, even)).argmax(1),
    }
    try:
        import graphlearning
    except ImportError:
        print("GraphLearning skipped: pip install graphlearning")
        return found
    weights = graph.weights.astype(np.float64)

    def theirs(make: Callable[[], object]) -> Rule:
        def rule(codes: np.ndarray) -> np.ndarray:
            given = np.flatnonzero(codes >= 0)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return make().fit_predict(given, codes[given])  # type: ignore[attr-defined]

        return rule

    ssl = graphlearning.ssl
    found["GraphLearning Poisson"] = theirs(lambda: ssl.poisson(weights))
    found["GraphLearning PWLL"] = theirs(lambda: ssl.laplace(weights, reweighting="poisson"))
    found["GraphLearning PoissonMBO, priors"] = theirs(lambda: ssl.poisson_mbo(weights, even))
    return found


def in_words(count: int, right: dict[str, list[float]]) -> str:
    lines = []
    for name, shares in right.items():
        gap = 100 * (np.array(right[OURS_WITH_PRIORS if "priors" in name else OURS]) - shares)
        error = gap.std(ddof=1) / len(gap) ** 0.5 if len(gap) > 1 else np.nan
        score = f"{100 * np.mean(shares):.1f} ({100 * np.std(shares):.1f})"
        lines.append(f"| {name} | {count} | {len(shares)} | {score} | {gap.mean():+.1f} ({error:.1f}) |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--counts", default="1,5")
    parser.add_argument("--rows", type=int, default=70_000)
    options = parser.parse_args()
    graph = knn_graph(fashion_vectors(options.rows), 10, approximate=options.rows > 20_000)
    truth = fashion_labels(options.rows)
    labels, rules = encode_labels(truth), rules_on(graph, int(truth.max()) + 1)
    print(f"{len(graph)} rows, recall of the lists {graph.recall:.3f}")
    for count in map(int, options.counts.split(",")):
        right: dict[str, list[float]] = {name: [] for name in rules}
        for draw in range(options.draws):
            codes = np.full(len(truth), -1, np.int32)
            given = draw_given(labels, count, np.random.default_rng([0, count, draw]))
            codes[given] = truth[given]
            for name, rule in rules.items():
                right[name].append(float((rule(codes) == truth)[codes < 0].mean()))
            if (draw + 1) % 5 == 0 or draw + 1 == options.draws:
                print(in_words(count, right), flush=True)


if __name__ == "__main__":
    main()
