"""Moving Fashion-MNIST: clips of garments that move over a black canvas and bounce off its sides, made row by row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from handful.data import Dataset
from handful.data.cache import cache_folder
from handful.data.idx import read_idx

SOURCE = Path("/usr/share/datasets/fashion-mnist")
CANVAS, SPRITE, STEP = 64, 28, 0.1
KNOWN = 10
"""Frames from which a benchmark foretells as many."""
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
        made = np.zeros((np.size(chosen), *self.shape[1:]), np.uint8)
        for clip, row in zip(made, np.atleast_1d(chosen), strict=True):
            self._fill(clip, int(row))
        return made if np.ndim(chosen) else made[0]

    def _fill(self, clip: np.ndarray, row: int) -> None:
        draw = np.random.default_rng([self.seed, row])
        for _ in range(self.sprites):
            garment, place, angle = self.garments[draw.integers(len(self.garments))], draw.random(2), draw.random()
            move(clip, garment, place, 2 * np.pi * angle)


@njit(cache=True, nogil=True)
def move(clip: np.ndarray, garment: np.ndarray, place: np.ndarray, angle: float) -> None:
    """Draw a garment that moves from `place` (of the room, 0 to 1) by a tenth of the room a frame into every frame of
    `clip` [T, 1, 64, 64]: the brighter of what is there and the garment, whole pixels; at a side it turns back."""
    place, speed = place.copy(), STEP * np.array([np.sin(angle), np.cos(angle)])
    corner = np.zeros(2, np.int64)
    for at in range(len(clip)):
        for axis in range(2):
            place[axis] += speed[axis]
            if place[axis] <= 0 or place[axis] >= 1:
                place[axis], speed[axis] = min(max(place[axis], 0.0), 1.0), -speed[axis]
            corner[axis] = int(ROOM * place[axis])
        for row in range(SPRITE):
            for column in range(SPRITE):
                shown = garment[row, column]
                if shown > clip[at, 0, corner[0] + row, corner[1] + column]:
                    clip[at, 0, corner[0] + row, corner[1] + column] = shown


def read_garments(part: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the pictures [N, 28, 28] and the classes [N] of "train" or "t10k"."""
    files = [SOURCE / f"{part}-{kind}-ubyte.gz" for kind in ("images-idx3", "labels-idx1")]
    pictures, classes = (np.asarray(read_idx(file, cache_folder())) for file in files)
    return pictures, classes


def directed(n: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return clips [n, 20, 1, 64, 64] of one garment that never meets a side, and their classes."""
    pictures, garments = read_garments("t10k")
    draw = np.random.default_rng(5)
    chosen, directions = draw.integers(len(pictures), size=n), draw.integers(8, size=n)
    clips = np.zeros((n, 2 * KNOWN, 1, CANVAS, CANVAS), np.uint8)
    for clip, picture, direction in zip(clips, pictures[chosen], directions, strict=True):
        angle = 2 * np.pi * direction / 8
        way = 0.045 * np.array([np.sin(angle), np.cos(angle)])  # of the room a frame: half the pace of `moving`
        reach = np.abs(way) * 2 * KNOWN
        place = draw.random(2) * (1 - reach) + np.where(way < 0, reach, 0)
        for step, frame in enumerate(clip[:, 0]):
            top, left = ((CANVAS - SPRITE) * (place + way * step)).astype(int)
            frame[top : top + SPRITE, left : left + SPRITE] = picture
    return clips, {"garment": garments[chosen], "direction": directions}


def as_dataset(clips: Any, *, name: str) -> Dataset:
    """Return clips [N, T, 1, 64, 64] as the data set that reading them gives."""
    n, frames = clips.shape[:2]
    ids = np.arange(n).astype(str)
    settings = {"size": CANVAS, "channels": 1, "window": frames, "every": 1}
    return Dataset("video", ids, clips, ids, fingerprint=name, settings=settings)
