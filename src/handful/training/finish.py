"""How the vectors of a network become the vectors that are compared."""

from __future__ import annotations

import numpy as np

from handful.encoders.standardise import Standardise

FLOOR_COMPONENTS = 96
TRAINED_COMPONENTS = 128
RIDGES = {
    "floor": 1.0,  # Fashion-MNIST, 5 labels a class: pixels 70.5 -> 73.1, gradients 75.3 -> 77.5 % right
    "trained": 0.01,  # Fashion-MNIST kNN, of 2,000: SimCLR 77.3 -> 81.6, autoencoder 77.3 -> 80.7 % right
    "pretrained": float("inf"),
}
"""How far directions are evened, by where the network comes from. Vectors of a network trained elsewhere are left
uneven: MiniLM on 7,600 news, 8 labels a class, 85.5 % right against 82.3 with a ridge of 1 (spread, then head; 5
draws). Nor are they centred: where one class is most of the data, the mean lies in it. MiniLM on R8, 1 and 8 labels a
class, 90.6 and 94.9 % right against 86.4 and 93.0; news, newsgroups and photos of clothes level, or better by up to
1.7."""


def fit_finish(vectors: np.ndarray, origin: str, *, network: object = None, seed: int = 0) -> Standardise:
    """Return what centres, reduces and evens vectors [N, D] of a network that is a "floor", "trained" or "pretrained".

    network: may say of itself how far its directions are evened (`ridge`) and whether its vectors are `centred`; else
    that is as it is best for its origin. Pretrained ones are not centred.
    Raises InputError where all vectors are equal, or some are not finite.
    """
    components = FLOOR_COMPONENTS if origin == "floor" else TRAINED_COMPONENTS
    ridge = getattr(network, "ridge", RIDGES[origin])
    centred = getattr(network, "centred", origin != "pretrained")
    return Standardise.fit(vectors, components=components, ridge=ridge, centred=centred, seed=seed)
