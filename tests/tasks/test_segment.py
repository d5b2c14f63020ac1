"""A few marked pixels, and a class for all of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from toy import as_dataset

from handful import pretrain
from handful.data import Dataset
from handful.errors import InputError
from handful.tasks import segment


def _discs(n: int = 6, size: int = 20) -> tuple[Dataset, np.ndarray]:
    """Return textured discs on another texture of the same mean brightness, and which pixels are disc."""
    draw = np.random.default_rng(0)
    down, across = np.mgrid[:size, :size]
    centres = draw.uniform(6, size - 6, (n, 2))
    inside = np.stack([(down - y) ** 2 + (across - x) ** 2 < 25 for y, x in centres])
    stripes = np.where(down % 2 == 0, 60, 190)
    pictures = np.where(inside, stripes, 125)[:, None] + draw.normal(0, 8, (n, 3, size, size))
    return as_dataset("image", pictures.clip(0, 255).astype(np.uint8), size=size, channels=3, fit="crop"), inside


def _scribbles(inside: np.ndarray, each: int = 12) -> np.ndarray:
    """Return a few marked pixels of the first image only: 7 for ground, 9 for disc."""
    marked = np.full(inside.shape, -1)
    draw = np.random.default_rng(1)
    for value, where in ((7, ~inside[0]), (9, inside[0])):
        rows = draw.permutation(np.argwhere(where))[:each]
        marked[0, rows[:, 0], rows[:, 1]] = value
    return marked


def _texture(images: torch.Tensor) -> torch.Tensor:
    return (images[:, :, 1:] - images[:, :, :-1]).abs().mean(1, keepdim=True)


def test_marks_in_one_image_find_the_texture_in_all() -> None:
    data, inside = _discs()
    found = segment(_texture, data, _scribbles(inside), place=0.0, colour=0.0)
    overlap = found.overlap(inside.astype(int))
    assert found.classes.tolist() == [7, 9]
    assert overlap[9] > 0.6
    assert overlap[7] > 0.85


def test_marked_pixels_keep_their_class_and_the_rest_a_confidence() -> None:
    data, inside = _discs(3)
    marks = _scribbles(inside)
    found = segment(_texture, data, marks)
    given = marks != -1
    assert (found.classes[found.labels[given]] == marks[given]).all()
    assert (found.confidence[given] == 1).all()
    assert ((found.confidence >= 0) & (found.confidence <= 1)).all()
    assert found.labels.shape == (3, 20, 20)


@pytest.mark.parametrize("method", ["random", "masked", "gradients"])
def test_the_maps_of_an_encoder_are_used(method: str) -> None:
    data, inside = _discs(4)
    encoder = pretrain(data, method, epochs=1, batch_size=4, precision="no")
    found = segment(encoder, data, _scribbles(inside))
    assert (found.labels >= 0).mean() > 0.9


def test_marks_of_one_class_or_of_another_shape_are_refused() -> None:
    data, inside = _discs(2)
    with pytest.raises(InputError, match="scribbles name 1 classes: mark pixels of at least 2"):
        segment(_texture, data, np.where(_scribbles(inside) == 7, 7, -1))
    with pytest.raises(InputError, match=r"scribbles are \[N, H, W\] = \(2, 20, 20\) numbers, got \(2, 5, 5\)"):
        segment(_texture, data, np.zeros((2, 5, 5)))


def test_overlap_of_the_truth_with_itself_is_one_and_unjudged_pixels_do_not_count() -> None:
    data, inside = _discs(2)
    found = segment(_texture, data, _scribbles(inside))
    assert found.overlap(found.labels) == {7: 1.0, 9: 1.0}
    wrong = np.where(found.labels == 0, 1, -1)
    assert found.overlap(wrong)[7] == 0.0
