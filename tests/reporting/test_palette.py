"""Colours of classes stay apart for everyone."""

from __future__ import annotations

import numpy as np
import pytest

from handful.reporting.palette import LIMIT, SIGHTS, class_colours


def rgb(colour: str) -> np.ndarray:
    coded = np.array(list(bytes.fromhex(colour[1:]))) / 255
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def contrast(colour: str, paper: str) -> float:
    """Return the contrast ratio of WCAG 2."""
    light, dark = sorted((float(rgb(c) @ [0.2126, 0.7152, 0.0722]) for c in (colour, paper)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("count", [2, 10, 30, LIMIT])
def test_every_class_has_a_colour_of_its_own(count: int) -> None:
    colours = class_colours(count)
    assert len({light for light, _ in colours}) == len({dark for _, dark in colours}) == count


def test_colours_stand_out_from_light_and_from_dark_paper() -> None:
    assert min(contrast(light, "#ffffff") for light, _ in class_colours(LIMIT)) > 1.9
    assert min(contrast(dark, "#15171b") for _, dark in class_colours(LIMIT)) > 2.9


@pytest.mark.parametrize("sight", SIGHTS, ids=["normal", "red-blind", "green-blind"])
def test_first_ten_colours_differ_in_every_sight(sight: np.ndarray) -> None:
    seen = np.array([np.clip(sight @ rgb(light), 0, 1) for light, _ in class_colours(10)]) ** (1 / 2.4)
    gaps = np.linalg.norm(seen[:, None] - seen[None], axis=2)[np.triu_indices(10, 1)]
    assert gaps.min() > 0.06


def test_more_classes_than_colours_repeat_them() -> None:
    colours = class_colours(LIMIT + 3)
    assert len(colours) == LIMIT + 3
    assert colours[LIMIT:] == colours[:3]


def test_more_classes_keep_the_colours_of_fewer() -> None:
    assert class_colours(30)[:8] == class_colours(8)
