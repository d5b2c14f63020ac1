"""How far `auto` is behind the best rule of each draw, and how far each rule would be if it were always taken.

    python benchmarks/bench_regret.py [--labels 1 2 5 10 20] [--draws 3] [--cache FOLDER] [--only digits ag_minilm ...]

The sets are those of confidence_sets, 5,000 rows of each at most. A regret is the points between the best of the rules
in a draw and the one that is judged, both right on the rows that were not given; negative where a blend beats them all.
Means are over sets, each the mean of its draws; the worst is that of a set.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from confidence_sets import sets

from handful.graph import knn_graph
from handful.propagation.choose import choose_rule
from handful.propagation.problem import Problem
from handful.propagation.rules import RULES

RIVALS = ("consensus", "laplace", "pwll", "head_spread", "spread_head", "head")
MOST_ROWS = 5000


def draw_given(classes: np.ndarray, n: int, seed: int) -> np.ndarray | None:
    """Return [N] int32 codes with `n` labels a class, fewer where a class is small; None where they are half of it."""
    if 1.5 * n > np.median(np.bincount(classes)):
        return None
    draw, codes = np.random.default_rng(seed), np.full(len(classes), -1, dtype=np.int32)
    for code in range(classes.max() + 1):
        rows = np.flatnonzero(classes == code)
        codes[draw.choice(rows, min(n, len(rows) - 1), replace=False)] = code
    return codes


def judge(problem: Problem, classes: np.ndarray) -> np.ndarray:
    """Return the points by which `auto`, then each rival, is behind the best rival on the rows not given."""
    hidden = problem.codes < 0
    right = [
        100 * float((scores[hidden].argmax(axis=1) == classes[hidden]).mean())
        for scores in (choose_rule(problem).scores, *(RULES[name](problem) for name in RIVALS))
    ]
    return max(right[1:]) - np.array(right)


def main() -> None:
    """Print a line a set, then the means and the worst."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", type=int, nargs="*", default=[1, 2, 5, 10, 20])
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--only", nargs="*")
    asked = parser.parse_args()
    found: dict[int, list[np.ndarray]] = {n: [] for n in asked.labels}
    for name, _, vectors, classes in sets(asked.cache, asked.only):
        if len(classes) > MOST_ROWS:
            rows = np.sort(np.random.default_rng(0).permutation(len(classes))[:MOST_ROWS])
            vectors, classes = vectors[rows], classes[rows]
        classes = np.unique(classes, return_inverse=True)[1]
        graph = knn_graph(vectors.astype(np.float32))
        for n in asked.labels:
            given = [draw_given(classes, n, seed) for seed in range(asked.draws)]
            judged = [judge(Problem(graph, codes, classes.max() + 1), classes) for codes in given if codes is not None]
            if judged:
                found[n].append(np.mean(judged, axis=0))
                print(f"# {name} at {n}: {np.round(found[n][-1], 1).tolist()}", flush=True)
    print(f"| labels a class | sets | `auto` | {' | '.join(f'always {name}' for name in RIVALS)} |")
    print("|---|---|---" + "|---" * len(RIVALS) + "|")
    for n, rows in found.items():
        table = np.array(rows).reshape(-1, 1 + len(RIVALS))
        cells = [f"{mean:.1f} ({worst:.1f})" for mean, worst in zip(table.mean(0), table.max(0), strict=True)]
        print(f"| {n} | {len(table)} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
