"""Reading images: size and channels chosen, everything decoded once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from handful.data.dataset import Decoded, Samples
from handful.data.digests import digest
from handful.data.items import ArrayItems, Items, ListItems, Progress
from handful.data.scan import scan_array, scan_items
from handful.data.sources import Source
from handful.data.store import decode_into_store
from handful.errors import InputError, check_choice
from handful.modalities.image_arrays import (
    ImageArray,
    ValueRange,
    find_layout,
    find_value_range,
    n_channels,
    shared_value_range,
    spatial_shape,
)
from handful.modalities.image_files import FITS, decode_image, flat_pixels, probe_image, quiet_pillow

LARGEST_DEFAULT = 64
"""Pixels of a side: what a small network on a processor trains on in minutes."""
SIZES = (4, 1024)


@dataclass(frozen=True)
class ImageSettings:
    """How images are to be read.

    size: pixels of a side; None takes the median shorter side, at most 64.
    channels: 1 or 3; None takes 1 where every image is grey.
    fit: how a picture that is not square becomes square: "crop" keeps its centre, "squash" scales both sides. On 3,781
        photos of garments, most of them 3:4, the crop's nearest neighbours were right more often: pixels 57.1 against
        55.0 %, histograms of gradients 69.4 against 68.2 %.
    layout: the order of an array's axes ("NHW", "NHWC", "NCHW"); None finds it.
    value_range: the values of an array that stand for black and white; None takes 0 to 1 or 0 to 255, as they lie.
    Raises InputError for values that are not allowed.
    """

    size: int | None = None
    channels: int | None = None
    fit: str = "crop"
    layout: str | None = None
    value_range: ValueRange | None = None

    def __post_init__(self) -> None:
        low, high = SIZES
        if self.size is not None and not (isinstance(self.size, int | np.integer) and low <= self.size <= high):
            raise InputError(f"size must be a whole number of pixels from {low} to {high}, got {self.size!r}.")
        if self.channels not in (None, 1, 3):
            raise InputError(f"channels must be 1 (grey) or 3 (colour), got {self.channels!r}.")
        check_choice("fit", self.fit, FITS)
        if self.value_range is not None and not (len(self.value_range) == 2 and np.diff(self.value_range)[0] > 0):
            raise InputError(f"value_range must be two values, black before white, got {self.value_range!r}.")


def prepare_images(source: Any) -> Any:
    """Return `source` with Pillow images in a list made readable when their turn comes."""
    if isinstance(source, list | tuple):
        return [partial(flat_pixels, item) if isinstance(item, Image.Image) else item for item in source]
    return source


def read_images(source: Source, *, cache: Path, progress: Progress | None = None, **settings: Any) -> Decoded:
    """Return the images of a source as uint8 [M, channels, size, size], read as `ImageSettings` says.

    Raises InputError where no image can be read, or an array's shape or values are not those of images.
    """
    wish = ImageSettings(**settings)
    if source.array is not None:
        return _read_array(source, source.array, wish, cache, progress)
    assert source.items is not None
    items = _as_uint8(source.items, source.name, wish)
    with quiet_pillow():
        seen = scan_items(items, len(source.ids), probe_image, n_found=3, cache=cache, progress=progress)
        rows = np.flatnonzero(seen.digests != "")
        if len(rows) == 0:
            raise InputError(_none_readable(source, seen.refused))
        chosen = _choose(seen.found[rows], wish)
        decoded = _decode(items, rows, seen.digests[rows], chosen, cache, progress)
    refused = {**seen.refused, **decoded.refused}
    if len(decoded.rows) == 0:
        raise InputError(_none_readable(source, refused))
    return Decoded(decoded.samples, decoded.rows, decoded.digests, chosen, refused)


def default_size(height: np.ndarray, width: np.ndarray) -> int:
    """Return the side at which to read images of `height` [N] and `width` [N]: their median shorter side, at most 64.

    A multiple of 4, except that squares of one size stay as they are.
    """
    side = int(np.median(np.minimum(height, width)))
    if side <= LARGEST_DEFAULT and (height == side).all() and (width == side).all():
        return side
    return int(np.clip(4 * round(side / 4), 8, LARGEST_DEFAULT))


def _choose(found: np.ndarray, wish: ImageSettings) -> dict[str, Any]:
    """Return the settings to read all images with, as JSON values; `found` [M, 3]: heights, widths, whether grey."""
    height, width, grey = found.T
    size = default_size(height, width) if wish.size is None else int(wish.size)
    return {"size": size, "channels": wish.channels or (1 if grey.all() else 3), "fit": wish.fit}


def _decode(
    items: Items,
    rows: np.ndarray,
    digests: np.ndarray,
    settings: Mapping[str, Any],
    cache: Path,
    progress: Progress | None,
) -> Decoded:
    """Return `rows` [M] of `items`, whose contents have `digests` [M], from the store."""
    store = decode_into_store(
        items,
        rows,
        digests,
        partial(decode_image, **settings),
        shape=(settings["channels"], settings["size"], settings["size"]),
        settings={"modality": "image", **settings},
        cache=cache,
        progress=progress,
    )
    failed = np.isin(digests, list(store.failed))
    refused = {int(row): store.failed[mark] for row, mark in zip(rows[failed], digests[failed].tolist(), strict=True)}
    return Decoded(store.samples, rows[~failed], digests[~failed], settings, refused)


def _read_array(
    source: Source, array: np.ndarray, wish: ImageSettings, cache: Path, progress: Progress | None
) -> Decoded:
    """Return an array as it lies, converted as its rows are read, or resized into the store."""
    layout = find_layout(array.shape, source.name, wish.layout)
    seen = scan_array(array, source.name, cache=cache, progress=progress)
    value_range = wish.value_range
    if value_range is None and array.dtype != np.uint8:
        value_range = find_value_range(seen.low, seen.high, array.dtype, source.name)
    found = np.array([[*spatial_shape(array.shape, layout), n_channels(array.shape, layout) == 1]])
    settings = _choose(found, wish)
    images = ImageArray(array, layout, value_range, settings["channels"])
    # What a row looks like depends on these two as well, so its digest has to.
    reading = digest(repr((layout, value_range and [*map(float, value_range)])).encode())[:4]
    digests = np.char.add(seen.digests, reading.encode()).astype(str)
    rows = np.arange(len(array))
    if images.shape[2:] == (settings["size"], settings["size"]):
        return Decoded(_as_it_lies(images), rows, digests, settings)
    return _decode(ArrayItems(array, images.convert), rows, digests, settings, cache, progress)


def _as_it_lies(images: ImageArray) -> Samples:
    """Return the array itself where it is uint8 [N, C, H, W] already, memory-mapped or not."""
    if images.value_range is None and images.layout == "NCHW" and images.array.shape[1] == images.channels:
        return images.array
    if images.value_range is None and images.layout == "NHW" and images.channels == 1:
        return images.array[:, None]
    return images


def _as_uint8(items: Items, name: str, wish: ImageSettings) -> Items:
    """Return a list's arrays as uint8 [C, H, W], their values taken to be of one range; other items as they are."""
    if not isinstance(items, ListItems):
        return items
    arrays = {row: item for row, item in enumerate(items.items) if isinstance(item, np.ndarray)}
    value_range = wish.value_range or shared_value_range(list(arrays.values()), name)
    made = list(items.items)
    for row, array in arrays.items():
        layout = find_layout((1, *array.shape), f"item {row} of {name}", wish.layout)
        grey = n_channels((1, *array.shape), layout) == 1
        made[row] = ImageArray(array[None], layout, value_range, 1 if grey else 3)[0]
    return ListItems(made)


def _none_readable(source: Source, refused: Mapping[int, str]) -> str:
    row, reason = next(iter(refused.items()))
    return f"none of the {len(source.ids)} images of {source.name} can be read: {source.ids[row]!s} {reason}."
