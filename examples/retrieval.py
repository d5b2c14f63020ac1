"""Retrieval: the pictures most like a new one, by the vectors of an encoder trained without labels.

Data: 1,797 real pictures of digits (scikit-learn); every tenth asks, the others are found. Expected: 96 % of what is
found shows the digit asked for; about 50 s.
"""

import sys

import numpy as np
from sklearn.datasets import load_digits

import handful


def main(quick: bool = False) -> float:
    bunch = load_digits()
    pictures = (bunch.images * (255 / 16)).astype(np.uint8)[: 300 if quick else None]
    truth = bunch.target[: len(pictures)]
    asks = np.arange(len(pictures)) % 10 == 0
    data = handful.read(pictures[~asks])
    encoder = handful.pretrain(data, "auto", epochs=1 if quick else 10)
    known, new = encoder.embed(data), encoder.embed(encoder.read(pictures[asks])).vectors
    found = [handful.similar(known, vector, 10).ids.astype(int) for vector in new]
    shares = [(truth[~asks][rows] == digit).mean() for rows, digit in zip(found, truth[asks], strict=True)]
    print(f"{np.mean(shares):.1%} of the ten pictures found show the digit asked for (chance 10%)")
    return float(np.mean(shares))


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
