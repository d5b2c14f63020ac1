"""Sound as a picture of time and pitch: logarithmic energies of mel bands, computed for a whole batch at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch

from handful.modalities.series_batches import Batch

WINDOW_SECONDS = 0.032
HOP_SECONDS = 0.010
LOWEST_HERTZ = 50.0
FLOOR = 1e-6
"""Energy that counts as silence, of a full scale of 1: rounding to 16 bits makes about a tenth of it in a band."""
_SLICE = 1 << 21  # values transformed at a time: what is made of them is a dozen times as much


def log_mel(waves: Sequence[np.ndarray], *, rate: int, bands: int) -> Batch:
    """Return int16 recordings [n_i] at `rate` hertz as the log energies of `bands` mel bands, 100 frames a second.

    Frames are 32 ms long, Hann windows; a recording of less than one is filled up with zeros.
    """
    size, hop = frame_sizes(rate)
    frames = torch.tensor([count_frames(len(wave), rate) for wave in waves])
    longest = int(frames.max())
    samples = (longest - 1) * hop + size
    rows = max(1, _SLICE // samples)
    found = torch.cat(
        [_energies(waves[at : at + rows], samples, size, hop, rate, bands) for at in range(0, len(waves), rows)]
    )
    present = torch.arange(longest)[None] < frames[:, None]
    return {"values": torch.log(found + FLOOR) * present[:, None], "present": present}


def frame_sizes(rate: int) -> tuple[int, int]:
    """Return the length of a frame and the hop between two, in samples."""
    return 2 * round(WINDOW_SECONDS * rate / 2), max(1, round(HOP_SECONDS * rate))


def count_frames(samples: int, rate: int) -> int:
    """Return how many frames a recording has."""
    size, hop = frame_sizes(rate)
    return 1 + max(0, samples - size) // hop


def _energies(waves: Sequence[np.ndarray], samples: int, size: int, hop: int, rate: int, bands: int) -> torch.Tensor:
    """Return the energies [B, bands, T]."""
    stacked = torch.zeros(len(waves), samples)
    for row, wave in enumerate(waves):
        stacked[row, : len(wave)] = torch.from_numpy(np.asarray(wave[:samples], np.float32))
    frames = (stacked / 32768).unfold(1, size, hop) * torch.hann_window(size)
    power = torch.fft.rfft(frames).abs().square() / (size / 2)  # [B, T, F]
    return (power @ mel_filters(rate, size, bands)).transpose(1, 2)


@lru_cache(maxsize=8)
def mel_filters(rate: int, size: int, bands: int) -> torch.Tensor:
    """Return triangular filters [F, bands], evenly spaced in mel (2595 log10(1 + f / 700)), each of sum one."""
    edges = hertz_of(torch.linspace(mel_of(LOWEST_HERTZ), mel_of(rate / 2), bands + 2))
    hertz = torch.linspace(0, rate / 2, size // 2 + 1)
    rise = (hertz[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - hertz[:, None]) / (edges[2:] - edges[1:-1])
    filters = torch.minimum(rise, fall).clamp(min=0)
    nearest = (hertz[:, None] - edges[1:-1]).abs().argmin(0)  # a low band may lie between two lines
    filters[nearest, torch.arange(bands)] = filters[nearest, torch.arange(bands)].clamp(min=1e-3)
    return filters / filters.sum(0)


def mel_of(hertz: float) -> float:
    """Return a pitch in mel (O'Shaughnessy 1987)."""
    return 2595 * math.log10(1 + hertz / 700)


def hertz_of(mel: torch.Tensor) -> torch.Tensor:
    """Return pitches in hertz."""
    return 700 * (10 ** (mel / 2595) - 1)
