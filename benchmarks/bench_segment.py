"""Segmentation of real photos from a few marked squares, beside scikit-image's random walker.

    HANDFUL_DATA=FOLDER python benchmarks/bench_segment.py

Photos of garments (clothing96, 64 pixels) that lie on a plain ground, so that the truth can be told: what differs from
the colour of the border, without holes. They are then laid on real textures (grass, gravel, brick, of scikit-image),
where colour alone does not tell it. Marked are one square of 6 x 6 pixels on the garment and one in two corners: in
every photo, and in a quarter of the photos only, which the random walker, one photo at a time, cannot use. Prints mean
intersection over union over both classes and all photos, in %, mean and standard deviation over draws of the photos.
"""

from __future__ import annotations

import argparse
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import binary_erosion, binary_fill_holes, label
from skimage import data as skimage_data
from skimage.segmentation import random_walker

import handful

SIDE, SQUARE = 64, 6
PLAIN = 12.0  # standard deviation of the border's grey values, at most
APART = 45.0  # grey values by which the garment differs from the border in some channel


def photos() -> Iterator[np.ndarray]:
    """Yield the photos [64, 64, 3] of the training set, in the order of their names."""
    path = Path(os.environ.get("HANDFUL_DATA", "../shared/data")) / "clothing96.tar"
    with tarfile.open(path) as archive:
        for member in sorted(archive.getmembers(), key=lambda member: member.name):
            if "/train/" in member.name and member.isfile():
                with Image.open(archive.extractfile(member)) as picture:  # type: ignore[arg-type]
                    side = min(picture.size)
                    left, top = ((length - side) // 2 for length in picture.size)
                    square = picture.convert("RGB").crop((left, top, left + side, top + side))
                    yield np.asarray(square.resize((SIDE, SIDE), Image.Resampling.BOX))


def truth_of(photo: np.ndarray) -> np.ndarray | None:
    """Return where the garment is [64, 64], None where the ground is not plain or the garment has no clear outline."""
    border = np.concatenate([photo[:2].reshape(-1, 3), photo[-2:].reshape(-1, 3), photo[:, :2].reshape(-1, 3)])
    if border.std(0).max() > PLAIN:
        return None
    differs = np.abs(photo.astype(float) - np.median(border, 0)).max(2) > APART
    parts, count = label(differs)
    if not count:
        return None
    largest = binary_fill_holes(parts == 1 + np.argmax(np.bincount(parts.ravel())[1:]))
    inner = binary_erosion(largest, np.ones((SQUARE, SQUARE)))
    return largest if 0.15 < largest.mean() < 0.7 and inner.any() and not largest[:8, :8].any() else None


def on_texture(photo: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the garment on a piece of a real texture."""
    grounds = [skimage_data.grass(), skimage_data.gravel(), skimage_data.brick()]
    ground = grounds[rng.integers(len(grounds))][::2, ::2]
    top, left = rng.integers(0, ground.shape[0] - SIDE, 2)
    piece = ground[top : top + SIDE, left : left + SIDE, None]
    return np.where(truth[..., None], photo, piece).astype(np.uint8)


def marks_of(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return [64, 64]: 1 in a square on the garment, 0 in squares in two corners, -1 elsewhere."""
    marks = np.full(truth.shape, -1)
    rows, columns = np.nonzero(binary_erosion(truth, np.ones((SQUARE, SQUARE))))
    at = rng.integers(len(rows))
    top, left = rows[at] - SQUARE // 2, columns[at] - SQUARE // 2
    marks[top : top + SQUARE, left : left + SQUARE] = 1
    marks[:SQUARE, :SQUARE] = 0
    if not truth[-SQUARE:, -SQUARE:].any():
        marks[-SQUARE:, -SQUARE:] = 0
    return marks


def overlap(found: np.ndarray, truth: np.ndarray) -> float:
    """Return in % the mean intersection over union of both classes, over all photos [N, 64, 64]."""
    shares = [((found == k) & (truth == k)).sum() / ((found == k) | (truth == k)).sum() for k in (0, 1)]
    return 100 * float(np.mean(shares))


def walk(pictures: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Return the classes [N, 64, 64] that scikit-image's random walker finds, photo by photo."""
    return np.stack(
        [
            random_walker(one / 255.0, mark + 1, beta=90, mode="cg_j", channel_axis=-1) - 1
            for one, mark in zip(pictures, marks, strict=True)
        ]
    )


def judge(pictures: np.ndarray, truth: np.ndarray, marks: np.ndarray) -> dict[str, float]:
    """Return the overlap of each way."""
    data, few = handful.read(pictures, size=SIDE), marks.copy()
    few[len(few) // 4 :] = -1
    encoder = handful.pretrain(data, "random")
    found = {
        "handful, every photo marked": handful.segment(encoder, data, marks).labels,
        "handful, a quarter of the photos marked": handful.segment(encoder, data, few).labels,
        "random walker, every photo marked": walk(pictures, marks),
    }
    return {name: overlap(labels, truth) for name, labels in found.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=24)
    parser.add_argument("--draws", type=int, default=3)
    chosen = parser.parse_args()
    plain = [(photo, truth) for photo in photos() if (truth := truth_of(photo)) is not None]
    print(f"{len(plain)} photos on a plain ground; {chosen.photos} in each of {chosen.draws} draws")
    scores: dict[tuple[str, str], list[float]] = {}
    for draw in range(chosen.draws):
        rng = np.random.default_rng(draw)
        picked = [plain[row] for row in rng.permutation(len(plain))[: chosen.photos]]
        pictures, truth = (np.stack(part) for part in zip(*picked, strict=True))
        marks = np.stack([marks_of(one, rng) for one in truth])
        textured = np.stack([on_texture(*pair, rng) for pair in picked])
        for ground, shown in (("plain", pictures), ("texture", textured)):
            for name, score in judge(shown, truth, marks).items():
                scores.setdefault((ground, name), []).append(score)
    for (ground, name), found in scores.items():
        print(f"| {ground} | {name} | {np.mean(found):.1f} ({np.std(found):.1f}) |")


if __name__ == "__main__":
    main()
