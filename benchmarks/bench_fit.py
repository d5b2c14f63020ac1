"""LabelSpreading from samples to labels: handful's class beside scikit-learn's, on Fashion-MNIST, 10 labels a class.

    python benchmarks/bench_fit.py [--rows 70000] [--repeats 3]

PCA-64 of the pixels, kernel="knn", n_neighbors=10, else the defaults of each. The two take turns; each repeat draws
other labels. Rows beyond 70,000 are shifted copies of the images with the classes of their originals.
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
from bench_graph import fashion_vectors
from bench_solver import fashion_labels
from sklearn.semi_supervised import LabelSpreading

import handful

PER_CLASS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=70_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    vectors = fashion_vectors(options.rows)
    truth = np.resize(fashion_labels(min(options.rows, 70_000)), options.rows)
    faces = {"handful": handful.LabelSpreading, "scikit-learn": LabelSpreading}
    seconds: dict[str, list[float]] = {name: [] for name in faces}
    right: dict[str, list[float]] = {name: [] for name in faces}
    for seed in range(options.repeats):
        draw = np.random.default_rng(seed)
        given = np.concatenate([draw.choice(np.flatnonzero(truth == c), PER_CLASS, replace=False) for c in range(10)])
        labels = np.full(len(truth), -1)
        labels[given] = truth[given]
        for name, face in faces.items():
            began = time.monotonic()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fitted = face(kernel="knn", n_neighbors=10, n_jobs=2).fit(vectors, labels)
            seconds[name].append(time.monotonic() - began)
            right[name].append(100 * float((fitted.transduction_ == truth)[labels < 0].mean()))
    for name in faces:
        print(
            f"{name}: median {np.median(seconds[name]):.1f} s, {np.mean(right[name]):.1f} ({np.std(right[name]):.1f}) %"
        )
    ratio = np.array(seconds["scikit-learn"]) / np.array(seconds["handful"])
    print(f"times faster: median {np.median(ratio):.1f}, from {ratio.min():.1f} to {ratio.max():.1f}")


if __name__ == "__main__":
    main()
