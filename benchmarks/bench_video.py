"""Videos: the next frames of moving garments and of a street, and labels of moving garments from a handful.

    python benchmarks/bench_video.py moving --out RUN [--clips 30000]
    python benchmarks/bench_video.py street VTEST.avi --out RUN [--epochs 30]
    python benchmarks/bench_video.py labels [--draws 5]

moving: Moving Fashion-MNIST, MADE from the pictures of Debian's dataset-fashion-mnist as its generator does (canvas 64,
two sprites of 28, step .1, the brighter one in front, sides that bounce); trained on clips of the training pictures,
tested on 1,000 clips of the test pictures, seed 0. SSIM is scikit-image's and is left out where that is not installed.
street: vtest.avi of Debian's opencv-doc; trained on the first 600 frames, tested on the others.
labels: clips of one garment that moves in one of eight directions, classes by garment or direction.
A training goes on where it was stopped when its command is given again. Times are processor seconds of one thread.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from moving_sprites import Clips, as_dataset, read_garments

import handful

KNOWN = 10
Guess = Callable[[np.ndarray, int], np.ndarray]  # frames [T, 1, H, W] and how many are wanted: [steps, 1, H, W]


def measure_moving(out: Path, n: int, batch_size: int, learning_rate: float) -> None:
    """Train on `n` clips, each seen once, and print squared error per frame and SSIM beside a copy and the mean."""
    garments = read_garments("train")[0]
    data = as_dataset(Clips(garments, n, seed=1), name=f"moving-{n}")
    began = time.process_time()
    options: dict[str, Any] = {"epochs": 1, "batch_size": batch_size, "learning_rate": learning_rate}
    encoder = handful.pretrain(data, "forecast", out=out, watch=_watch(), **options)
    print(f"{n} clips: {time.process_time() - began:.0f} processor seconds in this call", flush=True)
    test = Clips(read_garments("t10k")[0], 1000, seed=0)[:]
    judge_moving({"forecast": _guesses(encoder), "copy of the last": _copy, "mean of those seen": _mean}, test)


def judge_moving(ways: dict[str, Callable[[np.ndarray, int], np.ndarray]], test: np.ndarray) -> None:
    """Print the errors of each way on clips [N, 20, 1, 64, 64], frames as numbers from 0 to 1."""
    truth = test[:, KNOWN:] / 255
    for name, guess in ways.items():
        frames = np.concatenate([guess(part[:, :KNOWN], truth.shape[1]) for part in np.array_split(test, 20)])
        apart = np.square(frames / 255 - truth).sum((2, 3, 4))
        told = ", ".join(f"{error:.0f}" for error in apart.mean(0))
        print(f"{name}: squared error {apart.mean():.1f} a frame ({told}), SSIM {_ssim(frames, test[:, KNOWN:])}")


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
        return modality.to_frames(network.go_on(modality.batch(clips, np.arange(len(clips))), steps))

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
            told = f"{np.mean(losses) * 1024:.0f}"  # of [-1, 1]: a quarter of the square, 64 x 64 pixels
            print(f"step {beat.step} of {beat.steps}, squared error {told}, {time.process_time():.0f} s", flush=True)
            losses.clear()

    return Watch(step=step)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("moving",))
    parser.add_argument("--out", type=Path, default=Path("run-video"))
    parser.add_argument("--clips", type=int, default=30_000)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    asked = parser.parse_args()
    measure_moving(asked.out, asked.clips, asked.batch_size, asked.learning_rate)


if __name__ == "__main__":
    main()
