"""Reading series: cleaned of what is missing, checked, packed in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from handful.data.dataset import Decoded
from handful.data.digests import digest_content
from handful.data.items import Progress, Undecodable, load
from handful.data.sources import Source
from handful.errors import InputError
from handful.modalities.series_samples import Sequences

MOST_MISSING = 0.5
"""Share of a channel's values that may be missing: a series with more would be drawn from a few points."""


def read_series(
    source: Source,
    *,
    cache: Path,
    progress: Progress | None = None,
    size: int | None = None,
    window: int | None = None,
    stride: int | None = None,
) -> Decoded:
    """Return the series of a source as float32 [T_i, C]; missing values are interpolated and counted in the settings.

    window, stride: how they were cut when they were opened. A series of one step, with too little in a channel or of
    another number of channels than most is left out.
    Raises InputError where none can be read, or all are constant.
    """
    if size is not None:
        raise InputError(f"size={size!r} is a setting of images: leave it out for series, or give window={size!r}.")
    assert source.items is not None
    series: list[np.ndarray | None] = []
    refused: dict[int, str] = {}
    missing: list[int] = []
    for block in source.items.blocks(np.arange(len(source.ids))):
        for item in block:
            row = len(series)
            try:
                clean, filled = fill_missing(np.asarray(load(item)))
                series.append(clean)
                missing += [filled]
            except Undecodable as error:
                refused[row] = str(error)
                series.append(None)
        if progress is not None:
            progress("reading", len(series), len(source.ids))
    refused |= _other_channels(series)
    rows = np.array([row for row in range(len(series)) if row not in refused], dtype=np.int64)
    if len(rows) == 0:
        row, reason = next(iter(refused.items()))
        raise InputError(
            f"none of the {len(source.ids)} series of {source.name} can be read: {source.ids[row]} {reason}."
        )
    kept = [one for row, one in enumerate(series) if one is not None and row not in refused]
    settings = _describe(kept, missing, source.name)
    if window is not None:
        settings |= {"window": int(window), "stride": int(stride or window)}
    digests = np.array([digest_content(one) for one in kept])
    return Decoded(Sequences.pack(kept), rows, digests, settings, refused)


def fill_missing(values: np.ndarray) -> tuple[np.ndarray, int]:
    """Return a series [T, C] as float32 with missing values interpolated in time, and how many there were.

    Before the first value of a channel and after the last stands that value.
    Raises Undecodable for one step only, for infinity, and where too much is missing.
    """
    values = np.array(values, dtype=np.float64)
    if len(values) < 2:
        raise Undecodable(f"has {len(values)} step{'s' * (len(values) != 1)}: a series needs at least 2")
    with np.errstate(over="ignore"):
        if np.isinf(values.astype(np.float32)).any():
            raise Undecodable("holds infinity, or numbers beyond 3e38")
    absent = np.isnan(values)
    for channel in np.flatnonzero(absent.any(0)):
        gone = absent[:, channel]
        if gone.mean() > MOST_MISSING:
            raise Undecodable(
                f"lacks {gone.mean():.0%} of the values of channel {channel}: at most half may be missing"
            )
        values[gone, channel] = np.interp(np.flatnonzero(gone), np.flatnonzero(~gone), values[~gone, channel])
    return values.astype(np.float32), int(absent.sum())


def _other_channels(series: Sequence[np.ndarray | None]) -> dict[int, str]:
    """Return the rows whose number of channels is not that of most, and why they are left out."""
    counts = Counter(one.shape[1] for one in series if one is not None)
    if len(counts) < 2:
        return {}
    usual = counts.most_common(1)[0][0]
    return {
        row: f"has {_channels(one.shape[1])}, most have {usual}"
        for row, one in enumerate(series)
        if one is not None and one.shape[1] != usual
    }


def _channels(count: int) -> str:
    return f"{count} channel{'s' * (count != 1)}"


def _describe(kept: Sequence[np.ndarray], missing: Sequence[int], name: str) -> dict[str, Any]:
    """Return what is to be said of the series that were read, as JSON values."""
    low, high = (np.stack([edge(one, axis=0) for one in kept]) for edge in (np.min, np.max))
    constant = low.min(0) == high.max(0)
    if constant.all():
        raise InputError(
            f"all values of {name} are the same, {low.flat[0]:g}: there is nothing to tell series apart by."
        )
    lengths = [len(one) for one in kept]
    found: dict[str, Any] = {"channels": int(kept[0].shape[1]), "steps": [min(lengths), max(lengths)]}
    if sum(missing):
        found["interpolated"] = {"series": sum(count > 0 for count in missing), "values": sum(missing)}
    if constant.any():
        found["constant_channels"] = np.flatnonzero(constant).tolist()
    return found
