"""Every method on real photos of garments: neighbours before training, after each epoch, beside the floors.

    python benchmarks/bench_methods.py --rows 3000 --epochs 5 --methods simclr,moco,vicreg,sigreg,cpc
    python benchmarks/bench_methods.py --rows 3000 --epochs 15 --methods masked

Prints one line of JSON before training, after the first epoch and after the last: kNN accuracy (k 10, leave one out,
in %) of the centred and of the evened vectors, the health panel's agreement and the processor seconds so far.
Labels are used for judging only. Needs the Fashion-MNIST files of Debian's dataset-fashion-mnist.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from handful.data import Dataset
from handful.encoders.standardise import Standardise
from handful.methods import METHODS
from handful.modalities.image import Image
from handful.training.embed import pooled_vectors
from handful.training.loop import Schedule, train

FOLDER = Path("/usr/share/datasets/fashion-mnist")
RIDGES = {"centred": float("inf"), "evened": 0.01}


def read_fashion(rows: int) -> tuple[Dataset, np.ndarray]:
    """Return the first `rows` training images and their classes."""
    with gzip.open(FOLDER / "train-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)[:rows]
    with gzip.open(FOLDER / "train-labels-idx1-ubyte.gz") as file:
        classes = np.frombuffer(file.read(), np.uint8, offset=8)[:rows].astype(int)
    ids = np.arange(rows).astype(str)
    return Dataset("image", ids, images, ids, fingerprint="", settings={"size": 28, "channels": 1}), classes


def neighbour_accuracy(vectors: np.ndarray, classes: np.ndarray, *, ridge: float, n_neighbors: int = 10) -> float:
    """Return in % how often the majority of the nearest rows is of a row's class."""
    unit = Standardise.fit(vectors, components=128, ridge=ridge)(torch.from_numpy(vectors)).numpy()
    likeness = unit @ unit.T
    np.fill_diagonal(likeness, -np.inf)
    nearest = np.argpartition(-likeness, n_neighbors, axis=1)[:, :n_neighbors]
    votes = np.stack([(classes[nearest] == k).sum(1) for k in range(classes.max() + 1)], 1)
    return float((votes.argmax(1) == classes).mean() * 100)


def judge(network: nn.Module, modality: Image, data: Dataset, classes: np.ndarray) -> dict[str, float]:
    """Return the accuracy of both ways to finish the vectors."""
    vectors = pooled_vectors(network, modality, data.samples, np.arange(len(data)))
    return {name: round(neighbour_accuracy(vectors, classes, ridge=ridge), 1) for name, ridge in RIDGES.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--every", action="store_true", help="Judge after every epoch.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--methods", default=",".join(METHODS))
    chosen = parser.parse_args()
    data, classes = read_fashion(chosen.rows)
    modality = Image(size=28, channels=1, flip=True)
    for name, floor in modality.floors().items():
        print(json.dumps({"encoder": name, **judge(floor, modality, data, classes)}), flush=True)
    schedule = Schedule(epochs=chosen.epochs, batch_size=chosen.batch_size, seed=chosen.seed)
    for name in chosen.methods.split(","):
        torch.manual_seed(chosen.seed)
        method = METHODS[name](METHODS[name].default_backbone(modality), modality)
        told = {"method": name, "seed": chosen.seed}
        print(json.dumps({**told, "epoch": 0, **judge(method.network, modality, data, classes)}), flush=True)

        began = time.process_time()

        def tell(
            line: dict[str, object],
            method: nn.Module = method,
            told: dict[str, object] = told,
            began: float = began,
        ) -> None:
            if line["epoch"] not in (1, chosen.epochs) and not chosen.every:
                return
            seconds = round(time.process_time() - began)
            figures = judge(method.network, modality, data, classes)
            kept = {name: line.get(name) for name in ("agreement", "rank", "verdict")}
            print(json.dumps({**told, "epoch": line["epoch"], "seconds": seconds, **figures, **kept}), flush=True)

        train(method, data, schedule, on_epoch=tell)


if __name__ == "__main__":
    main()
