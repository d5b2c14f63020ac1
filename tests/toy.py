"""A small data set of each kind, with something to learn in it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from handful.data import Dataset, Samples
from handful.modalities.series_samples import Sequences
from handful.modalities.table_reading import TableRows


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


def toy_sounds(n: int = 96, *, rate: int = 4000, seed: int = 0) -> Dataset:
    """Return tones that rise or fall, of several lengths, with a little noise."""
    draw = np.random.default_rng(seed)
    sounds = []
    for row in range(n):
        time = np.arange(int(draw.uniform(0.2, 0.5) * rate)) / rate
        pitch = draw.uniform(300, 600) + (600 if row % 2 else -400) * time
        heard = np.sin(2 * np.pi * np.cumsum(pitch) / rate) + draw.normal(0, 0.02, len(time))
        sounds.append((8000 * heard).astype(np.int16)[:, None])
    return as_dataset("audio", Sequences.pack(sounds), rate=rate, bands=16)


def toy_series(n: int = 96, *, seed: int = 0) -> Dataset:
    """Return series of two channels and several lengths: slow waves or fast ones."""
    draw = np.random.default_rng(seed)
    series = []
    for row in range(n):
        time = np.arange(draw.integers(30, 60)) + draw.uniform(0, 30)
        wave = np.stack([np.sin(time / (2 + 4 * (row % 2))), np.cos(time / 5)], 1)
        series.append((wave + draw.normal(0, 0.1, wave.shape)).astype(np.float32))
    return as_dataset("series", Sequences.pack(series), channels=2)


def toy_tables(n: int = 96, *, seed: int = 0) -> Dataset:
    """Return rows of two sorts: numbers that go together, a category that follows the sort, some cells missing."""
    draw = np.random.default_rng(seed)
    sort = np.arange(n) % 2
    cells = draw.normal(size=(n, 5)) + 3 * sort[:, None] * [1, -1, 1, 0, 0]
    cells[:, 3] = cells[:, 0] * 2 + draw.normal(0, 0.1, n)
    cells[draw.random((n, 5)) < 0.05] = np.nan
    shops = np.where(sort == 0, draw.choice([11.0, 12.0], n), 13.0)
    columns = [*([f"x{place}", "number"] for place in range(5)), ["shop", "category"]]
    return as_dataset(
        "table",
        TableRows(np.column_stack([cells, shops]), tuple((name, kind) for name, kind in columns)),
        columns=columns,
    )


def toy_videos(n: int = 32, *, size: int = 12, frames: int = 4, seed: int = 0) -> Dataset:
    """Return clips of a bright square that moves to the right or downwards by two pixels a frame."""
    draw = np.random.default_rng(seed)
    clips = draw.normal(40, 5, (n, frames, 1, size, size))
    for row, clip in enumerate(clips):
        top, left = draw.integers(0, 4, 2)
        for step in range(frames):
            down, across = (2 * step, 0) if row % 2 else (0, 2 * step)
            clip[step, 0, top + down : top + down + 3, left + across : left + across + 3] += 180
    settings = {"size": size, "channels": 1, "window": frames, "every": 1}
    return as_dataset("video", clips.clip(0, 255).astype(np.uint8), **settings)


TOYS: dict[str, Callable[..., Dataset]] = {
    "image": toy_images,
    "text": toy_texts,
    "audio": toy_sounds,
    "series": toy_series,
    "table": toy_tables,
    "video": toy_videos,
}
"""One for each kind of data that the registry names."""
