"""Sounds: spoken digits with one speaker left out, environmental sounds by folds, labels from one and five a class.

    python benchmarks/bench_sound.py digits [--methods cpc simclr] [--epochs 12] [--batch-size 64] [--seeds 1]
    python benchmarks/bench_sound.py scenes [--methods simclr]
    python benchmarks/bench_sound.py tracks --music FOLDER [--methods simclr]
    python benchmarks/bench_sound.py instruments --soundfont FILE.sf2 [--methods simclr]

Data: fsdd.tar.gz and esc10.tar from HANDFUL_DATA (default ../shared/data); FOLDER holds pieces of music (Debian's
hedgewars-data), FILE.sf2 the notes of instruments (fluid-soundfont-gm). What is missing is skipped in one line.
Encoders are trained here on the unlabelled sounds, all of them, as labels are spread over all of them; "linear" is
ridge regression on the frozen vectors, its strength found on the training part.
"""

from __future__ import annotations

import argparse
import os
import tarfile
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression, RidgeClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from soundfont import read_samples

import handful
from handful.modalities.audio_files import encode_wav
from handful.propagation.fuse import fuse
from handful.training.embed import pooled_vectors

DATA = Path(os.environ.get("HANDFUL_DATA", "../shared/data"))
FLOORS = ("pca", "mfcc", "kernels")


def unpack(name: str, folder: str) -> bool:
    """Unpack an archive of the data folder; tell where it is not there."""
    if not (DATA / name).is_file():
        print(f"skipped: {DATA / name} is not there")
        return False
    with tarfile.open(DATA / name) as archive:
        archive.extractall(folder, filter="data")
    return True


