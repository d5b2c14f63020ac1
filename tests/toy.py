"""A small data set of each kind, with something to learn in it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from handful.data import Dataset, Samples


def as_dataset(modality: str, samples: Samples, **settings: object) -> Dataset:
    """Return samples as the data set that reading them gives."""
    ids = np.array([f"item-{row}" for row in range(len(samples))])
    return Dataset(modality, ids, samples, ids, fingerprint=f"{modality}-{len(samples)}", settings=settings)


def toy_images(n: int = 96, *, size: int = 12, channels: int = 3, seed: int = 0) -> Dataset:
    """Return pictures of one bright bar on a dark ground: upright or flat, of some colour, anywhere."""
    draw = np.random.default_rng(seed)
    pictures = draw.normal(40, 12, (n, channels, size, size))
    for row, picture in enumerate(pictures):
        along, across = draw.integers(1, size - 3, 2)
        bar = picture[:, :, along : along + 2] if row % 2 else picture[:, along : along + 2]
        bar += draw.uniform(80, 200, channels)[:, None, None]
        picture *= 1 - 0.02 * across
    return as_dataset("image", pictures.clip(0, 255).astype(np.uint8), size=size, channels=channels, fit="crop")


def toy_texts(n: int = 96, *, seed: int = 0) -> Dataset:
    """Return short reports of the weather or of games: words of one kind stand together."""
    draw = np.random.default_rng(seed)
    words = (
        ["rain", "wind", "cloud", "storm", "sunny", "cold", "warm", "snow", "sky", "north"],
        ["goal", "team", "match", "won", "lost", "player", "coach", "score", "league", "ball"],
    )
    texts = [" ".join(draw.choice(words[row % 2], draw.integers(4, 12))) for row in range(n)]
    return as_dataset("text", np.array(texts, dtype=object))


TOYS: dict[str, Callable[..., Dataset]] = {"image": toy_images, "text": toy_texts}
"""One for each kind of data that the registry names."""
