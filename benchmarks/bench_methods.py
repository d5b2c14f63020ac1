"""Every method on real photos of garments, all given the same processor seconds, beside floors and lightly's SimCLR.

    python benchmarks/bench_methods.py --seconds 120 --seeds 0,1 --peers PEERS --out methods.jsonl
    python benchmarks/bench_methods.py --data clothing96 --seconds 60 --seeds 0 --out clothing.jsonl
    python benchmarks/bench_methods.py --seconds 2400 --seeds 0,1,2 --paces methods.jsonl --out gpu.jsonl

A training sees all training images and no label, and ends when its seconds are over: the learning rate falls with them,
and the last weights are judged. What is judged costs none of the seconds. Accuracy in % on test images: kNN (k 10)
among training images, of the centred and of the evened vectors, and a logistic regression on the evened ones.
`--milestones 8` judges SimCLR and the plain loop in between too: how long until an accuracy is reached.
`--paces FILE`: a training ends after as many samples as its method would see in the seconds at the pace of FILE, an
earlier `--out`: so a GPU trains what a processor would need hours for, and the batches and rates are the same.
`--batch-size 16`: another number of samples a step for all.
Each training is a line of `--out`, and one that is there is not done again. Prints Markdown tables.
Needs the Debian package dataset-fashion-mnist, or clothing96.tar in HANDFUL_DATA; PEERS is what `image_peers.py` says.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import image_peers
import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

import handful
from handful.encoders.saving import describe
from handful.encoders.standardise import Standardise
from handful.methods import METHODS
from handful.modalities.image import Image
from handful.training.descent import make_optimizer
from handful.training.devices import make_accelerator
from handful.training.embed import device_of, lay_out, pooled_vectors, to_device
from handful.training.finish import FLOOR_COMPONENTS, RIDGES, TRAINED_COMPONENTS
from handful.training.schedule import Schedule

FASHION = Path("/usr/share/datasets/fashion-mnist")
BATCH_SIZE, MOST_REFERENCES, MOST_QUERIES = 256, 3000, 2000
COARSE = Schedule().coarse
PEERS = {  # the plain loop: our crops and temperature, or lightly's own
    "lightly, our settings": {"least_crop": 0.4, "temperature": 0.2},
    "lightly, its settings": {"least_crop": 0.08, "temperature": 0.5},
}
FIGURES = ("centred", "evened", "linear")
_UNTRAINED: dict[tuple[str, int], dict[str, float]] = {}


@dataclass(frozen=True)
class Images:
    """pixels: uint8 [N, C, H, W]; classes: [N]; references, queries: rows that are judged among and on."""

    pixels: np.ndarray
    classes: np.ndarray
    references: np.ndarray
    queries: np.ndarray

    @property
    def learnt(self) -> np.ndarray:
        """The rows that trainings see: all but the test images."""
        return np.arange(self.queries[0])


def read_fashion() -> Images:
    """Return Fashion-MNIST, the test images last."""
    parts: dict[str, list[np.ndarray]] = {"images": [], "labels": []}
    for part in ("train", "t10k"):
        for what, head in (("images", 16), ("labels", 8)):
            with gzip.open(FASHION / f"{part}-{what}-idx{3 if head == 16 else 1}-ubyte.gz") as file:
                parts[what].append(np.frombuffer(file.read(), np.uint8, offset=head))
    pixels, classes = (np.concatenate(parts[what]) for what in ("images", "labels"))
    return split(pixels.reshape(-1, 1, 28, 28), classes.astype(int), test=10_000)


def read_clothing() -> Images:
    """Return clothing96 in squares of 64 pixels, the validation and test images last."""
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(Path(os.environ.get("HANDFUL_DATA", "../shared/data")) / "clothing96.tar") as file:
            file.extractall(folder, filter="data")
        root = next(Path(folder).rglob("train")).parent
        parts = [handful.read(root / part, "folders", size=64) for part in ("train", "validation", "test")]
        pixels = np.concatenate([np.asarray(part.samples[np.arange(len(part))]) for part in parts])
    classes = np.concatenate([part.labels.codes for part in parts])
    return split(pixels, classes, test=len(parts[1]) + len(parts[2]))


def split(pixels: np.ndarray, classes: np.ndarray, *, test: int) -> Images:
    """Return images whose last `test` are for tests, with a fixed draw of rows to judge on."""
    n, draw = len(pixels) - test, np.random.default_rng(0)
    references, queries = draw.permutation(n)[:MOST_REFERENCES], n + draw.permutation(test)[:MOST_QUERIES]
    return Images(pixels, classes, np.sort(references), np.sort(queries))


DATA: dict[str, Callable[[], Images]] = {"fashion": read_fashion, "clothing96": read_clothing}


def judge(network: nn.Module, modality: Image, images: Images, *, floor: bool = False) -> dict[str, float]:
    """Return the accuracies of what `network` makes of the images."""
    n = len(images.references)
    vectors = pooled_vectors(network, modality, images.pixels, np.concatenate([images.references, images.queries]))
    known, truth = images.classes[images.references], images.classes[images.queries]
    components, ridge = (FLOOR_COMPONENTS, RIDGES["floor"]) if floor else (TRAINED_COMPONENTS, RIDGES["trained"])
    found = {}
    for name, evening in (("centred", float("inf")), ("evened", ridge)):
        finish = Standardise.fit(vectors[:n], components=components, ridge=evening)
        unit = finish(torch.from_numpy(vectors)).numpy()
        found[name] = neighbour_accuracy(unit[:n], known, unit[n:], truth)
    straight = LogisticRegression(C=10.0, max_iter=300).fit(unit[:n], known)
    return {**found, "linear": 100 * float((straight.predict(unit[n:]) == truth).mean())}


def neighbour_accuracy(
    among: np.ndarray, known: np.ndarray, unit: np.ndarray, truth: np.ndarray, *, n_neighbors: int = 10
) -> float:
    """Return in % how often the majority of the nearest of `among` [M, D] is of the class of a row of `unit` [N, D]."""
    nearest = np.argpartition(-unit @ among.T, n_neighbors, axis=1)[:, :n_neighbors]
    votes = np.stack([(known[nearest] == k).sum(1) for k in range(known.max() + 1)], 1)
    return 100 * float((votes.argmax(1) == truth).mean())


def our_loss(name: str, modality: Image, pixels: np.ndarray) -> tuple[nn.Module, Callable[..., torch.Tensor]]:
    """Return a method and its loss of a batch of rows as the library takes it: precision, layout, coarse beginning."""
    method = METHODS[name](METHODS[name].default_backbone(modality), modality)
    lay_out(method)
    accelerator = make_accelerator("auto")
    method.to(accelerator.device)

    def loss(rows: np.ndarray, generator: torch.Generator, done: float) -> torch.Tensor:
        batch = to_device(modality.batch(pixels, rows), accelerator.device)
        with accelerator.autocast():
            return method(modality.coarse(batch) if method.begins_coarse and done < COARSE else batch, generator).total

    return method, loss


def plain_loss(name: str, modality: Image, pixels: np.ndarray) -> tuple[nn.Module, Callable[..., torch.Tensor]]:
    """Return SimCLR's network and head, and the loss of a batch of rows with lightly's transform and loss."""
    method = METHODS["simclr"](modality.backbone(), modality)
    pairs = image_peers.lightly_pairs(modality.size, blur=0.0, least_crop=PEERS[name]["least_crop"])
    criterion = image_peers.nt_xent_loss(PEERS[name]["temperature"])

    def loss(rows: np.ndarray, generator: torch.Generator, done: float) -> torch.Tensor:
        views = (view * 2 - 1 for view in pairs(pixels[rows]))
        return criterion(*(method.projector(method.backbone(view).pooled) for view in views))

    return method, loss


@dataclass(frozen=True)
class Budget:
    """When a training ends: after processor seconds or, where they are told, after so many samples.

    batch_size: samples a step.
    """

    seconds: float
    samples: int | None = None
    batch_size: int = BATCH_SIZE

    def share(self, spent: float, seen: int) -> float:
        """Return how much of it is used up."""
        return spent / self.seconds if self.samples is None else seen / self.samples


def train_for(
    budget: Budget,
    method: nn.Module,
    loss: Callable[..., torch.Tensor],
    rows: np.ndarray,
    *,
    seed: int,
    stops: int,
) -> Iterator[tuple[float, int]]:
    """Train in place, and yield the processor seconds and samples so far at `stops` even stops, the end last."""
    size = budget.batch_size
    schedule, spent, seen, stop, done = Schedule(batch_size=size, seed=seed), 0.0, 0, 1, 0.0
    optimizer = make_optimizer(method, schedule)
    draw, generator = np.random.default_rng(seed), torch.Generator(device_of(method)).manual_seed(seed)
    waiting = draw.permutation(rows)
    method.train()
    loss(waiting[:size], generator, done).backward()  # what is loaded and compiled once is no part of a training
    while done < 1:
        began = time.process_time()
        if len(waiting) < size:
            waiting = draw.permutation(rows)
        chosen, waiting = np.sort(waiting[:size]), waiting[size:]
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate(done) * group["share"]
        value = loss(chosen, generator, done)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        method.after_step(done)
        spent, seen = spent + time.process_time() - began, seen + size
        done = budget.share(spent, seen)
        if done >= stop / stops:
            stop += 1
            yield spent, seen


def judge_untrained(network: nn.Module, modality: Image, images: Images, seed: int) -> dict[str, float]:
    """Return the accuracies before training; networks of one description and seed are the same and judged once."""
    key = (json.dumps(describe(network)), seed)
    if key not in _UNTRAINED:
        _UNTRAINED[key] = judge(network, modality, images)
    return _UNTRAINED[key]


def run(name: str, seed: int, budget: Budget, modality: Image, images: Images, milestones: int) -> dict[str, Any]:
    """Return the figures of one training."""
    make = plain_loss if name in PEERS else our_loss
    torch.manual_seed(seed)
    method, loss = make(name, modality, images.pixels)
    line: dict[str, Any] = {"method": name, "seed": seed, "seconds": budget.seconds, "course": []}
    line["untrained"] = judge_untrained(method.network, modality, images, seed)
    stops = milestones if name in ("simclr", *PEERS) else 1
    for spent, seen in train_for(budget, method, loss, images.learnt, seed=seed, stops=stops):
        line |= {"seen": seen, "spent": round(spent, 1), "trained": judge(method.network, modality, images)}
        at = line["spent"] if budget.samples is None else seen
        line["course"].append([at, line["trained"]["evened"]])
    return line


def tables(lines: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of the table of accuracies, and of the seconds until an accuracy is reached."""
    names = list(dict.fromkeys(line["method"] for line in lines))
    yield "| method | kNN, untrained | kNN, centred | kNN | linear | samples seen |\n|---|---|---|---|---|---|"
    for name in names:
        own = [line for line in lines if line["method"] == name]
        before = np.mean([line["untrained"]["evened"] for line in own]) if "untrained" in own[0] else None
        cells = [_mean(line["trained"][figure] for line in own) for figure in FIGURES]
        seen = f"{np.mean([line['seen'] for line in own]):,.0f}" if "seen" in own[0] else ""
        yield f"| {name} | {'' if before is None else f'{before:.1f}'} | {' | '.join(cells)} | {seen} |"
    courses = {name: [line["course"] for line in lines if line["method"] == name] for name in names}
    courses = {name: own for name, own in courses.items() if own and len(own[0]) > 1}
    if not courses:
        return
    best = [int(np.floor(min(max(at[1] for at in course) for course in own))) for own in courses.values()]
    levels = range(min(best) - 3, max(best) + 1)
    yield (
        "\n| seconds, or samples, to a kNN accuracy of | "
        + " | ".join(map(str, levels))
        + " |\n|---|"
        + "---|" * len(levels)
    )
    for name, own in courses.items():
        reached = [[next((at for at, got in course if got >= level), None) for course in own] for level in levels]
        yield f"| {name} | " + " | ".join("-" if None in at else f"{np.mean(at):.0f}" for at in reached) + " |"


