"""Series: frozen encoders and a classifier on all labels, labels from one and five a class, and forecasts of ETTh1.

    python benchmarks/bench_series.py labels [--sets GunPoint ArrowHead] [--methods simclr] [--seeds 1]
    python benchmarks/bench_series.py peers [--sets ...] [--seeds 2]
    python benchmarks/bench_series.py few [--sets ...] [--draws 5]
    python benchmarks/bench_series.py forecast [--epochs 5] [--window 720] [--every 1]

Data: the UCR and UEA sets inside the package aeon (pip install --no-deps aeon; `peers` and `few` import it), ETTh1.csv
from HANDFUL_DATA (default ../shared/data). What is missing is skipped in one line. Encoders see the unlabelled series
of both parts, as labels are spread over both; classifiers are fitted on the training part and judged on the test part.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import RidgeClassifierCV
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import handful
from handful.propagation.fuse import fuse
from handful.tasks.forecast import find_forecaster, roll_out
from handful.training.embed import pooled_vectors

DATA = Path(os.environ.get("HANDFUL_DATA", "../shared/data"))
SETS = (
    *("ArrowHead", "GunPoint", "ItalyPowerDemand", "BasicMotions", "JapaneseVowels", "ACSF1"),
    *("OSULeaf", "PickupGestureWiimoteZ"),
)
FLOORS = ("pca", "kernels", "quantiles")


def find_sets() -> Path | None:
    """Return the folder of the sets inside aeon, None where it is not installed."""
    given = os.environ.get("AEON_DATA")
    if given:
        return Path(given)
    found = importlib.util.find_spec("aeon")
    if found is None or found.origin is None:
        print("UCR sets skipped: pip install --no-deps aeon")
        return None
    return Path(found.origin).parent / "datasets" / "data"


def read_set(folder: Path, name: str) -> tuple[handful.Dataset, np.ndarray, np.ndarray]:
    """Return a set, both parts one after the other, its class numbers and which rows are for training."""
    with tempfile.TemporaryDirectory() as both:
        for part in ("TRAIN", "TEST"):
            (Path(both) / f"{name}_{part}.ts").symlink_to(folder / name / f"{name}_{part}.ts")
        data = handful.read(both, "source", "series")
    assert data.labels is not None
    train = np.char.find(data.ids.astype(str), "_TRAIN.") >= 0
    return data.with_labels(None), data.labels.codes, train


def classify(vectors: np.ndarray, classes: np.ndarray, train: np.ndarray, *, linear: bool) -> float:
    """Return the accuracy on the test part: of ridge regression, or of an SVM whose C is found by cross-validation."""
    if linear:
        model = make_pipeline(StandardScaler(), RidgeClassifierCV(np.logspace(-3, 3, 10)))
    else:
        folds = int(min(5, np.bincount(classes[train]).min()))
        grid = {"svc__C": np.logspace(-2, 4, 7)}
        model = make_pipeline(StandardScaler(), SVC())
        model = GridSearchCV(model, grid, cv=folds) if folds > 1 else model.set_params(svc__C=10.0)
    return 100 * float(model.fit(vectors[train], classes[train]).score(vectors[~train], classes[~train]))


def spread(blocks: list[np.ndarray], classes: np.ndarray, per_class: int, draws: int) -> tuple[float, float]:
    """Return mean and spread of the accuracy on the rows that were not given, labels spread over all rows."""
    neighbours = min(10, len(classes) // 4)
    if len(blocks) > 1:
        graph = fuse(blocks, n_neighbors=neighbours, seed=0)
    else:
        graph = handful.knn_graph(blocks[0], n_neighbors=neighbours)
    right = []
    for seed in range(draws):
        labels = draw_labels(classes, per_class, seed)
        found = np.asarray(handful.propagate(graph, labels).labels)
        right.append(100 * np.mean(found[labels == -1] == classes[labels == -1]))
    return float(np.mean(right)), float(np.std(right))


def measure_labels(names: list[str], methods: list[str], seeds: int, draws: int, epochs: int | None) -> None:
    """Print a line for each set and encoder: accuracy with all labels, with 1 and 5 a class, seconds of training."""
    folder = find_sets()
    if folder is None:
        return
    for name in names:
        data, classes, train = read_set(folder, name)
        floors = {floor: handful.pretrain(data, floor) for floor in FLOORS}
        embedded = {floor: encoder.embed(data).vectors for floor, encoder in floors.items()}
        for floor, encoder in floors.items():
            raw = pooled_vectors(encoder.networks[floor], encoder.modality, data.samples, np.arange(len(data)))
            report(name, floor, raw, [embedded[floor]], classes, train, draws, linear=floor != "pca")
        print(name, "side by side:", *(spread([*embedded.values()], classes, k, draws) for k in (1, 5)), flush=True)
        for method in methods:
            for seed in range(seeds):
                began = time.process_time()
                encoder = handful.pretrain(data, method, seed=seed, epochs=epochs)
                seconds = time.process_time() - began
                vectors = encoder.embed(data).vectors
                raw = pooled_vectors(encoder.networks[method], encoder.modality, data.samples, np.arange(len(data)))
                report(name, f"{method}/{seed} {seconds:.0f}s", raw, [vectors], classes, train, draws)
                fused = (spread([*embedded.values(), vectors], classes, k, draws) for k in (1, 5))
                print(name, method, "beside both floors:", *fused, flush=True)


def measure_peers(names: list[str], seeds: int) -> None:
    """Print for each set the accuracy with all labels of MiniRocket (aeon) and ridge regression, and of raw 1-NN.

    Shorter series are filled up with their last value, which aeon needs; 1-NN compares them so too.
    """
    folder = find_sets()
    try:
        from aeon.transformations.collection.convolution_based import MiniRocket
    except ImportError as error:
        print(f"skipped: aeon cannot be imported ({error})")
        return
    for name in names if folder is not None else ():
        data, classes, train = read_set(folder, name)
        filled = fill(data.samples[:])
        right = []
        for seed in range(seeds):
            made = MiniRocket(random_state=seed, n_jobs=1).fit(filled[train])
            right.append(classify(np.asarray(made.transform(filled)), classes, train, linear=True))
        nearest = KNeighborsClassifier(1).fit(filled[train].reshape(train.sum(), -1), classes[train])
        raw = 100 * nearest.score(filled[~train].reshape((~train).sum(), -1), classes[~train])
        print(f"{name}: MiniRocket {np.mean(right):.1f} ({np.std(right):.1f}); raw 1-NN {raw:.1f}", flush=True)


def measure_few(names: list[str], draws: int) -> None:
    """Print for each set the accuracy on the rows not given, of 1 and 5 labels a class: handful and others.

    Peers, on the same labels: MiniRocket (aeon) with scikit-learn's LabelSpreading on 10 neighbours and with ridge
    regression; the nearest given series by Euclid and by dynamic time warping within a tenth of the length.
    """
    from aeon.distances import dtw_pairwise_distance
    from aeon.transformations.collection.convolution_based import MiniRocket
    from sklearn.metrics import pairwise_distances
    from sklearn.semi_supervised import LabelSpreading

    folder = find_sets()
    found: dict[tuple[str, int], list[float]] = {}
    for name in names if folder is not None else ():
        data, classes, _ = read_set(folder, name)
        filled = fill(data.samples[:])
        vectors = handful.pretrain(data).embed(data).vectors
        graph = handful.knn_graph(vectors, n_neighbors=min(10, len(classes) // 4))
        rocket = StandardScaler().fit_transform(MiniRocket(random_state=0, n_jobs=1).fit_transform(filled))
        far = {
            "Euclid": pairwise_distances(filled.reshape(len(filled), -1)),
            "DTW": dtw_pairwise_distance(filled, window=0.1),
        }
        for per_class in (1, 5):
            right: dict[str, list[float]] = {}
            for seed in range(draws):
                labels = draw_labels(classes, per_class, seed)
                given = np.flatnonzero(labels >= 0)
                spreading = LabelSpreading(kernel="knn", n_neighbors=min(10, len(classes) // 4), max_iter=200)
                ridge = RidgeClassifierCV(np.logspace(-3, 3, 10)).fit(rocket[given], classes[given])
                guesses = {
                    "handful": np.asarray(handful.propagate(graph, labels).labels),
                    "MiniRocket, spreading": spreading.fit(rocket, labels).transduction_,
                    "MiniRocket, ridge": ridge.predict(rocket),
                    **{way: classes[given[away[:, given].argmin(1)]] for way, away in far.items()},
                }
                for way, guess in guesses.items():
                    right.setdefault(way, []).append(100 * np.mean(guess[labels < 0] == classes[labels < 0]))
            for way, shares in right.items():
                found.setdefault((way, per_class), []).append(float(np.mean(shares)))
            told = "; ".join(f"{way} {np.mean(shares):.1f} ({np.std(shares):.1f})" for way, shares in right.items())
            print(f"{name}, {per_class} a class: {told}", flush=True)
    for (way, per_class), means in found.items():
        print(f"mean of {len(means)} sets, {per_class} a class: {way} {np.mean(means):.1f}")


def draw_labels(classes: np.ndarray, per_class: int, seed: int) -> np.ndarray:
    """Return the class numbers of so many rows of each class, -1 elsewhere."""
    draw = np.random.default_rng(seed)
    labels = np.full(len(classes), -1)
    for code in np.unique(classes):
        labels[draw.choice(np.flatnonzero(classes == code), per_class, replace=False)] = code
    return labels


def fill(series: list[np.ndarray]) -> np.ndarray:
    """Return series [T, C] as [n, C, T], shorter ones filled up with their last value."""
    longest = max(9, *map(len, series))
    return np.stack([np.pad(one, ((0, longest - len(one)), (0, 0)), mode="edge").T for one in series])


def report(
    name: str,
    encoder: str,
    raw: np.ndarray,
    blocks: list[np.ndarray],
    classes: np.ndarray,
    train: np.ndarray,
    draws: int,
    *,
    linear: bool = False,
) -> None:
    """Print one line."""
    whole = classify(raw, classes, train, linear=linear)
    few = " ".join("{:.1f} ({:.1f})".format(*spread(blocks, classes, k, draws)) for k in (1, 5))
    print(f"{name} {encoder}: all labels {whole:.1f}; 1 and 5 a class {few}", flush=True)


def measure_forecast(epochs: int, horizons: list[int], window: int, every: int) -> None:
    """Print the mean squared error on the standardised test months of ETTh1, and how often the interval holds."""
    path = DATA / "ETTh1.csv"
    if not path.is_file():
        print(f"skipped: {path} is not there")
        return
    table = np.loadtxt(path, delimiter=",", skiprows=1, usecols=range(1, 8))
    begin = 12 * 30 * 24
    table = (table[: begin + 8 * 30 * 24] - table[:begin].mean(0)) / table[:begin].std(0)
    began = time.process_time()
    data = handful.read(cut(table[:begin], window, 24), modality="series")
    encoder = handful.pretrain(data, "forecast", epochs=epochs)
    print(f"read and trained in {time.process_time() - began:.0f} s of one processor", flush=True)
    test = begin + 4 * 30 * 24
    for steps in horizons:
        known = handful.read(cut(table[begin - window : test], window + steps, 24), modality="series")
        seen, truth = origins(table[test - window :], window, steps, every)
        found = handful.forecast(encoder, known_series(seen), steps=steps, known=known)
        last = np.stack([one[-1:] for one in seen])
        day = np.stack([np.resize(one[-24:], (steps, one.shape[1])) for one in seen])
        inside = np.mean((truth >= found.low) & (truth <= found.high))
        told = {"": found.values, "the last value ": last, "the last day ": day}
        forecaster = find_forecaster(encoder)
        if epochs:
            told["the network "] = roll_out(encoder, forecaster, seen, steps)
        errors = "; ".join(f"{name}{np.mean((guess - truth) ** 2):.3f}" for name, guess in told.items())
        print(f"ETTh1, {steps} steps: MSE {errors}; {inside:.1%} within the interval of 90 %", flush=True)


def cut(table: np.ndarray, window: int, stride: int) -> np.ndarray:
    """Return the windows of a table [T, C] as [n, C, window]."""
    return np.stack([table[at : at + window].T for at in range(0, len(table) - window + 1, stride)])


def origins(table: np.ndarray, window: int, steps: int, every: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Return windows [window, C], one every so many steps, and the `steps` values after each."""
    at = range(window, len(table) - steps + 1, every)
    return [table[a - window : a] for a in at], np.stack([table[a : a + steps] for a in at])


def known_series(series: list[np.ndarray]) -> handful.Dataset:
    """Return windows as the data set that reading them gives."""
    return handful.read(np.stack([one.T for one in series]), modality="series")


def main() -> None:
    """Run what the command line asks for, on one thread."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("labels", "peers", "few", "forecast"))
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--methods", nargs="*", default=["simclr"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--steps", type=int, nargs="+", default=[24, 48, 168, 336, 720])
    parser.add_argument("--window", type=int, default=720)
    parser.add_argument("--every", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.what == "labels":
        measure_labels(asked.sets, asked.methods, asked.seeds, asked.draws, asked.epochs)
    elif asked.what == "peers":
        measure_peers(asked.sets, asked.seeds)
    elif asked.what == "few":
        measure_few(asked.sets, asked.draws)
    else:
        measure_forecast(asked.epochs or 0, asked.steps, asked.window, asked.every)


if __name__ == "__main__":
    main()
