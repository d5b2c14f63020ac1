"""Regret of the guide: the advised method against the best of all, on real data of six kinds.

    HANDFUL_DATA=FOLDER HANDFUL_PACKAGES=FOLDER python benchmarks/bench_advise.py --out advise.json
    python benchmarks/bench_advise.py --show advise.json

Every candidate has the same processor seconds on the same rows; then labels are drawn, five a class, spread over its
graph, and scored on the rest, in %. Advised: the method that `handful advise` names without trials, and the one that
trials with the given labels put first, anew in each draw. Regret: points behind the candidate with the best mean over
the draws of a set (the oracle). Always the same: the mean regret of each candidate that every kind has. At random: the
mean over the candidates. Sets that are not at hand are skipped and named.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import datasets

import handful
from handful.data import Dataset, Labels, encode_labels
from handful.evaluation.judge import draw_given
from handful.guide.advice import advise
from handful.guide.trials import Trial, judge_trials, rank_trials
from handful.modalities.registry import make_modality
from handful.run.steps import link
from handful.training.embed import Embeddings

DATA = Path(os.environ.get("HANDFUL_DATA", "../shared/data"))
PACKAGES = Path(os.environ.get("HANDFUL_PACKAGES", ""))
FASHION = Path("/usr/share/datasets/fashion-mnist")
PER_CLASS, RULE, MOST_EPOCHS = 5, "auto", 60
COMMON = ("untrained", "autoencoder", "masked", "simclr", "auto")
Set = tuple[Any, np.ndarray, dict[str, Any]]  # what `read` takes, the classes, settings of `read`


def some(source: Any, truth: np.ndarray, rows: int, **settings: Any) -> Set:
    """Return at most `rows` of an array or list at random, the same each time, of classes with enough to judge."""
    chosen = np.sort(np.random.default_rng(0).permutation(len(truth))[:rows])
    names, counts = np.unique(truth[chosen], return_counts=True)
    chosen = chosen[np.isin(truth[chosen], names[counts >= 2 * PER_CLASS])]
    picked = source[chosen] if isinstance(source, np.ndarray) else [source[row] for row in chosen]
    return picked, truth[chosen], settings


def digits(rows: int) -> Set:
    bunch = datasets.load_digits()
    return some((bunch.images * (255 / 16)).astype(np.uint8), bunch.target, rows)


def fashion(rows: int) -> Set:
    data = handful.read(FASHION / "t10k-images-idx3-ubyte.gz", "source")
    return some(np.asarray(data.samples[np.arange(len(data))]), data.labels.classes[data.labels.codes], rows)


def clothing(rows: int) -> Set:
    import tarfile
    import tempfile

    folder = Path(tempfile.mkdtemp())
    with tarfile.open(DATA / "clothing96.tar") as archive:
        archive.extractall(folder, filter="data")
    paths = sorted((folder / "clothing96" / "train").glob("*/*.jpg"))
    return some([str(path) for path in paths], np.array([path.parent.name for path in paths]), rows, size=48)


def news(rows: int) -> Set:
    import csv

    with (DATA / "ag_news_test.csv").open() as file:
        lines = [(line[0], f"{line[1]}. {line[2]}") for line in csv.reader(file) if line[0].isdigit()]
    return some([text for _, text in lines], np.array([code for code, _ in lines]), rows)


def reuters(rows: int) -> Set:
    path = PACKAGES / "orangecontrib" / "text" / "datasets" / "reuters-r8-test.tab"
    lines = [line.split("\t") for line in path.read_text(errors="replace").splitlines()[3:]]
    lines = [line for line in lines if len(line) >= 2]
    names, texts = (np.array([line[at] for line in lines]) for at in (0, 1))
    if len(set(names.tolist())) > len(set(texts.tolist())):
        names, texts = texts, names
    return some(texts.tolist(), names, rows)


def esc10(rows: int) -> Set:
    import tarfile
    import tempfile

    folder = Path(tempfile.mkdtemp())
    with tarfile.open(DATA / "esc10.tar") as archive:
        archive.extractall(folder, filter="data")
    paths = sorted(folder.rglob("*.ogg"))
    return some([str(path) for path in paths], np.array([path.parent.name for path in paths]), rows)


def archive_series(name: str) -> Callable[[int], Set]:
    def load(rows: int) -> Set:
        import sys

        sys.path.append(str(PACKAGES))
        from aeon.datasets import load_classification

        series, truth = load_classification(name)
        return some(np.asarray(series, dtype=np.float32), np.asarray(truth), rows, modality="series")

    return load


def cells(loader: Callable[[], Any]) -> Callable[[int], Set]:
    return lambda rows: some((bunch := loader()).data, bunch.target, rows)


def clips(rows: int) -> Set:
    from handful.guide.demos import make_demo

    demo = make_demo("video", Path())
    return some(demo.source, demo.truth, rows)


SETS: dict[str, Callable[[int], Set]] = {
    "digits": digits,
    "fashion": fashion,
    "clothing96": clothing,
    "ag-news": news,
    "reuters-r8": reuters,
    "esc10": esc10,
    "GunPoint": archive_series("GunPoint"),
    "ItalyPowerDemand": archive_series("ItalyPowerDemand"),
    "wine": cells(datasets.load_wine),
    "cancer": cells(datasets.load_breast_cancer),
    "clips": clips,
}


def train_for(data: Dataset, method: str, seconds: float) -> tuple[int, Embeddings]:
    """Return the epochs that fit into so many processor seconds, one at least, and the embeddings."""
    began = time.process_time()
    encoder = handful.pretrain(data, method, epochs=1)
    took = time.process_time() - began
    if not encoder.record["history"]:
        return 0, encoder.embed(data)
    epochs = int(np.clip(seconds / took, 1, MOST_EPOCHS))
    if epochs > 1:
        encoder = handful.pretrain(data, method, epochs=epochs)
    return epochs, encoder.embed(data)


def candidates(data: Dataset) -> list[str]:
    """Return what is tried: floors, one method a family, all floors side by side, and `auto`."""
    modality = make_modality(data.modality, data.settings)
    modality = modality.adapt(data.samples) if hasattr(modality, "adapt") else modality
    names = [*modality.floors(), "autoencoder", "masked", "simclr", *(["cpc"] if modality.order is not None else [])]
    return list(dict.fromkeys([*names, "untrained", "auto"]))


def judge(name: str, rows: int, seconds: float, draws: int) -> dict[str, Any]:
    """Return the accuracy in % of each candidate in each draw, and what was advised."""
    source, truth, settings = SETS[name](rows)
    data = handful.read(source, **settings)
    truth = np.asarray(truth)[: len(data)]
    labels, made, epochs = encode_labels(truth), {}, {}
    for method in candidates(data):
        try:
            epochs[method], made[method] = train_for(data, method, seconds)
        except handful.errors.InputError as error:
            print(f"{name}: {method} left out: {error}", flush=True)
    graphs = {method: link(found, n_neighbors=10) for method, found in made.items()}
    scores: dict[str, list[float]] = {method: [] for method in made}
    measured = []
    for draw in range(draws):
        codes = np.full(len(truth), -1, np.int32)
        given = draw_given(labels, PER_CLASS, np.random.default_rng([0, PER_CLASS, draw]))
        codes[given] = labels.codes[given]
        told = Labels(labels.classes, codes)
        for method, graph in graphs.items():
            answer = handful.propagate(graph, told, RULE, seed=draw)
            hit = answer.probabilities.argmax(1) == labels.codes
            scores[method].append(100 * float((hit & answer.reached)[codes < 0].mean()))
        trials = [Trial(method, epochs[method], 0.0) for method in made]
        measured.append(rank_trials(judge_trials(trials, made, told, seed=draw))[0].method)
    signs = advise(data).method
    return {
        "set": name,
        "kind": data.modality,
        "rows": len(data),
        "scores": scores,
        "signs": signs,
        "measured": measured,
    }


def regrets(found: dict[str, Any]) -> dict[str, float]:
    """Return the points that each way of choosing is behind the oracle on one set."""
    means = {method: float(np.mean(scores)) for method, scores in found["scores"].items()}
    best = max(means.values())
    chosen = [found["scores"][method][draw] for draw, method in enumerate(found["measured"])]
    ways = {"advised, no trials": means[found["signs"]], "advised, measured": float(np.mean(chosen))}
    ways |= {f"always {name}": means[name] for name in COMMON if name in means}
    ways["at random"] = float(np.mean(list(means.values())))
    return {way: best - score for way, score in ways.items()}


def show(found: list[dict[str, Any]]) -> None:
    """Print the accuracy of the candidates by set, and the mean regret of each way of choosing."""
    for one in found:
        means = {method: f"{np.mean(scores):.1f}" for method, scores in one["scores"].items()}
        print(f"{one['set']} ({one['kind']}, {one['rows']}): {means}; measured {one['measured']}")
    print("| way | mean regret | worst |\n|---|---|---|")
    by_set = [regrets(one) for one in found]
    for way in by_set[0]:
        points = [one[way] for one in by_set if way in one]
        print(f"| {way} | {np.mean(points):.1f} | {np.max(points):.1f} |")


def main() -> None:
    """Judge the sets and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--show", type=Path, help="Print what an earlier run wrote.")
    chosen = parser.parse_args()
    if chosen.show is not None:
        show([json.loads(line) for line in chosen.show.read_text().splitlines()])
        return
    found = []
    for name in chosen.sets.split(","):
        try:
            found.append(judge(name, chosen.rows, chosen.seconds, chosen.draws))
        except (FileNotFoundError, ImportError) as error:
            print(f"{name} skipped: {error}", flush=True)
            continue
        if chosen.out is not None:
            with chosen.out.open("a") as file:
                file.write(json.dumps(found[-1]) + "\n")
    show(found)


if __name__ == "__main__":
    main()
