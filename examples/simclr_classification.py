"""SimCLR embeddings -> classification: digits told apart by a linear classifier from ten labels a class.

Data: 1,797 real pictures of digits (scikit-learn). Expected: 80 % right; about 40 s.
"""

import sys

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

import handful

METHOD = "simclr"


def main(quick: bool = False, method: str = METHOD) -> float:
    bunch = load_digits()
    rows = np.random.default_rng(0).permutation(len(bunch.target))[: 300 if quick else None]
    truth = bunch.target[rows]
    data = handful.read((bunch.images[rows] * (255 / 16)).astype(np.uint8))
    encoder = handful.pretrain(data, method, epochs=1 if quick else 15)
    vectors = encoder.embed(data).vectors
    told = np.concatenate([np.flatnonzero(truth == digit)[:10] for digit in range(10)])
    rest = np.setdiff1d(np.arange(len(truth)), told)
    right = LogisticRegression(C=10, max_iter=1000).fit(vectors[told], truth[told]).score(vectors[rest], truth[rest])
    print(f"{method} embeddings, logistic regression on 100 labels: {right:.1%} of {len(rest)} others right")
    return right


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
