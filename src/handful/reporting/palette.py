"""Colours for classes that stay apart for people with and without colour blindness.

The first are those of Okabe and Ito (2008) that stand out from white. Each next one is the farthest from all before
it, where the distance of two colours is the mean of what people with normal sight see and of what red-blind or
green-blind people see, whichever is less. Distances are taken in Oklab (Ottosson 2020); the sight of colour-blind
people is simulated after Machado, Oliveira and Fernandes (IEEE TVCG 15, 2009).
"""

from __future__ import annotations

from functools import cache

import numpy as np

FIRST = ("0072b2", "e69f00", "009e73", "d55e00", "cc79a7", "56b4e9")
LIMIT = 100  # colours beyond this many cannot be told apart and repeat

SIGHTS = np.array(
    [
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    ]
)
_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def class_colours(count: int) -> list[tuple[str, str]]:
    """Return `count` pairs of hexadecimal colours, one for light paper and one of the same hue for dark paper."""
    colours = _spread(min(max(count, 1), LIMIT))
    return [colours[index % len(colours)] for index in range(count)]


@cache
def _spread(count: int) -> tuple[tuple[str, str], ...]:
    lab = np.concatenate([_to_lab(_from_hex(FIRST)), _candidates()])
    normal, red_blind, green_blind = (_to_lab(np.clip(_to_linear(lab) @ sight.T, 0, 1)) for sight in SIGHTS)
    chosen: list[int] = []
    nearest = np.full(len(lab), np.inf)
    while len(chosen) < count:
        latest = len(chosen) if len(chosen) < len(FIRST) else int(np.argmax(nearest))
        chosen.append(latest)
        gaps = [np.linalg.norm(seen - seen[latest], axis=1) for seen in (normal, red_blind, green_blind)]
        nearest = np.minimum(nearest, gaps[0] + np.minimum(gaps[1], gaps[2]))
    return tuple((_to_hex(lab[index]), _to_hex(_for_dark_paper(lab[index]))) for index in chosen)


def _candidates() -> np.ndarray:
    """Return [n, 3] Oklab colours that can be shown and stand out from light paper, and lighter from dark paper."""
    lightness, chroma, hue = np.meshgrid(
        np.linspace(0.42, 0.74, 9), [0.04, 0.09, 0.13, 0.17], np.radians(np.arange(0, 360, 10)), indexing="ij"
    )
    lab = np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=-1).reshape(-1, 3)
    linear = _to_linear(lab)
    return lab[((linear >= 0) & (linear <= 1)).all(axis=1)]


def _to_linear(lab: np.ndarray) -> np.ndarray:
    """Return linear RGB [n, 3] of Oklab [n, 3]."""
    return (lab @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_LMS).T


def _to_lab(linear: np.ndarray) -> np.ndarray:
    """Return Oklab [n, 3] of linear RGB [n, 3]."""
    return np.cbrt(linear @ _TO_LMS.T) @ _TO_LAB.T


def _for_dark_paper(lab: np.ndarray) -> np.ndarray:
    """Return an Oklab colour [3] of the same hue whose lightness is in .59 to .80 instead of .42 to .74."""
    return np.array([0.30 + 0.68 * lab[0], lab[1], lab[2]])


def _from_hex(colours: tuple[str, ...]) -> np.ndarray:
    """Return linear RGB [n, 3] of hexadecimal colours."""
    coded = np.array([list(bytes.fromhex(colour)) for colour in colours]) / 255
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def _to_hex(lab: np.ndarray) -> str:
    linear = np.clip(_to_linear(lab), 0, 1)
    coded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return "#" + bytes((255 * coded).round().astype(np.uint8)).hex()
