"""Moving Fashion-MNIST: clips of garments that move over a black canvas and bounce off its sides, made row by row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from handful.data import Dataset
from handful.data.cache import cache_folder
from handful.data.idx import read_idx

SOURCE = Path("/usr/share/datasets/fashion-mnist")
CANVAS, SPRITE, STEP = 64, 28, 0.1
ROOM = CANVAS - SPRITE
Draw = Callable[[np.random.Generator], tuple[int, float]]


@dataclass(frozen=True)
class Clips:
    """N clips that are made when they are read: `clips[rows]` gives uint8 [M, T, 1, 64, 64], row by row the same.

    garments: [G, 28, 28] uint8. sprites: of each clip. speed: of the room a frame.
    """

    garments: np.ndarray
    n: int
    seed: int
    frames: int = 20
    sprites: int = 2

    def __len__(self) -> int:
        return self.n

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.n, self.frames, 1, CANVAS, CANVAS)

    def __getitem__(self, rows: Any) -> np.ndarray:
        chosen = np.arange(self.n)[rows]
        made = np.stack([self._make(int(row)) for row in np.atleast_1d(chosen)])
        return made if np.ndim(chosen) else made[0]

    def _make(self, row: int) -> np.ndarray:
        draw = np.random.default_rng([self.seed, row])
        clip = np.zeros((self.frames, 1, CANVAS, CANVAS), np.uint8)
        for _ in range(self.sprites):
            garment, place, angle = self.garments[draw.integers(len(self.garments))], draw.random(2), draw.random()
            move(clip, garment, place, 2 * np.pi * angle)
        return clip


def move(clip: np.ndarray, garment: np.ndarray, place: np.ndarray, angle: float) -> None:
    """Draw a garment that moves from `place` (of the room, 0 to 1) by a tenth of the room a frame into every frame of
    `clip` [T, 1, 64, 64]: the brighter of what is there and the garment, whole pixels; at a side it turns back."""
    place, speed = place.copy(), STEP * np.array([np.sin(angle), np.cos(angle)])
    for frame in clip[:, 0]:
        place += speed
        beyond = (place <= 0) | (place >= 1)
        place, speed = place.clip(0, 1), np.where(beyond, -speed, speed)
        top, left = (ROOM * place).astype(int)
        there = frame[top : top + SPRITE, left : left + SPRITE]
        np.maximum(there, garment, out=there)


def read_garments(part: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the pictures [N, 28, 28] and the classes [N] of "train" or "t10k"."""
    files = [SOURCE / f"{part}-{kind}-ubyte.gz" for kind in ("images-idx3", "labels-idx1")]
    pictures, classes = (np.asarray(read_idx(file, cache_folder())) for file in files)
    return pictures, classes


def as_dataset(clips: Any, *, name: str) -> Dataset:
    """Return clips [N, T, 1, 64, 64] as the data set that reading them gives."""
    n, frames = clips.shape[:2]
    ids = np.arange(n).astype(str)
    settings = {"size": CANVAS, "channels": 1, "window": frames, "every": 1}
    return Dataset("video", ids, clips, ids, fingerprint=name, settings=settings)
