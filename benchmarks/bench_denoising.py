"""Denoising of Fashion-MNIST beside scikit-image: PSNR in dB and SSIM at three strengths of noise.

    python benchmarks/bench_denoising.py --rows 2000 --epochs 20

One network, trained on the first images of the training set without knowing any strength, cleans the first images of
the test set; scikit-image's methods are told the strength, and their settings are the best of those listed, chosen on
training images. Needs the Debian package dataset-fashion-mnist, scikit-image and PyWavelets. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle, denoise_wavelet

import handful
from handful.tasks.denoise import clean_batch, find_restorer

FOLDER = Path("/usr/share/datasets/fashion-mnist")
STRENGTHS = (0.1, 0.2, 0.4)  # standard deviation of the noise, black 0 and white 1
CHOOSE_ON = 40  # training images
Clean = Callable[[np.ndarray], np.ndarray]  # [28, 28] -> [28, 28]


def peers(sigma: float) -> dict[str, list[Clean]]:
    """Return scikit-image's methods, each with the settings to choose from."""
    wavelet = itertools.product(("BayesShrink", "VisuShrink"), ("db1", "db2", "sym4"))
    far = {"patch_size": 5, "patch_distance": 6, "fast_mode": False}
    return {
        "total variation": [partial(denoise_tv_chambolle, weight=w * sigma) for w in (0.5, 0.75, 1.0, 1.25, 1.5)],
        "wavelet": [
            partial(denoise_wavelet, sigma=sigma, method=method, wavelet=name, rescale_sigma=True)
            for method, name in wavelet
        ],
        "non-local means": [partial(denoise_nl_means, sigma=sigma, h=h * sigma, **far) for h in (0.5, 0.7, 0.9, 1.1)],
    }


def judge(clean: np.ndarray, found: np.ndarray) -> tuple[float, float]:
    """Return the mean PSNR and SSIM of images [N, 28, 28]."""
    found = found.clip(0, 1)
    pairs = list(zip(clean, found, strict=True))
    ratio = np.mean([peak_signal_noise_ratio(a, b, data_range=1) for a, b in pairs])
    return float(ratio), float(np.mean([structural_similarity(a, b, data_range=1) for a, b in pairs]))


def best_of(methods: list[Clean], clean: np.ndarray, noisy: np.ndarray) -> Clean:
    """Return the method with the highest PSNR."""
    return max(methods, key=lambda method: judge(clean, np.stack([method(image) for image in noisy]))[0])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--test-rows", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    train = handful.read(FOLDER / "train-images-idx3-ubyte.gz").samples[np.arange(chosen.rows)]
    test = handful.read(FOLDER / "t10k-images-idx3-ubyte.gz").samples[np.arange(chosen.test_rows)]
    encoder = handful.pretrain(
        handful.read(train), "denoising", epochs=chosen.epochs, batch_size=64, learning_rate=2e-3, seed=chosen.seed
    )
    restorer = find_restorer(encoder)
    draw = np.random.default_rng(chosen.seed)
    print("| noise | method | PSNR | SSIM |\n|---|---|---|---|")
    for sigma in STRENGTHS:
        clean, known = test[:, 0] / 255.0, train[:CHOOSE_ON, 0] / 255.0
        noisy, known_noisy = (part + draw.normal(0, sigma, part.shape) for part in (clean, known))
        scaled = handful_scale(noisy)
        ours = (clean_batch(encoder, restorer, scaled).numpy()[:, 0] + 1) / 2
        rows = {"noisy": noisy, "handful, denoising": ours}
        for name, methods in peers(sigma).items():
            method = best_of(methods, known, known_noisy)
            rows[f"scikit-image, {name}"] = np.stack([method(image) for image in noisy])
        for name, found in rows.items():
            ratio, likeness = judge(clean, found)
            print(f"| {sigma} | {name} | {ratio:.2f} | {likeness:.3f} |", flush=True)


def handful_scale(images: np.ndarray) -> object:
    """Return images [N, 28, 28] of 0 to 1 as a batch [N, 1, 28, 28] of -1 to 1."""
    import torch

    return torch.from_numpy(images[:, None] * 2 - 1).float()


if __name__ == "__main__":
    main()
