"""A small data set of each kind to try the product on: real where a dependency ships one, made here where none does."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from handful.errors import check_choice


@dataclass(frozen=True)
class Demo:
    """source: what `read` takes; truth: [N] the class of each; words: what it is, and whether it is real or made.

    per_class: how many labels of each class are told; options: of `label`.
    """

    source: Any
    truth: np.ndarray
    words: str
    per_class: int = 3
    options: Mapping[str, Any] = field(default_factory=dict)


def make_demo(kind: str, folder: Path, *, seed: int = 0) -> Demo:
    """Return the data set of a kind; files go to `folder`. Raises InputError for a kind that is not known."""
    check_choice("kind", kind, DEMOS)
    return DEMOS[kind](folder, np.random.default_rng(seed))


def _digits(folder: Path, rng: np.random.Generator) -> Demo:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    words = "1,797 real pictures of handwritten digits, 8 x 8 pixels (UCI, in scikit-learn)"
    return Demo((bunch.images * (255 / 16)).astype(np.uint8), bunch.target, words, 1, {"epochs": 20})


def _manual(folder: Path, rng: np.random.Generator) -> Demo:
    """What SciPy says of its own functions, up to the list of their parameters, by the package they are in."""
    texts: dict[str, str] = {}
    for package in ("signal", "special", "stats", "ndimage"):
        home = importlib.import_module(f"scipy.{package}")
        for name in home.__all__:
            says = " ".join((inspect.getdoc(getattr(home, name)) or "").split("Parameters\n")[0].split()[:60])
            if len(says.split()) >= 20:
                texts.setdefault(says, package)
    words = f"{len(texts)} real descriptions of functions (in SciPy), of four of its packages"
    return Demo(list(texts), np.array(list(texts.values())), words, 4, {"method": "tfidf"})


def _cells(folder: Path, rng: np.random.Generator) -> Demo:
    from sklearn.datasets import load_wine

    bunch = load_wine()
    return Demo(bunch.data, bunch.target, "178 real wines of three growers, 13 measurements (UCI, in scikit-learn)")


def _tones(folder: Path, rng: np.random.Generator) -> Demo:
    import soundfile

    rate, truth = 8000, np.repeat(["falling", "rising", "steady", "trembling"], 50)
    time = np.arange(rate // 2) / rate
    bends = {"falling": -500 * time, "rising": 500 * time, "steady": 0 * time, "trembling": 80 * np.sin(40 * time)}
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for row, name in enumerate(truth):
        pitch = rng.uniform(500, 700) + bends[name]
        heard = 0.4 * np.sin(2 * np.pi * np.cumsum(pitch) / rate) + rng.normal(0, 0.01, len(time))
        paths.append(str(folder / f"{row:03d}.wav"))
        soundfile.write(paths[-1], heard, rate)
    return Demo(paths, truth, "200 MADE tones of half a second: falling, rising, steady, trembling")


def _waves(folder: Path, rng: np.random.Generator) -> Demo:
    truth = np.repeat(["sawtooth", "sine", "square"], 60)
    series = []
    for name in truth:
        phase = (np.arange(96) / rng.uniform(20, 30) + rng.random()) % 1
        wave = {"sawtooth": 2 * phase - 1, "sine": np.sin(2 * np.pi * phase), "square": np.sign(phase - 0.5)}[name]
        series.append(wave + rng.normal(0, 0.2, 96))
    words = "180 MADE sensor traces of 96 steps with noise: sawtooth, sine, square"
    return Demo(np.stack(series)[:, None].astype(np.float32), truth, words, 3, {"method": "untrained"})


def _pans(folder: Path, rng: np.random.Generator) -> Demo:
    from sklearn.datasets import load_sample_images

    clips, truth = [], []
    for name, photo in zip(("temple", "flower"), load_sample_images().images, strict=True):
        small = photo[::4, ::4].transpose(2, 0, 1)  # [C, H, W]
        for _ in range(80):
            down, across = 2 * rng.integers(-1, 2, 2)
            top, left = (int(rng.integers(14, length - 46)) for length in small.shape[1:])
            corners = [(top + step * down, left + step * across) for step in range(8)]
            clips.append(np.stack([small[:, y : y + 32, x : x + 32] for y, x in corners]))
            truth.append(name)
    words = "160 clips of 8 frames MADE by moving a window over two real photos (in scikit-learn): which photo is it?"
    return Demo(np.stack(clips), np.array(truth), words, 4)


DEMOS: dict[str, Callable[[Path, np.random.Generator], Demo]] = {
    "image": _digits,
    "text": _manual,
    "audio": _tones,
    "series": _waves,
    "video": _pans,
    "table": _cells,
}
"""What makes the data set of each kind."""