def linear(vectors: np.ndarray, classes: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    """Return mean and spread of the accuracy on each group, fitted on the others."""
    right = []
    for group in np.unique(groups):
        out = groups == group
        model = make_pipeline(StandardScaler(), RidgeClassifierCV(np.logspace(0, 5, 11)))
        right.append(100 * float(model.fit(vectors[~out], classes[~out]).score(vectors[out], classes[out])))
    return float(np.mean(right)), float(np.std(right))


def spread(blocks: list[np.ndarray], classes: np.ndarray, per_class: int, draws: int) -> tuple[float, float]:
    """Return mean and spread of the accuracy on the rows that were not given, labels spread over all rows."""
    graph = fuse(blocks, n_neighbors=10, seed=0) if len(blocks) > 1 else handful.knn_graph(blocks[0])
    right = []
    for seed in range(draws):
        draw = np.random.default_rng(seed)
        labels = np.full(len(classes), -1)
        for code in np.unique(classes):
            labels[draw.choice(np.flatnonzero(classes == code), per_class, replace=False)] = code
        found = np.asarray(handful.propagate(graph, labels).labels)
        right.append(100 * np.mean(found[labels == -1] == classes[labels == -1]))
    return float(np.mean(right)), float(np.std(right))


def measure(
    data: handful.Dataset, classes: np.ndarray, groups: np.ndarray, asked: argparse.Namespace, *, also: str = ""
) -> None:
    """Print a line for each encoder: linear over groups, 1 and 5 a class, alone and beside the untrained ones.

    Each method's network is judged before its training ("/0 not trained") and after it, for each seed.
    also: what the groups are called, where they are worth telling apart themselves.
    """
    rows = np.arange(len(data))
    embedded: dict[str, np.ndarray] = {}
    trainings = [(method, seed) for method in asked.methods for seed in range(asked.seeds)]
    untrained = [(f"{method}/{seed} not trained", method, seed, 0) for method, seed in trainings]
    trained = [(f"{method}/{seed}", method, seed, asked.epochs) for method, seed in trainings]
    floors = [(f"{floor}/0", floor, 0, None) for floor in FLOORS]
    for told_name, name, seed, epochs in [*floors, *untrained, *trained]:
        began = time.process_time()
        encoder = handful.pretrain(data, name, epochs=epochs, batch_size=asked.batch_size, seed=seed)
        seconds = time.process_time() - began
        raw = pooled_vectors(encoder.networks[name], encoder.modality, data.samples, rows)
        embedded[told_name] = encoder.embed(data).vectors
        told = "{:.1f} ({:.1f})".format(*linear(raw, classes, groups))
        if also:
            halves = np.arange(len(groups)) % 5
            told += f"; {also} " + "{:.1f} ({:.1f})".format(
                *linear(raw, np.unique(groups, return_inverse=True)[1], halves)
            )
        few = [[embedded[told_name]]]
        if name not in FLOORS[:-1] and epochs != 0:  # the last floor beside the others is `auto`
            few.append([embedded[f"{floor}/0"] for floor in FLOORS[1:] if floor != name] + few[0])
        lines = [" ".join("{:.1f} ({:.1f})".format(*spread(b, classes, k, asked.draws)) for k in (1, 5)) for b in few]
        print(
            f"{told_name}, {seconds:.0f} s: linear {told}; 1 and 5 a class {'; beside mfcc and kernels '.join(lines)}",
            flush=True,
        )


def measure_digits(asked: argparse.Namespace) -> None:
    """Spoken digits: groups are the six speakers."""
    with tempfile.TemporaryDirectory() as folder:
        if not unpack("fsdd.tar.gz", folder):
            return
        data = handful.read(Path(folder) / "recordings")
        digit = np.array([int(name[0]) for name in data.ids])
        speaker = np.array([name.split("_")[1] for name in data.ids])
        measure(data, digit, speaker, asked, also="speaker")


def measure_scenes(asked: argparse.Namespace) -> None:
    """ESC-10: groups are the five folds."""
    with tempfile.TemporaryDirectory() as folder:
        if not unpack("esc10.tar", folder):
            return
        data = handful.read(folder)
        classes = np.unique([name.split("/")[-2] for name in data.ids], return_inverse=True)[1]
        folds = np.array([name.split("/")[-1].split("-")[0] for name in data.ids])
        measure(data, classes, folds, asked)


def measure_instruments(asked: argparse.Namespace) -> None:
    """Notes of instruments: ten of each family for training, the others judged; also 1 and 5 a family."""
    if asked.soundfont is None or not Path(asked.soundfont).is_file():
        print("skipped: give --soundfont FILE.sf2")
        return
    waves, rates, families, _ = read_samples(Path(asked.soundfont))
    names, counts = np.unique(families, return_counts=True)
    kept = [row for row, family in enumerate(families) if family in set(names[counts >= 15])]
    with tempfile.TemporaryDirectory() as folder:
        for row in kept:
            (Path(folder) / f"{row:04}.wav").write_bytes(encode_wav(waves[row], rates[row]))
        data = handful.read(folder, modality="audio")
    classes = np.unique([families[int(name[:4])] for name in data.ids], return_inverse=True)[1]
    largest = 100 * np.bincount(classes).max() / len(data)
    print(f"{len(data)} notes of {classes.max() + 1} families; the most frequent {largest:.1f} %")
    for name in (*FLOORS, *asked.methods):
        encoder = handful.pretrain(data, name, epochs=asked.epochs)
        raw = pooled_vectors(encoder.networks[name], encoder.modality, data.samples, np.arange(len(data)))
        right = [fit_on_few(raw, classes, 10, draw) for draw in range(asked.draws)]
        few = " ".join(
            "{:.1f} ({:.1f})".format(*spread([encoder.embed(data).vectors], classes, k, asked.draws))
            for k in (1, 5, 10)
        )
        print(
            f"{name}: linear, 10 a family {np.mean(right):.1f} ({np.std(right):.1f}); spread from 1, 5, 10 {few}",
            flush=True,
        )


def fit_on_few(vectors: np.ndarray, classes: np.ndarray, per_class: int, draw: int) -> float:
    """Return the accuracy of logistic regression on the rows that it was not fitted on."""
    rng = np.random.default_rng(draw)
    given = np.concatenate(
        [rng.choice(np.flatnonzero(classes == code), per_class, replace=False) for code in np.unique(classes)]
    )
    out = np.setdiff1d(np.arange(len(classes)), given)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    return 100 * float(model.fit(vectors[given], classes[given]).score(vectors[out], classes[out]))


def measure_tracks(asked: argparse.Namespace) -> None:
    """Music in windows of 5 s: how many of the nearest windows are of the same track, its own neighbours left out."""
    if asked.music is None or not Path(asked.music).is_dir():
        print("skipped: give --music FOLDER")
        return
    data = handful.read(asked.music, modality="audio", window=5, stride=5)
    track = np.array([name.split("[")[0] for name in data.ids])
    start = np.array([float(name.split("[")[1].split(":")[0]) for name in data.ids])
    near = (track[:, None] == track) & (np.abs(start[:, None] - start) <= 5)

    def judge(name: str, vectors: np.ndarray) -> None:
        likeness = vectors @ vectors.T
        likeness[near] = -np.inf
        order = np.argsort(-likeness, axis=1)[:, :10]
        right = track[order] == track[:, None]
        print(f"{name}: precision at 1 {100 * right[:, 0].mean():.1f}, at 10 {100 * right.mean():.1f}", flush=True)

    for name in (*FLOORS, "auto", *asked.methods):
        encoder = handful.pretrain(data, name, epochs=asked.epochs)
        judge(name, encoder.embed(data).vectors)
        if name == "mfcc":
            raw = pooled_vectors(encoder.networks[name], encoder.modality, data.samples, np.arange(len(data)))
            plain = StandardScaler().fit_transform(raw)
            judge("mfcc, standardised only", plain / np.linalg.norm(plain, axis=1, keepdims=True))


MEASURES = {
    "digits": measure_digits,
    "scenes": measure_scenes,
    "tracks": measure_tracks,
    "instruments": measure_instruments,
}


def main() -> None:
    """Run what the command line asks for, on one thread."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=tuple(MEASURES))
    parser.add_argument("--methods", nargs="*", default=["simclr"])
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--music")
    parser.add_argument("--soundfont")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    MEASURES[asked.what](asked)


if __name__ == "__main__":
    main()
