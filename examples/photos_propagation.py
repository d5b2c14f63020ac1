"""SimCLR -> label propagation on colour photos: which photo is a piece from? Three labels a class.

Data: pieces of real photos: two of scikit-learn, four of scikit-image if installed. Expected: 65 % of six photos;
about 2 min."""

import contextlib
import sys
import tempfile

import numpy as np
from sklearn.datasets import load_sample_images

import handful


def photos() -> list[np.ndarray]:
    with contextlib.suppress(ImportError):
        from skimage import data

        return [*load_sample_images().images, data.astronaut(), data.chelsea(), data.coffee(), data.rocket()]
    return load_sample_images().images


def main(quick: bool = False) -> float:
    rng, pieces, each = np.random.default_rng(0), [], 20 if quick else 150
    for photo in photos():
        tops, lefts = (rng.integers(0, (length - 96) // 3, each) for length in photo.shape[:2])
        pieces += [photo[::3, ::3][y : y + 32, x : x + 32] for y, x in zip(tops, lefts, strict=True)]
    truth = np.repeat(np.arange(len(pieces) // each), each)
    told = np.where(np.arange(len(truth)) % each < 3, truth, -1)
    data = handful.read(np.stack(pieces), told)
    with tempfile.TemporaryDirectory() as scratch:
        run = handful.label(data, out=f"{scratch}/run", method="simclr", epochs=1 if quick else 15)
        right = (np.array(run.labels["label"].to_pylist()) == truth)[told < 0].mean()
    print(f"{right:.1%} of {(told < 0).sum()} pieces of {truth.max() + 1} photos right, from 3 labels a photo")
    return float(right)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
