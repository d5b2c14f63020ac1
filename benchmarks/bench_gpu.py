"""What a GPU gains: training steps beside a plain loop with lightly, and the exact graph.

    python benchmarks/bench_gpu.py steps [--seconds 15] [--workers 16] [--peers PEERS]
    python benchmarks/bench_gpu.py graph [--rows 70000 300000]

steps: handful's own loop (`train`, reading and views included) and the loop that lightly's examples take: its transform
in the processes of a DataLoader, its loss, the same network and optimizer, bfloat16 and channels last in both.
ResNet-18 without the first pooling on 50,000 images of 32 px in batches of 512, and a vision transformer (ViT-S/16) on
224 px in batches of 256; pixels are random, views are crop, flip, colour and grey. By the clock, after a warm-up, the
device waited for. lightly has to be installed for its rows, or lie in PEERS as image_peers.py says.
graph: 10 nearest rows of made clusters in 64 columns, exact, on the GPU and on the processor's cores.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import image_peers
import numpy as np
import torch
from torch import nn

from handful.data import Dataset
from handful.encoders.convolutional import ConvolutionalEncoder
from handful.encoders.pretrained_image import load_image_encoder
from handful.graph import neighbours
from handful.graph.cuda import gpu_at_hand
from handful.methods import METHODS
from handful.modalities.image import Image
from handful.training.loop import Beat, Schedule, train

TEMPERATURE = 0.2
PROCESSOR = {
    "image_processor_type": "ViTImageProcessor",
    "size": {"height": 224, "width": 224},
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}
WARM_UP = 5  # steps that are not counted: kernels are chosen and memory is taken in them


def resnet18() -> nn.Module:
    """Return a residual network of the size of ResNet-18 for small images."""
    return ConvolutionalEncoder(3, widths=(64, 128, 256, 512), blocks=2)


def vit_small() -> nn.Module:
    """Return ViT-S/16, not trained, read from a folder as one that was trained elsewhere is."""
    from transformers import ViTConfig, ViTModel

    config = ViTConfig(hidden_size=384, num_hidden_layers=12, num_attention_heads=6, intermediate_size=1536)
    with tempfile.TemporaryDirectory() as folder:
        ViTModel(config).save_pretrained(folder)
        (Path(folder) / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
        return load_image_encoder(folder)


def measure_steps(
    name: str, size: int, n: int, batch_size: int, network: nn.Module, seconds: float, workers: int
) -> None:
    """Print images a second, two views of each, of handful and of the plain loop, and the time of 200 epochs."""
    pixels = np.random.default_rng(0).integers(0, 256, (n, 3, size, size), dtype=np.uint8)
    modality = Image(size=size, channels=3, flip=True, crop=0.08)
    found = {"handful": our_pace(network, pixels, modality, batch_size, seconds)}
    try:
        found["lightly, plain loop"] = plain_pace(network, pixels, modality, batch_size, seconds, workers)
    except ImportError as error:
        print(f"lightly skipped: {error}")
    for who, pace in found.items():
        epochs = 200 * 50_000 / pace / 60
        print(
            f"{name}, {size} px, batch {batch_size}, {who}: {pace:,.0f} images a second; 200 epochs of 50,000 in "
            f"{epochs:.1f} minutes",
            flush=True,
        )


class Enough(Exception):
    """Raised when a training has been timed for long enough."""


def our_pace(network: nn.Module, pixels: np.ndarray, modality: Image, batch_size: int, seconds: float) -> float:
    """Return the images a second of handful's loop."""
    torch.manual_seed(0)
    method = METHODS["simclr"](network, modality, temperature=TEMPERATURE)
    data = Dataset("image", np.arange(len(pixels)).astype(str), pixels, np.zeros(len(pixels), str), "random pixels")
    times: list[float] = []

    def on_step(beat: Beat) -> None:
        times.append(time.perf_counter())  # the loss was read: the step is over
        if len(times) > WARM_UP and times[-1] - times[WARM_UP] > seconds:
            raise Enough

    with contextlib.suppress(Enough):
        train(method, data, Schedule(epochs=1000, batch_size=batch_size), on_step=on_step)
    return batch_size * (len(times) - 1 - WARM_UP) / (times[-1] - times[WARM_UP])


def plain_pace(
    network: nn.Module, pixels: np.ndarray, modality: Image, batch_size: int, seconds: float, workers: int
) -> float:
    """Return the images a second of a loop as lightly's examples have it."""
    from lightly.transforms import SimCLRTransform

    transform = SimCLRTransform(input_size=modality.size, gaussian_blur=0.0, min_scale=modality.crop, normalize=None)
    criterion = image_peers.nt_xent_loss(TEMPERATURE)

    class Pictures(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return len(pixels)

        def __getitem__(self, row: int) -> list[torch.Tensor]:
            return transform(image_peers.as_pictures(pixels[row : row + 1])[0])

    loader = torch.utils.data.DataLoader(
        Pictures(),
        batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        pin_memory=True,
        persistent_workers=True,
    )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    method = METHODS["simclr"](network, modality).to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(method.parameters(), 1e-3)

    def endless() -> Iterator[list[torch.Tensor]]:
        while True:
            yield from loader

    times: list[float] = []
    for views in endless():
        first, second = (view.to(device, non_blocking=True, memory_format=torch.channels_last) for view in views)
        with torch.autocast(device.type, torch.bfloat16):
            loss = criterion(*(method.projector(method.backbone(view).pooled) for view in (first, second)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()
        times.append(time.perf_counter())
        if len(times) > WARM_UP and times[-1] - times[WARM_UP] > seconds:
            break
    return batch_size * (len(times) - 1 - WARM_UP) / (times[-1] - times[WARM_UP])


def measure_graph(rows: int) -> None:
    """Print the seconds of the exact lists on the GPU and on the processor, and how many entries are the same."""
    random = np.random.default_rng(0)
    points = random.normal(size=(200, 64))[random.integers(0, 200, rows)] + 0.6 * random.normal(size=(rows, 64))
    points, scale = points.astype(np.float32), np.ones(rows, np.float32)
    ways = {"processor": lambda some: neighbours.exact_neighbours(some, 10)}
    if gpu_at_hand():
        ways["GPU"] = lambda some: neighbours.exact_neighbours_on_gpu(some, 10, scale=scale[: len(some)])
    lists = {}
    for who, way in ways.items():
        way(points[:5000])
        began = time.perf_counter()
        lists[who] = way(points).rows
        print(f"exact lists of {rows} x 64, {who}: {time.perf_counter() - began:.2f} s", flush=True)
    if len(lists) == 2:
        print(f"the same entries: {100 * (lists['processor'] == lists['GPU']).mean():.4f} %", flush=True)


def main() -> None:
    """Print the figures that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["steps", "graph"])
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--rows", type=int, nargs="*", default=[70_000, 300_000])
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--small", action="store_true", help="fewer images, to try the script")
    chosen = parser.parse_args()
    if chosen.what == "graph":
        for rows in chosen.rows:
            measure_graph(rows)
        return
    if chosen.peers is not None:
        image_peers.find_peers(chosen.peers)
    for name, size, n, batch_size, network in (
        ("ResNet-18", 32, 50_000, 512, resnet18),
        ("ViT-S/16", 224, 4096, 256, vit_small),
    ):
        if chosen.small:
            n, batch_size = 32, 4
        measure_steps(name, size, n, batch_size, network(), chosen.seconds, chosen.workers)


if __name__ == "__main__":
    main()
