"""Marked pixels as files: a picture of class numbers for each photo, read and written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from handful.data import Dataset
from handful.errors import InputError
from handful.files import written_whole
from handful.tasks.outputs import output_paths
from handful.tasks.segment import ABSENT, Segmentation

UNMARKED = 0
COLOURS = (0, 0, 0, 230, 159, 0, 86, 180, 233, 0, 158, 115, 240, 228, 66, 0, 114, 178, 213, 94, 0, 204, 121, 167)
"""Black for no class, then colours that stay apart to people who see some of them alike (Okabe and Ito 2008)."""


def read_scribbles(folder: str | Path, data: Dataset) -> np.ndarray:
    """Return the marks [N, H, W] int64 on the photos of `data`: class numbers from 1, -1 where nothing is marked.

    folder: holds, for each photo that is marked, a PNG of its id and size, grey or with a palette, whose pixels are
    class numbers and 0 where nothing is marked. It is cut and shrunk as its photo was; a pixel of the result has the
    class that marks most of it, however thin the stroke.
    Raises InputError where there is no such file, or one in colour.
    """
    settings, paths = data.settings, output_paths(data.ids, Path(folder))
    if data.modality != "image":
        raise InputError(f"scribbles are drawn on images, the data is {data.modality}.")
    marks = np.full((len(data), settings["size"], settings["size"]), ABSENT)
    found = 0
    for row, path in enumerate(paths):
        path = path.with_suffix(".png")
        if path.is_file():
            found += 1
            marks[row] = _shrink(_read_numbers(path), settings["size"], settings.get("fit", "crop"))
    if not found:
        raise InputError(
            f"{folder} marks none of the {len(data)} photos: draw, for one at least, {paths[0].with_suffix('.png')}, "
            "of its size, with a class number for each marked pixel and 0 elsewhere."
        )
    return marks


def write_masks(found: Segmentation, data: Dataset, out: str | Path) -> list[Path]:
    """Write the class number of every pixel as a PNG for each photo of `data`, 0 where no label reaches."""
    numbers = np.where(found.labels == ABSENT, UNMARKED, found.classes[found.labels]).astype(np.uint8)
    paths = [path.with_suffix(".png") for path in output_paths(data.ids, Path(out))]
    for path, mask in zip(paths, numbers, strict=True):
        picture = Image.fromarray(mask)
        picture.putpalette(COLOURS)
        with written_whole(path) as file:
            picture.save(file, "PNG")
    return paths


def _read_numbers(path: Path) -> np.ndarray:
    """Return the class numbers [h, w] of a file."""
    try:
        with Image.open(path) as picture:
            if picture.mode not in ("1", "L", "P"):
                raise InputError(
                    f"{path} holds colours ({picture.mode}), not class numbers: save it grey or with a palette."
                )
            return np.asarray(picture.convert("L") if picture.mode == "1" else picture).astype(np.uint8)
    except (UnidentifiedImageError, OSError) as error:
        raise InputError(f"{path} cannot be decoded: save it as PNG.") from error


def _shrink(numbers: np.ndarray, size: int, fit: str) -> np.ndarray:
    """Return [size, size]: the class that marks most of each pixel, -1 where none does."""
    height, width = numbers.shape
    side = min(height, width)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side) if fit == "crop" else (0, 0, width, height)
    classes = np.unique(numbers[numbers != UNMARKED])
    shares = [
        np.asarray(Image.fromarray((numbers == k).astype(np.float32)).resize((size, size), Image.Resampling.BOX, box))
        for k in classes
    ]
    if not shares:
        return np.full((size, size), ABSENT)
    return np.where(np.max(shares, 0) > 0, classes[np.argmax(shares, 0)].astype(np.int64), ABSENT)
