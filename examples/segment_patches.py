"""Segmentation from a few marked patches: every pixel's class from six marked squares in two of eight pictures.

Data: pictures MADE of two real photos (scikit-learn), one inside a disc and one around it, so that the truth is known.
Writes segments.png: picture, found, true. Expected: overlap with the truth 65 %; about 10 s.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_images

import handful


def main(quick: bool = False, out: Path = Path("segments.png")) -> float:
    temple, flower = (photo[::3, ::3] for photo in load_sample_images().images)
    rng, side, count = np.random.default_rng(0), 48, 4 if quick else 8
    rows, columns = np.mgrid[:side, :side]
    middles, corners = rng.integers(16, side - 16, (count, 2)), rng.integers(0, 80, (count, 2))
    truth = np.stack([((rows - y) ** 2 + (columns - x) ** 2 < 15**2).astype(int) for y, x in middles])
    cut = [np.stack([photo[y : y + side, x : x + side] for y, x in corners]) for photo in (temple, flower)]
    pictures = np.where(truth[..., None] == 1, cut[1], cut[0])
    marks = np.full(truth.shape, -1)
    for picture, (y, x) in enumerate(middles[:2]):
        for top, left in ((y - 3, x - 3), (0, 0), (side - 6, side - 6)):
            marks[picture, top : top + 6, left : left + 6] = truth[picture, top : top + 6, left : left + 6]
    data = handful.read(pictures, size=side)
    found = handful.segment(handful.pretrain(data, "random"), data, marks)
    overlap = float(np.mean(list(found.overlap(truth).values())))
    masks = [np.repeat(255 * mask[..., None].clip(0), 3, -1).astype(np.uint8) for mask in (found.labels[-1], truth[-1])]
    Image.fromarray(np.concatenate([pictures[-1], *masks], 1)).save(out)
    print(f"overlap with the truth {overlap:.1%} on {count} pictures, {(marks >= 0).sum()} pixels marked; {out}")
    return overlap


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
