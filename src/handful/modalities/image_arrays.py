"""Images as arrays: which axis is which, which range the values have, and reading rows as uint8 [B, C, H, W]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from handful.errors import InputError, check_choice

LAYOUTS = {"NHW": (0, 1, 2), "NHWC": (0, 3, 1, 2), "NCHW": (0, 1, 2, 3)}
CHANNELS = (1, 3, 4)
ValueRange = tuple[float, float]


def find_layout(shape: tuple[int, ...], name: str, layout: str | None = None) -> str:
    """Return the layout of an array of images, "NHW", "NHWC" or "NCHW": channels are the axis of size 1, 3 or 4.

    Raises InputError where no axis or more than one can be the channels.
    """
    if layout is not None:
        check_choice("layout", layout, LAYOUTS)
        if len(layout) != len(shape):
            raise InputError(f"layout={layout!r} names {len(layout)} axes, {name} has the shape {shape}.")
        return layout
    if len(shape) == 3 and shape[2] not in CHANNELS[1:]:
        return "NHW"
    if len(shape) == 4:
        first, last = shape[1] in CHANNELS, shape[3] in CHANNELS
        if first != last:
            return "NCHW" if first else "NHWC"
    raise InputError(f"{name} has the shape {shape}: {_shape_advice(shape)}.")


def _shape_advice(shape: tuple[int, ...]) -> str:
    rule = "images come as (N, H, W), (N, H, W, C) or (N, C, H, W) with C of 1, 3 or 4"
    if len(shape) == 2:
        side = round(shape[1] ** 0.5)
        fix = f", for rows of {side} x {side} pixels reshape(-1, {side}, {side})" if side * side == shape[1] else ""
        return rule + fix
    if len(shape) == 3:
        return f"{rule}, and this looks like a single image: give array[None]"
    if len(shape) == 4 and shape[1] not in CHANNELS and shape[2] in CHANNELS:
        return f"{rule}, and this looks like (H, W, C, N): use transpose(3, 0, 1, 2)"
    if len(shape) == 4 and shape[1] in CHANNELS:
        return f"{rule}, and both axis 1 and axis 3 can be channels: say layout='NCHW' or layout='NHWC'"
    return rule


def find_value_range(low: float, high: float, dtype: np.dtype, name: str) -> ValueRange:
    """Return the values that stand for black and white: 0 to 1, 0 to 255, or 0 to 65535 for 16-bit values.

    Raises InputError where the values found, `low` to `high`, fit none of them.
    """
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    if low >= 0 and 127 < high <= 255:
        return 0.0, 255.0
    if dtype == np.uint16 and high > 255:
        return 0.0, 65535.0
    raise InputError(
        f"{name} holds values from {low:g} to {high:g}: images are taken to run from 0 to 1 or from 0 to 255; "
        f"say value_range=({low:g}, {high:g}) to take these as black and white."
    )


@dataclass(frozen=True)
class ImageArray:
    """Rows of an array, given as uint8 [B, channels, H, W] when they are read.

    array: [N, H, W], [N, H, W, C] or [N, C, H, W] as `layout` says, of any numeric type.
    value_range: the values of black and white; None where the array is uint8 already.
    """

    array: np.ndarray = field(repr=False)
    layout: str
    value_range: ValueRange | None
    channels: int

    def __len__(self) -> int:
        return len(self.array)

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.uint8)

    @property
    def shape(self) -> tuple[int, ...]:
        height, width = spatial_shape(self.array.shape, self.layout)
        return len(self.array), self.channels, height, width

    def __getitem__(self, rows: Any) -> np.ndarray:
        if isinstance(rows, int | np.integer):
            return self[np.array([rows])][0]
        return self.convert(np.asarray(self.array[rows]))

    def convert(self, block: np.ndarray) -> np.ndarray:
        """Return rows of the array as uint8 [B, channels, H, W]."""
        block = block[:, None] if self.layout == "NHW" else block.transpose(LAYOUTS[self.layout])  # [B, C, H, W]
        if self.value_range is not None:
            block = to_bytes(block, self.value_range)
        return with_channels(block, self.channels)


def to_bytes(values: np.ndarray, value_range: ValueRange) -> np.ndarray:
    """Return `values` as uint8, the range stretched to 0..255."""
    low, high = value_range
    scaled = (values.astype(np.float32) - low) * (255.0 / max(high - low, 1e-12))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def with_channels(images: np.ndarray, channels: int) -> np.ndarray:
    """Return uint8 [B, C, H, W] with `channels` of 1 or 3: a fourth one is transparency and is laid on white."""
    if images.shape[1] == 4:
        alpha = images[:, 3:].astype(np.float32) / 255
        images = np.rint(images[:, :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    if images.shape[1] == channels:
        return np.ascontiguousarray(images)
    if channels == 3:
        return np.repeat(images, 3, axis=1)
    luma = np.tensordot(
        images.astype(np.float32), np.array([0.299, 0.587, 0.114], np.float32), axes=(1, 0)
    )  # ITU-R 601
    return np.rint(luma).astype(np.uint8)[:, None]


def spatial_shape(shape: tuple[int, ...], layout: str) -> tuple[int, int]:
    """Return the height and width of an array of images."""
    return shape[layout.index("H")], shape[layout.index("W")]


def n_channels(shape: tuple[int, ...], layout: str) -> int:
    """Return the channels of an array of images."""
    return 1 if "C" not in layout else shape[layout.index("C")]


def shared_value_range(arrays: Sequence[np.ndarray], name: str) -> ValueRange | None:
    """Return the range of a list of arrays taken together, None where all are uint8.

    Raises InputError where one holds NaN or infinity.
    """
    if all(array.dtype == np.uint8 for array in arrays):
        return None
    for row, array in enumerate(arrays):
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise InputError(f"{name}: item {row} holds NaN or infinity: images need finite values.")
    low, high = min(float(a.min()) for a in arrays), max(float(a.max()) for a in arrays)
    return find_value_range(low, high, np.result_type(*arrays), name)
