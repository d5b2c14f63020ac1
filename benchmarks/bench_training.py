"""How fast training is: augmented pairs a second and processor, and samples a second of a step of every method.

    python benchmarks/bench_training.py

Processor seconds on one thread, medians of interleaved rounds: other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from handful.methods import METHODS
from handful.modalities.image import Image


def time_views(size: int, n: int) -> float:
    """Return the processor seconds that two views of n colour images take."""
    image = Image(size=size, channels=3, flip=True)
    batch = torch.rand(n, 3, size, size) * 2 - 1
    generator = torch.Generator().manual_seed(0)
    began = time.process_time()
    for _ in range(2):
        image.view(batch, generator=generator)
    return time.process_time() - began


def time_step(name: str, pixels: np.ndarray, *, half: bool) -> float:
    """Return the processor seconds of one step of a method on `pixels`, the second of two."""
    image = Image(size=pixels.shape[-1], channels=pixels.shape[1], flip=True)
    torch.manual_seed(0)
    method = METHODS[name](METHODS[name].default_backbone(image), image).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(method.parameters())
    taken = 0.0
    for step in range(2):
        began = time.process_time()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = method(image.batch(pixels, np.arange(len(pixels))), torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
        taken = time.process_time() - began
    return taken


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--methods", default=",".join(METHODS))
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    for size, n in ((32, 512), (224, 16)):
        seconds = np.median([time_views(size, n) for _ in range(chosen.rounds + 1)][1:])
        print(f"views at {size} px: {n / seconds:,.0f} pairs a second and processor", flush=True)
    pixels = np.random.default_rng(0).integers(0, 256, (128, 1, 28, 28), dtype=np.uint8)
    names = chosen.methods.split(",")
    rounds = [
        [[time_step(name, pixels, half=half) for half in (True, False)] for name in names] for _ in range(chosen.rounds)
    ]
    for name, (half, full) in zip(names, np.median(rounds, axis=0), strict=True):
        print(f"{name}: {128 / half:,.0f} samples a second in bfloat16, {128 / full:,.0f} in full precision")


if __name__ == "__main__":
    main()
