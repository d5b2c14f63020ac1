"""The next values of series, with an interval, from an encoder that was trained with the method "forecast"."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from handful.data import Dataset, Listed
from handful.encoders.forecaster import Forecaster
from handful.encoders.tokens import Tokens
from handful.errors import InputError, check_at_least
from handful.tasks.similar import find_windows
from handful.training.embed import batches_of, device_of, to_device
from handful.training.encoder import Encoder, find_encoder

ORIGINS = 4
"""Places in each series from which what is known is forecast, to see how far off forecasts are."""
ROWS_AT_A_TIME = 256
Way = Callable[[Encoder, Forecaster, list[np.ndarray], int], np.ndarray]
"""From series [T_i, C] to the values [N, steps, C] after them."""


@dataclass(frozen=True)
class Forecast:
    """values, low, high: [N, steps, C] in the units of the data; between low and high the value lies with the chance
    `level`. ids: [N]. notes: what a reader should know, in sentences.
    """

    ids: np.ndarray
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    level: float
    notes: tuple[str, ...] = ()


@torch.inference_mode()
def forecast(
    encoder: Encoder | Any,
    data: Dataset,
    *,
    steps: int = 24,
    level: float = 0.9,
    known: Dataset | None = None,
    rows: np.ndarray | None = None,
) -> Forecast:
    """Return the `steps` values that come after each series of `data`, or of `rows` only.

    The linear map that was fitted beside the network says them; where series are `known` on which the network errs
    less, the network does.
    encoder: an Encoder, a run, or a folder of either. level: the chance that a value lies within the interval.
    known: series to find the width of the interval on, best some that the encoder was not trained on; None takes
    `data`. From several places in them what is known is forecast, and the interval is as wide as the quantile of the
    errors at each step and channel (split conformal prediction, Vovk et al. 2005).
    Raises InputError where the encoder was trained with another method, or reads something else than series.
    """
    encoder = find_encoder(encoder)
    forecaster = find_forecaster(encoder)
    check_at_least("steps", steps, 1)
    if not 0 < level < 1:
        raise InputError(f"level must lie between 0 and 1, such as 0.9, got {level!r}.")
    encoder.check_reads(data)
    rows = np.arange(len(data)) if rows is None else rows
    own = [data.samples[row] for row in rows.tolist()]
    ways: list[Way] = [roll_out]
    if forecaster.ahead is not None and forecaster.ahead.contexts:
        ways = [continue_linearly] if known is None else [continue_linearly, roll_out]
    tried = [*(data if known is None else known).samples[:]]
    errors = [_known_errors(way, encoder, forecaster, tried, steps) for way in ways]
    best = int(np.argmin([_in_spreads(error, encoder) for error in errors]))
    values = ways[best](encoder, forecaster, own, steps)
    width, notes = _widths(errors[best], level, values.shape[1:])
    if known is None and len(errors[best]):
        notes += (
            "The interval is found on series that the encoder was trained on, so it may be too narrow: give others "
            "as `known`.",
        )
    return Forecast(data.ids[rows], values, values - width, values + width, level, notes)


def find_last(ids: np.ndarray) -> np.ndarray:
    """Return the rows [M] after which nothing is known: of windows the last of each recording, else all."""
    windows = find_windows(ids)
    if windows is None:
        return np.arange(len(ids))
    order = np.lexsort((windows.ends, windows.owner))
    return np.sort(order[np.flatnonzero(np.diff(windows.owner[order], append=-1))])


def _in_spreads(errors: np.ndarray, encoder: Encoder) -> float:
    """Return the mean squared error, each channel in units of its spread; infinity where there is no error."""
    modality: Any = encoder.modality
    return float(np.square(errors / np.array(modality.spread or 1.0)).mean()) if len(errors) else np.inf


def continue_linearly(encoder: Encoder, forecaster: Forecaster, series: list[np.ndarray], steps: int) -> np.ndarray:
    """Return the values [N, steps, C] that the linear map says come after each series [T_i, C]."""
    ahead = forecaster.ahead
    assert ahead is not None
    modality: Any = encoder.modality
    device = device_of(forecaster)
    found = np.empty((len(series), steps, modality.channels), np.float32)
    _check_long_enough(series, ahead.contexts[-1])
    lengths = np.array([next(one for one in ahead.contexts if one <= len(own)) for own in series])
    for length in np.unique(lengths):
        for rows in batches_of(np.flatnonzero(lengths == length), ROWS_AT_A_TIME):
            batch = modality.batch(Listed([series[row][-length:] for row in rows]), np.arange(len(rows)))
            values: Any = to_device(batch["values"], device)  # [B, C, length]
            after = ahead.guess(values.flatten(0, 1), steps).unflatten(0, values.shape[:2])
            found[rows] = np.stack(modality.to_values({"values": after, "present": _all_present(after)}))
    return found


@torch.inference_mode()
def roll_out(encoder: Encoder, forecaster: Forecaster, series: list[np.ndarray], steps: int) -> np.ndarray:
    """Return the values [N, steps, C] that the network says come after each series [T_i, C], part by part: what it has
    guessed is read as if it had been seen.

    It reads no more parts at a time than it has gone on from in training: of later places it knows nothing.
    """
    modality: Any = encoder.modality
    part = modality.part
    new = -(-steps // part)
    trained = min(forecaster.backbone.window or 1 << 20, (modality.usual_steps or 1 << 20) // part)
    most = max(1, trained - 1)
    found = np.empty((len(series), steps, modality.channels), np.float32)
    for rows, context in _same_length(series, part, most):
        batch: Any = to_device(modality.batch(context, np.arange(len(rows))), device_of(forecaster))
        values = modality.tokens(batch).values
        for _ in range(new):
            values = torch.cat([values, forecaster.guess_next(_as_tokens(values[:, -most:]))[:, -1:]], 1)
        tail = values[:, -new:].unflatten(2, (-1, part)).permute(0, 2, 1, 3).flatten(2)[..., :steps]  # [B, C, steps]
        found[rows] = np.stack(modality.to_values({"values": tail, "present": _all_present(tail)}))
    return found


def _all_present(values: torch.Tensor) -> torch.Tensor:
    return torch.ones(len(values), values.shape[2], dtype=torch.bool)


def _same_length(series: list[np.ndarray], part: int, most: int) -> Iterator[tuple[np.ndarray, Listed]]:
    """Yield rows whose last whole parts, at most `most` of them, are as many, and these parts."""
    _check_long_enough(series, part)
    counts = np.array([min(most, len(one) // part) for one in series])
    for count in np.unique(counts):
        for rows in batches_of(np.flatnonzero(counts == count), ROWS_AT_A_TIME):
            yield rows, Listed([series[row][-count * part :] for row in rows])


def _check_long_enough(series: list[np.ndarray], least: int) -> None:
    shortest = min(map(len, series))
    if shortest < least:
        raise InputError(f"a series of {shortest} steps is too short to go on from: {least} are needed.")


def _as_tokens(values: torch.Tensor) -> Tokens:
    """Return parts [B, L, P], all of them present, as tokens."""
    places = torch.arange(values.shape[1], device=values.device, dtype=torch.float32)[None, :, None]
    return Tokens(values, torch.ones(values.shape[:2], dtype=torch.bool, device=values.device), places)


def _known_errors(
    way: Way, encoder: Encoder, forecaster: Forecaster, series: list[np.ndarray], steps: int
) -> np.ndarray:
    """Return by how much forecasts of known values were off, [M, steps, C]; half of a series is context at least."""
    modality: Any = encoder.modality
    contexts, truths = [], []
    for one in series:
        last = len(one) - steps
        first = max(modality.part, len(one) // 2)
        for origin in np.unique(np.linspace(first, last, ORIGINS).astype(np.int64)) if last >= first else ():
            contexts.append(one[:origin])
            truths.append(one[origin : origin + steps])
    if not contexts:
        return np.empty((0, steps, modality.channels), np.float32)
    return np.abs(way(encoder, forecaster, contexts, steps) - np.stack(truths))


def _widths(errors: np.ndarray, level: float, shape: tuple[int, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the half width [steps, C] that covers the share `level` of errors [M, steps, C], and what to say of it."""
    if not len(errors):
        return np.full(shape, np.nan, np.float32), (
            "There is no interval: no series is long enough for known values to be forecast as many steps ahead.",
        )
    rank = math.ceil((len(errors) + 1) * level)
    if rank > len(errors):
        told = f"The interval is the largest of {len(errors)} errors: too few for a chance of {level:g}."
        return errors.max(0), (told,)
    return np.sort(errors, axis=0)[rank - 1], ()


def find_forecaster(encoder: Encoder) -> Forecaster:
    """Return the network that says what comes next. Raises InputError where the encoder has none for series."""
    if encoder.modality.name != "series":
        raise InputError(f"values are forecast for series, and this encoder reads {encoder.modality.name}.")
    for network in encoder.networks.values():
        if isinstance(network, Forecaster):
            return network
    raise InputError(
        f"an encoder of {', '.join(encoder.networks)} has not learnt what comes next: pretrain with method 'forecast'."
    )
