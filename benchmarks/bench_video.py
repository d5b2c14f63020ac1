"""Videos: the next frames of moving garments and of a street, and labels of moving garments from a handful.

    python benchmarks/bench_video.py moving --out RUN [--clips 30000] [--large]
    python benchmarks/bench_video.py street --film vtest.avi --out RUN [--epochs 8]
    python benchmarks/bench_video.py labels --out RUN [--draws 5]

moving: Moving Fashion-MNIST, MADE from the pictures of Debian's dataset-fashion-mnist as its generator does (canvas 64,
two sprites of 28, step .1, the brighter one in front, sides that bounce); trained on clips of the training pictures,
tested on 1,000 clips of the test pictures, seed 0. SSIM is scikit-image's and is left out where that is not installed.
--large is a network of many times the weights, for a GPU.
street: vtest.avi of Debian's opencv-doc, 795 frames, the middle square in grey at 64 pixels; trained on the first 600,
tested on the others. Moving pixels: those that differ by more than 20 of 255 from the median of the training frames, in
the frame to guess or in the last one seen.
labels: 1,000 MADE clips of one garment of the test pictures that moves in one of eight directions; classes by garment
or by direction, five labels of each, spread over neighbours in the vectors of the network that `moving` trained in RUN,
in the untrained `course` of the clips, in both side by side, and in principal components of the frames.
A training goes on where it was stopped when its command is given again. Times are processor seconds of one thread.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from moving_sprites import KNOWN, Clips, as_dataset, directed, read_garments
from sklearn.decomposition import PCA

import handful
from handful.encoders.simvp import SimVP
from handful.modalities.registry import make_modality
from handful.propagation.fuse import fuse
from handful.training.embed import device_of, to_device

Guess = Callable[[np.ndarray, int], np.ndarray]  # frames [T, 1, H, W] and how many are wanted: [steps, 1, H, W]


def measure_moving(out: Path, n: int, batch_size: int, learning_rate: float, *, large: bool) -> None:
    """Train on `n` clips, each seen once, and print squared error per frame and SSIM beside a copy and the mean."""
    garments = read_garments("train")[0]
    data = as_dataset(Clips(garments, n, seed=1), name=f"moving-{n}")
    began, spent = time.monotonic(), time.process_time()
    options: dict[str, Any] = {"epochs": 1, "batch_size": batch_size, "learning_rate": learning_rate}
    encoder = handful.pretrain(data, "forecast", _large(data) if large else None, out=out, watch=_watch(), **options)
    spent, clock = time.process_time() - spent, time.monotonic() - began
    print(f"{n} clips: {spent:.0f} processor seconds in this call, {clock:.0f} by the clock", flush=True)
    test = Clips(read_garments("t10k")[0], 1000, seed=0)[:]
    judge_moving({"forecast": _guesses(encoder), "copy of the last": _copy, "mean of those seen": _mean}, test)


def _large(data: handful.Dataset) -> SimVP:
    cut = make_modality("video", data.settings).tokens
    return SimVP(1, known=KNOWN, ahead=KNOWN, layers=3, width=64, mixed=768, depth=8, cut=cut)


def judge_moving(ways: dict[str, Callable[[np.ndarray, int], np.ndarray]], test: np.ndarray) -> None:
    """Print the errors of each way on clips [N, 20, 1, 64, 64], frames as numbers from 0 to 1."""
    truth = test[:, KNOWN:] / 255
    for name, guess in ways.items():
        frames = np.concatenate([guess(part[:, :KNOWN], truth.shape[1]) for part in np.array_split(test, 20)])
        apart = np.square(frames / 255 - truth).sum((2, 3, 4))
        told = ", ".join(f"{error:.0f}" for error in apart.mean(0))
        print(f"{name}: squared error {apart.mean():.1f} a frame ({told}), SSIM {_ssim(frames, test[:, KNOWN:])}")


def measure_street(film: Path, out: Path, epochs: int) -> None:
    """Print the peak signal-to-noise ratio in dB of guesses 1, 5 and 10 frames ahead beside a copy of the last."""
    settings: dict[str, Any] = {"size": 64, "channels": 1, "window": 2 * KNOWN}
    data = handful.read(film, stride=1, **settings)
    frames = data.samples.films[0]  # type: ignore[attr-defined]
    split = 600 - 2 * KNOWN + 1
    train = dataclasses.replace(
        data, ids=data.ids[:split], digests=data.digests[:split], samples=data.samples[:split], fingerprint="street"
    )
    encoder = handful.pretrain(
        train, "forecast", epochs=epochs, batch_size=8, learning_rate=2e-3, out=out, watch=_watch()
    )
    usual = np.median(frames[:600], 0).astype(int)
    test = np.stack([frames[start : start + 2 * KNOWN] for start in range(600, len(frames) - 2 * KNOWN + 1, 2)])
    last, truth = test[:, KNOWN - 1], test[:, KNOWN:]
    for name, guess in {"forecast": _guesses(encoder), "copy of the last": _copy}.items():
        found = np.concatenate([guess(part[:, :KNOWN], KNOWN) for part in np.array_split(test, 8)])
        for ahead in (1, 5, 10):
            apart = np.square(found[:, ahead - 1].astype(float) - truth[:, ahead - 1])
            moving = (np.abs(truth[:, ahead - 1] - usual) > 20) | (np.abs(last - usual) > 20)
            told = [f"{10 * np.log10(255**2 / errors.mean()):.2f}" for errors in (apart, apart[moving])]
            print(f"{name}, {ahead} ahead: {told[0]} dB, moving pixels ({moving.mean():.0%}) {told[1]} dB", flush=True)


def measure_labels(out: Path, draws: int, n: int = 1000) -> None:
    """Print the accuracy in % of five labels a class, spread over neighbours, by what the neighbours are found in."""
    clips, classes = directed(n)
    encoder = handful.Encoder.from_pretrained(out)
    data = as_dataset(clips, name="directed")
    components = PCA(64, random_state=0).fit_transform(clips.reshape(n, -1).astype(np.float32))
    learnt, course = encoder.embed(data).vectors, handful.pretrain(data, "course").embed(data).vectors
    vectors = {"`forecast`": learnt, "`course`": course, "components of the frames": components}
    graphs = {name: handful.knn_graph(rows, 10) for name, rows in vectors.items()}
    graphs["`course` and `forecast`, side by side"] = fuse([course, learnt], n_neighbors=10, seed=0)
    for kind, truth in classes.items():
        for name, graph in graphs.items():
            right = []
            for seed in range(draws):
                labels, draw = np.full(n, -1), np.random.default_rng(seed)
                for cls in np.unique(truth):
                    labels[draw.choice(np.flatnonzero(truth == cls), 5, replace=False)] = cls
                found = handful.propagate(graph, labels.copy()).labels
                hidden = labels < 0
                right.append(100 * np.mean([a == b for a, b in zip(found[hidden], truth[hidden], strict=True)]))
            print(f"{kind}, {name}: {np.mean(right):.1f} ({np.std(right):.1f})", flush=True)


def _ssim(frames: np.ndarray, truth: np.ndarray) -> str:
    try:
        from skimage.metrics import structural_similarity
    except ImportError:
        return "left out: pip install scikit-image"
    pairs = zip(frames.reshape(-1, *frames.shape[-2:]), truth.reshape(-1, *truth.shape[-2:]), strict=True)
    return f"{np.mean([structural_similarity(one / 255, other / 255, data_range=1.0) for one, other in pairs]):.3f}"


def _guesses(encoder: Any) -> Callable[[np.ndarray, int], np.ndarray]:
    """Return the network's way to go on from clips [N, T, 1, H, W]: uint8 [N, steps, 1, H, W]."""
    modality, network = encoder.modality, encoder.networks["forecast"]

    @torch.inference_mode()
    def guess(clips: np.ndarray, steps: int) -> np.ndarray:
        batch: Any = to_device(modality.batch(clips, np.arange(len(clips))), device_of(network))
        return modality.to_frames(network.go_on(batch, steps))

    return guess


