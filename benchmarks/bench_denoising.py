"""Denoising of Fashion-MNIST or of photos beside scikit-image: PSNR in dB and SSIM at three strengths of noise.

    python benchmarks/bench_denoising.py --rows 2000 --epochs 20
    python benchmarks/bench_denoising.py --data clothing96 --rows 3068 --epochs 10 --test-rows 60

One network, trained on training images without knowing any strength, cleans the first test images; scikit-image's
methods are told the strength; their settings are the best of those listed, chosen on training images. Needs the
Debian package dataset-fashion-mnist or clothing96.tar in HANDFUL_DATA, and scikit-image and PyWavelets, in `--peers`
where they are not installed. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

import handful
from handful.tasks.denoise import clean_batch, find_restorer

FASHION = Path("/usr/share/datasets/fashion-mnist")
STRENGTHS = (0.1, 0.2, 0.4)  # standard deviation of the noise, black 0 and white 1
CHOOSE_ON = 20  # training images
Clean = Callable[[np.ndarray], np.ndarray]  # [H, W] or [H, W, 3] -> the same


def read_fashion(rows: int, test_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return training and test images, uint8 [N, 1, 28, 28]."""
    parts = (FASHION / f"{part}-images-idx3-ubyte.gz" for part in ("train", "t10k"))
    train, test = (handful.read(part).samples[np.arange(n)] for part, n in zip(parts, (rows, test_rows), strict=True))
    return train, test


def read_clothing(rows: int, test_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return training and test photos, uint8 [N, 3, 64, 64], the test photos spread over the classes."""
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(Path(os.environ.get("HANDFUL_DATA", "../shared/data")) / "clothing96.tar") as file:
            file.extractall(folder, filter="data")
        root = next(Path(folder).rglob("train")).parent
        parts = [handful.read(root / part, size=64).samples for part in ("train", "test")]
        spread = [
            np.linspace(0, len(part) - 1, n).astype(int) for part, n in zip(parts, (rows, test_rows), strict=True)
        ]
        train, test = (np.asarray(part[chosen]) for part, chosen in zip(parts, spread, strict=True))
    return train, test


DATA = {"fashion": read_fashion, "clothing96": read_clothing}


def peers(sigma: float, *, colour: bool) -> dict[str, list[Clean]]:
    """Return scikit-image's methods, each with the settings to choose from."""
    from skimage.restoration import denoise_nl_means, denoise_tv_chambolle, denoise_wavelet

    axis = {"channel_axis": -1} if colour else {}
    wavelet = itertools.product(("BayesShrink", "VisuShrink"), ("db1", "db2", "sym4"))
    far = {"patch_size": 5, "patch_distance": 6, "fast_mode": False, **axis}
    turned = {"convert2ycbcr": colour, "rescale_sigma": True, **axis}
    return {
        "total variation": [partial(denoise_tv_chambolle, weight=w * sigma, **axis) for w in (0.5, 0.75, 1, 1.25, 1.5)],
        "wavelet": [partial(denoise_wavelet, sigma=sigma, method=way, wavelet=name, **turned) for way, name in wavelet],
        "non-local means": [partial(denoise_nl_means, sigma=sigma, h=h * sigma, **far) for h in (0.5, 0.7, 0.9, 1.1)],
    }


def judge(clean: np.ndarray, found: np.ndarray) -> tuple[float, float]:
    """Return the mean PSNR and SSIM of images [N, H, W] or [N, H, W, 3]."""
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    axis, pairs = -1 if clean.ndim == 4 else None, list(zip(clean, found.clip(0, 1), strict=True))
    ratio = np.mean([peak_signal_noise_ratio(a, b, data_range=1) for a, b in pairs])
    return float(ratio), float(
        np.mean([structural_similarity(a, b, data_range=1, channel_axis=axis) for a, b in pairs])
    )


def best_of(methods: list[Clean], clean: np.ndarray, noisy: np.ndarray) -> Clean:
    """Return the method with the highest PSNR."""
    return max(methods, key=lambda method: judge(clean, np.stack([method(image) for image in noisy]))[0])


def as_pictures(samples: np.ndarray) -> np.ndarray:
    """Return samples [N, C, H, W] as [N, H, W] or [N, H, W, 3]."""
    return samples[:, 0] if samples.shape[1] == 1 else np.moveaxis(samples, 1, -1)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=DATA, default="fashion")
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--test-rows", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--peers", type=Path)
    chosen = parser.parse_args()
    if chosen.peers is not None:
        sys.path.append(str(chosen.peers))
    train, test = DATA[chosen.data](chosen.rows, chosen.test_rows)
    began = time.process_time()
    encoder = handful.pretrain(
        handful.read(train),
        "denoising",
        epochs=chosen.epochs,
        seed=chosen.seed,
    )
    print(f"trained in {time.process_time() - began:.0f} processor seconds\n", flush=True)
    restorer, draw = find_restorer(encoder), np.random.default_rng(chosen.seed)
    print("| noise | method | PSNR | SSIM |\n|---|---|---|---|")
    for sigma in STRENGTHS:
        (clean, noisy), (known, known_noisy) = ((part, _noisy(part, sigma, draw)) for part in (test, train[:CHOOSE_ON]))
        ours = clean_batch(encoder, restorer, torch.from_numpy(noisy * 2 - 1).float()).numpy() / 2 + 0.5
        rows = {"noisy": as_pictures(noisy), "handful, denoising": as_pictures(ours)}
        for name, methods in peers(sigma, colour=test.shape[1] == 3).items():
            method = best_of(methods, as_pictures(known / 255), as_pictures(known_noisy))
            rows[f"scikit-image, {name}"] = np.stack([method(image) for image in as_pictures(noisy)])
        for name, found in rows.items():
            ratio, likeness = judge(as_pictures(clean / 255), found)
            print(f"| {sigma} | {name} | {ratio:.2f} | {likeness:.3f} |", flush=True)


def _noisy(pixels: np.ndarray, sigma: float, draw: np.random.Generator) -> np.ndarray:
    """Return images [N, C, H, W] of 0 to 1 with noise."""
    return pixels / 255 + draw.normal(0, sigma, pixels.shape)


if __name__ == "__main__":
    main()
