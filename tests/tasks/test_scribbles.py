"""Marks as files are cut and shrunk as their photos were, and no stroke is lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from toy import as_dataset, toy_images

from handful.data import Dataset
from handful.errors import InputError
from handful.tasks.scribbles import read_scribbles, write_masks
from handful.tasks.segment import Segmentation


def _data(fit: str = "crop") -> Dataset:
    return as_dataset("image", np.zeros((2, 1, 10, 10), np.uint8), size=10, channels=1, fit=fit)


def _marked(folder: Path, marks: np.ndarray) -> Path:
    Image.fromarray(marks.astype(np.uint8)).save(folder / "item-1.png")
    return folder


def test_a_stroke_of_one_pixel_survives_the_shrinking(tmp_path: Path) -> None:
    marks = np.zeros((40, 40))
    marks[13], marks[30, 5] = 3, 200
    found = read_scribbles(_marked(tmp_path, marks), _data())
    assert (found[0] == -1).all()
    assert (found[1, 3] == 3).all()
    assert found[1, 7, 1] == 200
    assert (found[1] != -1).sum() == 11


def test_marks_are_cut_as_their_photo_was(tmp_path: Path) -> None:
    marks = np.zeros((20, 40))
    marks[:, :10], marks[:, 10:20] = 1, 2
    cropped = read_scribbles(_marked(tmp_path, marks), _data())[1]
    squashed = read_scribbles(tmp_path, _data("squash"))[1]
    assert set(np.unique(cropped)) == {-1, 2}
    assert (cropped[:, :5] == 2).all()
    assert (squashed[:, :2] == 1).all()
    assert (squashed[:, 3:5] == 2).all()


def test_masks_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    labels = np.random.default_rng(0).integers(-1, 2, (2, 10, 10))
    found = Segmentation(np.array([4, 7]), labels, np.ones(labels.shape))
    assert len(write_masks(found, _data(), tmp_path)) == 2
    assert (read_scribbles(tmp_path, _data()) == np.where(labels == -1, -1, found.classes[labels])).all()


def test_a_damaged_picture_of_marks_is_named(tmp_path: Path) -> None:
    (tmp_path / "item-0.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"item-0\.png cannot be decoded: save it as PNG"):
        read_scribbles(tmp_path, toy_images(2))