def _copy(clips: np.ndarray, steps: int) -> np.ndarray:
    return np.repeat(clips[:, -1:], steps, 1)


def _mean(clips: np.ndarray, steps: int) -> np.ndarray:
    return np.repeat(clips.mean(1, keepdims=True), steps, 1)


def _watch() -> Any:
    """Return whom a training tells every hundredth step of."""
    from handful.training.pretrain import Watch

    losses: list[float] = []

    def step(beat: Any) -> None:
        losses.append(beat.loss)
        if len(losses) == 100:
            told = f"step {beat.step} of {beat.steps}, loss {np.mean(losses):.4f}, {time.process_time():.0f} s"
            print(told, flush=True)
            losses.clear()

    return Watch(step=step)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("moving", "street", "labels"))
    parser.add_argument("--out", type=Path, default=Path("run-video"))
    parser.add_argument("--clips", type=int, default=30_000)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--film", type=Path, default=Path("vtest.avi"))
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--draws", type=int, default=5)
    asked = parser.parse_args()
    if asked.what == "moving":
        measure_moving(asked.out, asked.clips, asked.batch_size, asked.learning_rate, large=asked.large)
    elif asked.what == "street":
        measure_street(asked.film, asked.out, asked.epochs)
    else:
        measure_labels(asked.out, asked.draws)


if __name__ == "__main__":
    main()
