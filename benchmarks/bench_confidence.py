"""Expected calibration error of the confidence at 1, 2, 5, 10 labels a class, on rows not given.

    python benchmarks/bench_confidence.py --cache FOLDER [--sets digits fm_own ...] [--draws 10]

FOLDER holds the sets that confidence_sets.py reads, or is filled with them. Beside the confidence stand the rule's raw
scores, the best single temperature for each draw, found with the truth (an oracle), and luck: how far the accuracy of a
draw lies from the mean of all draws, which is what remains to one who knows the set and not the draw. The four sources
judged here have taught the constants of handful.propagation.learnt nothing. `_own` are the vectors of a run without
training; the others are plain columns, TF-IDF, a sentence encoder and components of pixels.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from confidence_sets import sets

from handful.graph import knn_graph
from handful.propagation import calibrate
from handful.propagation.choose import choose_rule
from handful.propagation.problem import Problem

LABELS = (1, 2, 5, 10)
JUDGED = ("digits_own", "cancer_own", "ag_own", "ag_minilm", "fm_own", "digits", "cancer", "ag_tfidf", "fm_pca")
POWERS = np.geomspace(0.02, 50, 60)


def calibration_error(confidence: np.ndarray, right: np.ndarray, n_bins: int = 15) -> float:
    """Return in points the mean gap between confidence [M] and share right, over bins of equal width."""
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    used = [bins == b for b in np.unique(bins)]
    return 100 * sum(abs(confidence[b].mean() - right[b].mean()) * b.mean() for b in used)


def best_temperature(scores: np.ndarray, right: np.ndarray) -> float:
    """Return the least calibration error that one power of the scores [M, K] reaches."""
    logs = np.log(np.maximum(scores, 1e-12))
    logs -= logs.max(axis=1, keepdims=True)
    return min(calibration_error(1 / np.exp(logs * power).sum(axis=1), right) for power in POWERS)


def covers(probabilities: np.ndarray, truth: np.ndarray, coverage: float = 0.9) -> float:
    """Return the share of rows whose least ambiguous set at `coverage` holds the truth."""
    descending = np.sort(probabilities, axis=None)[::-1]
    last = min(np.searchsorted(np.cumsum(descending), coverage * len(truth)), len(descending) - 1)
    own = probabilities[np.arange(len(truth)), truth]
    return float(((own >= descending[last]) | (probabilities.argmax(axis=1) == truth)).mean())


def judge_draw(problem: Problem, truth: np.ndarray, seed: int) -> tuple[float, ...]:
    """Return ECE, raw ECE, oracle ECE, accuracy and stated accuracy in points; interval and 90 % sets held."""
    choice = choose_rule(problem)
    answer = calibrate.calibrate(problem, choice.scores, choice.judged, seed=seed)
    rows = np.flatnonzero(problem.reached & (problem.codes < 0))
    right = choice.scores[rows].argmax(axis=1) == truth[rows]
    stated = answer.expected_accuracy
    return (
        calibration_error(answer.confidence[rows], right),
        calibration_error(choice.scores[rows].max(axis=1), right),
        best_temperature(choice.scores[rows], right),
        100 * right.mean(),
        100 * stated.value,
        100 * (stated.low <= right.mean() <= stated.high),
        100 * covers(answer.probabilities[rows], truth[rows]),
    )


def draw_labels(classes: np.ndarray, n: int, seed: int) -> np.ndarray:
    rng, codes = np.random.default_rng(seed), np.full(len(classes), -1, dtype=np.int32)
    for code in range(classes.max() + 1):
        rows = np.flatnonzero(classes == code)
        codes[rng.choice(rows, min(n, len(rows) - 1), replace=False)] = code
    return codes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--sets", nargs="*", default=JUDGED)
    parser.add_argument("--draws", type=int, default=10)
    options = parser.parse_args()
    print(
        "| set, labels | ECE | worst draw | raw | oracle | luck | accuracy | stated | interval held | 90 % sets held |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, _, vectors, classes in sets(options.cache / "sets", options.sets):
        graph = knn_graph(vectors, 10)
        for n in LABELS:
            problems = [
                Problem(graph, draw_labels(classes, n, seed), int(classes.max()) + 1) for seed in range(options.draws)
            ]
            found = np.array([judge_draw(problem, classes, seed) for seed, problem in enumerate(problems)])
            luck = np.abs(found[:, 3] - found[:, 3].mean()).mean()
            means = found.mean(axis=0)
            cells = [means[0], found[:, 0].max(), *means[1:3], luck, *means[3:]]
            print(f"| {name}, {n} | " + " | ".join(f"{cell:.1f}" for cell in cells) + " |", flush=True)


if __name__ == "__main__":
    main()