def budgets(seconds: float, paces: Path | None, batch_size: int) -> Callable[[str], Budget]:
    """Return what a method may use by its name: the seconds, or the samples that it sees in them at the paces."""
    if paces is None:
        return lambda name: Budget(seconds, None, batch_size)
    lines = [line for line in map(json.loads, paces.read_text().splitlines()) if "seen" in line]
    pace = {line["method"]: line["seen"] / line["spent"] for line in lines}
    return lambda name: Budget(seconds, round(seconds * pace[name]), batch_size)


def _mean(figures: Iterator[float]) -> str:
    values = list(figures)
    return f"{np.mean(values):.1f}" + (f" ({np.std(values):.1f})" if len(values) > 1 else "")


def main() -> None:
    """Train, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=DATA, default="fashion")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--methods", default=",".join(name for name in METHODS if name != "forecast"))
    parser.add_argument("--milestones", type=int, default=1)
    parser.add_argument("--batch-size", type=int, default=BATCH_SIZE)
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--paces", type=Path)
    parser.add_argument("--out", type=Path, default=Path("methods.jsonl"))
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    images = DATA[chosen.data]()
    modality = Image(size=images.pixels.shape[-1], channels=images.pixels.shape[1], flip=True)
    names, budget = chosen.methods.split(","), budgets(chosen.seconds, chosen.paces, chosen.batch_size)
    if chosen.peers is not None:
        image_peers.find_peers(chosen.peers)
        names = [*names, *PEERS]
    lines = [json.loads(line) for line in chosen.out.read_text().splitlines()] if chosen.out.is_file() else []
    done = {(line["method"], line.get("seed")) for line in lines}

    def keep(line: dict[str, Any]) -> None:
        lines.append(line)
        with chosen.out.open("a") as file:
            file.write(json.dumps(line) + "\n")

    for name, floor in modality.floors().items():
        if (name, None) not in done:
            keep({"method": name, "course": [], "trained": judge(floor, modality, images, floor=True)})
    for seed in map(int, chosen.seeds.split(",")):
        for name in names:
            if (name, seed) not in done:
                keep(run(name, seed, budget(name), modality, images, chosen.milestones))
    print("\n".join(tables(lines)))


if __name__ == "__main__":
    main()
