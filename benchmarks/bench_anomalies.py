"""Odd rows: the ten ODDS tables beside PyOD and scikit-learn, with known outliers, and rows scored per second.

    python benchmarks/bench_anomalies.py tables [--seeds 5] [--rows 8000] [--peers iforest,knn,ecod,autoencoder]
    python benchmarks/bench_anomalies.py known [--seeds 5] [--known 5]
    python benchmarks/bench_anomalies.py speed [--rows 1000000] [--columns 30]

Data: the folder `anomaly` of HANDFUL_DATA (default ../shared/data). Every detector has its defaults, the same for
all tables. PyOD is optional (pip install pyod); what is missing is skipped in one line.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score

import handful

DATA = Path(os.environ.get("HANDFUL_DATA", "../shared/data")) / "anomaly"
Scorer = Callable[[np.ndarray, int], np.ndarray]


def read_tables(rows: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the tables by name, at most `rows` of each, drawn at random with seed 0, and which rows are outliers."""
    found = {}
    for path in sorted(DATA.glob("*.npz")):
        with np.load(path) as arrays:
            X, y = arrays["X"].astype(np.float32), arrays["y"].ravel().astype(int)
        chosen = np.random.default_rng(0).permutation(len(X))[:rows]
        found[path.stem.split("_", 1)[1]] = (X[chosen], y[chosen])
    return found


def score_ours(X: np.ndarray, seed: int) -> np.ndarray:
    """Return our scores, higher for odder."""
    return handful.AnomalyDetector(random_state=seed).fit(X).decision_scores_


def score_forest(X: np.ndarray, seed: int) -> np.ndarray:
    """Return scikit-learn's isolation forest's scores."""
    return -IsolationForest(random_state=seed).fit(X).score_samples(X)


def pyod_scorers(names: list[str]) -> dict[str, Scorer]:
    """Return PyOD's detectors by name, those that draw at random with the seed."""
    try:
        import torch
        from pyod.models.auto_encoder import AutoEncoder
        from pyod.models.ecod import ECOD
        from pyod.models.iforest import IForest
        from pyod.models.knn import KNN
    except ImportError as error:
        print(f"PyOD skipped: {error}")
        return {}
    torch.set_num_threads(1)
    made: dict[str, Callable[[int], object]] = {
        "iforest": lambda seed: IForest(random_state=seed),
        "knn": lambda seed: KNN(),
        "ecod": lambda seed: ECOD(),
        "autoencoder": lambda seed: AutoEncoder(random_state=seed, verbose=0),
    }
    return {f"PyOD {name}": _scorer(made[name]) for name in names}


def _scorer(make: Callable[[int], object]) -> Scorer:
    return lambda X, seed: make(seed).fit(X.astype(np.float64)).decision_scores_  # type: ignore[attr-defined]


def measure_tables(rows: int, seeds: int, peers: list[str]) -> None:
    """Print AUROC and average precision of every detector on every table, mean over the seeds."""
    tables = read_tables(rows)
    scorers: dict[str, Scorer] = {"handful": score_ours, "scikit-learn isolation forest": score_forest}
    scorers |= pyod_scorers(peers)
    print("| detector | " + " | ".join(tables) + " | mean AUROC | mean AP |")
    for name, scorer in scorers.items():
        draws = range(1 if name in ("PyOD knn", "PyOD ecod") else seeds)  # these draw nothing
        judged = np.array(
            [[_judge(y, scorer(X, seed)) for seed in draws] for X, y in tables.values()]
        )  # [table, seed, 2]
        cells = " | ".join(f"{area:.3f}" for area in judged[:, :, 0].mean(1))
        mean, spread = judged.mean((0, 1)), judged.mean(0).std(0)
        means = " | ".join(f"{figure:.4f} ({around:.4f})" for figure, around in zip(mean, spread, strict=True))
        print(f"| {name} | {cells} | {means} |", flush=True)


def measure_known(rows: int, seeds: int, known: int) -> None:
    """Print the same with a few outliers known, on the rows that are not."""
    judged: dict[str, list[tuple[float, float]]] = {"handful": [], "handful, none known": [], "isolation forest": []}
    for X, y in read_tables(rows).values():
        for seed in range(seeds):
            given = np.zeros(len(y), int)
            given[np.random.default_rng(seed).choice(np.flatnonzero(y), known, replace=False)] = 1
            rest = given == 0
            told = handful.AnomalyDetector(random_state=seed).fit(X, given).decision_scores_
            judged["handful"].append(_judge(y[rest], told[rest]))
            judged["handful, none known"].append(_judge(y[rest], score_ours(X, seed)[rest]))
            judged["isolation forest"].append(_judge(y[rest], score_forest(X, seed)[rest]))
    for name, found in judged.items():
        area, precision = np.mean(found, 0)
        print(f"{name}, {known} known: AUROC {area:.4f}, average precision {precision:.4f}", flush=True)


def measure_speed(rows: int, columns: int) -> None:
    """Print rows scored per second of wall time, and the peak memory of reading and scoring a frame."""
    X = np.random.default_rng(0).normal(size=(rows, columns))
    detector = handful.AnomalyDetector().fit(X[:50_000])
    detector.score_samples(X[:10_000])  # compiled
    before = time.perf_counter()
    detector.score_samples(X)
    seconds = time.perf_counter() - before
    print(f"{rows:,} x {columns}: {rows / seconds:,.0f} rows a second scored, {os.cpu_count()} processors")
    before = time.perf_counter()
    detector.fit(X)
    print(f"fitted in {time.perf_counter() - before:.1f} s")
    _measure_frame(X)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"peak memory of the whole {peak:.2f} GiB, of which {X.nbytes / 1024**3:.2f} are the rows made here")


def _measure_frame(X: np.ndarray) -> None:
    try:
        import pandas as pd
    except ImportError:
        print("reading a frame skipped: pandas is not installed")
        return
    frame = pd.DataFrame(X, columns=[f"x{place}" for place in range(X.shape[1])])
    before = time.perf_counter()
    data = handful.read(frame)
    print(f"a frame of {len(data):,} rows read in {time.perf_counter() - before:.1f} s")


def _judge(y: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
    return float(roc_auc_score(y, scores)), float(average_precision_score(y, scores))


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("tables", "known", "speed"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--columns", type=int, default=30)
    parser.add_argument("--known", type=int, default=5)
    parser.add_argument("--peers", default="iforest,knn,ecod,autoencoder")
    asked = parser.parse_args()
    if asked.what == "speed":
        measure_speed(asked.rows or 1_000_000, asked.columns)
    elif not DATA.is_dir():
        print(f"skipped: {DATA} is not there")
    elif asked.what == "known":
        measure_known(asked.rows or 8000, asked.seeds, asked.known)
    else:
        measure_tables(asked.rows or 8000, asked.seeds, [name for name in asked.peers.split(",") if name])


if __name__ == "__main__":
    main()
