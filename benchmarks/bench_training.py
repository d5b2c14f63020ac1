"""How fast training is: augmented pairs a second and processor, and samples a second of a step of every method.

    python benchmarks/bench_training.py
    python benchmarks/bench_training.py --methods simclr --peers PEERS

With `--peers`, a folder as `image_peers.py` says, lightly and kornia make the same changes of the same images (crop,
flip, colour, grey; no blur), and a plain loop with lightly's transform and loss takes a step with the same network.
Processor seconds on one thread, medians of interleaved rounds: other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import image_peers
import numpy as np
import torch

from handful.methods import METHODS
from handful.modalities.image import Image

TEMPERATURE = 0.2


def time_of(work: Callable[[], object]) -> float:
    """Return the processor seconds that `work` takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def random_pixels(n: int, size: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, channels, size, size), dtype=np.uint8)


def compare_views(size: int, n: int, rounds: int, peers: bool) -> None:
    """Print how many pairs of views of colour images each makes in a second, from bytes to tensors."""
    image, pixels = Image(size=size, channels=3, flip=True, crop=0.08), random_pixels(n, size)

    def ours() -> None:
        batch, generator = image.batch(pixels, np.arange(n)), torch.Generator().manual_seed(0)
        for _ in range(2):
            image.view(batch, generator=generator)

    works: dict[str, Callable[[], object]] = {"handful": ours}
    if peers:
        for name, make in (("lightly", image_peers.lightly_pairs), ("kornia", image_peers.kornia_pairs)):
            pairs = make(size, blur=0.0)
            works[name] = lambda pairs=pairs: pairs(pixels)
    taken = [[time_of(work) for work in works.values()] for _ in range(rounds + 1)][1:]
    for name, seconds in zip(works, np.median(taken, axis=0), strict=True):
        print(f"views at {size} px, {name}: {n / seconds:,.0f} pairs a second and processor", flush=True)


def our_step(name: str, pixels: np.ndarray, *, half: bool) -> Callable[[], None]:
    """Return a step of a method on `pixels`."""
    image = Image(size=pixels.shape[-1], channels=pixels.shape[1], flip=True)
    torch.manual_seed(0)
    method = METHODS[name](METHODS[name].default_backbone(image), image).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(method.parameters())

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = method(image.batch(pixels, np.arange(len(pixels))), torch.Generator().manual_seed(0))
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()

    return step


def plain_step(pixels: np.ndarray) -> Callable[[], None]:
    """Return a step of SimCLR as lightly's examples take it, with our network and head."""
    size = pixels.shape[-1]
    torch.manual_seed(0)
    network = METHODS["simclr"](Image(size=size, channels=3).backbone(), Image(size=size, channels=3))
    optimizer = torch.optim.AdamW(network.parameters())
    pairs, criterion = image_peers.lightly_pairs(size, blur=0.0), image_peers.nt_xent_loss(TEMPERATURE)

    def step() -> None:
        views = pairs(pixels)
        loss = criterion(*(network.projector(network.backbone(view).pooled) for view in views))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def compare_steps(size: int, n: int, rounds: int) -> None:
    """Print how many images a second a SimCLR step takes, ours beside a plain loop, full precision."""
    pixels = random_pixels(n, size)
    works = {"handful": our_step("simclr", pixels, half=False), "lightly, plain loop": plain_step(pixels)}
    taken = [[time_of(work) for work in works.values()] for _ in range(rounds + 1)][1:]
    for name, seconds in zip(works, np.median(taken, axis=0), strict=True):
        print(f"SimCLR step at {size} px, batch {n}, {name}: {n / seconds:,.0f} images a second", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--peers", type=Path)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if chosen.peers is not None:
        image_peers.find_peers(chosen.peers)
    for size, n in ((32, 512), (224, 16)):
        compare_views(size, n, chosen.rounds, chosen.peers is not None)
    if chosen.peers is not None:
        for size, n in ((32, 128), (96, 32)):
            compare_steps(size, n, chosen.rounds)
    pixels, names = random_pixels(128, 28, 1), chosen.methods.split(",")
    steps = {(name, half): our_step(name, pixels, half=half) for name in names for half in (True, False)}
    for work in steps.values():
        work()
    taken = np.median([[time_of(work) for work in steps.values()] for _ in range(chosen.rounds)], axis=0)
    for (name, half), seconds in zip(steps, taken, strict=True):
        precision = "bfloat16" if half else "full precision"
        print(f"{name}, batch 128, 28 px: {128 / seconds:,.0f} samples a second in {precision}", flush=True)


if __name__ == "__main__":
    main()
