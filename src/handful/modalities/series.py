"""Series: batches of standardised channels, random views of them, stretches of time as parts."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from handful.data import Samples
from handful.encoders.kernels import RandomKernels
from handful.encoders.linear_ahead import LinearAhead
from handful.encoders.pretrained_series import load_series_encoder
from handful.encoders.quantile_kernels import QuantileKernels
from handful.encoders.temporal import TemporalEncoder
from handful.encoders.tokens import RealTokens, Tokens
from handful.encoders.transformer import TransformerEncoder
from handful.encoders.untrained import RawInput
from handful.modalities.series_batches import (
    Batch,
    count_steps,
    cut_parts,
    cut_stretch,
    join_parts,
    pad_batch,
    read_whole,
)

_PARTS = 24  # how many parts the usual series is cut into
_WINDOW = 256  # parts that see each other
_RAW_STEPS = 128
_LONG = 256  # steps above which the network reads every second one, and so on
_FIT_ROWS = 10_000
_FEW = 16  # numbers of a part below which its own mean and spread say little
_DRAWN = 240  # points of a drawn series
_COLOURS = ("#1f5fa8", "#b5482a", "#2e7d4f", "#7a4aa0", "#8a6d1d", "#4a5560")


class Series:
    """Series of several channels. Samples are float32 [T_i, C]; a batch is {"values": [B, C, T], "present": [B, T]}.

    crop: the smallest share of a series that a view keeps. stretch: the largest change of tempo. jitter: the standard
    deviation of the noise of a view. scale: how much the size of each channel changes, as a share. mask: the share of
    stretches that is blotted out. mean, spread: [C] what a batch is centred and scaled by; usual_steps: the median
    length; `adapt` finds these.
    """

    name = "series"
    order = "time"
    axes = 1
    parts = None
    auto = ("quantiles",)
    """Kernels alone: GunPoint, 5 labels a class, 96.5 % right, random ones 90.4, beside the values themselves 79.6."""
    untrained = ("pca", "kernels")
    """Shares of time are left out: by them a sensor that is stuck for a while is like any that changes little."""

    def __init__(
        self,
        *,
        channels: int,
        crop: float = 0.6,
        stretch: float = 0.2,
        jitter: float = 0.1,
        scale: float = 0.2,
        mask: float = 0.1,
        mean: list[float] | None = None,
        spread: list[float] | None = None,
        usual_steps: int | None = None,
    ) -> None:
        self.channels = channels
        self.crop, self.stretch, self.jitter, self.scale, self.mask = crop, stretch, jitter, scale, mask
        self.mean, self.spread, self.usual_steps = mean, spread, usual_steps
        self.part = max(1, round((usual_steps or _PARTS) / _PARTS))
        width = channels * self.part
        self.token_kind = RealTokens(width, hidden=0.5, normalise=width >= _FEW)

    @property
    def settings(self) -> Mapping[str, Any]:
        names = ("channels", "crop", "stretch", "jitter", "scale", "mask", "mean", "spread", "usual_steps")
        return {name: getattr(self, name) for name in names}

    def adapt(self, samples: Samples, *, seed: int = 0) -> Series:
        """Return the same with the mean and spread of each channel, and the usual length, found in `samples`."""
        if self.mean is not None:
            return self
        rows = np.sort(np.random.default_rng(seed).permutation(len(samples))[:_FIT_ROWS])
        found = samples[rows]
        steps = np.concatenate(found).astype(np.float64)
        spread = np.maximum(steps.std(0), 1e-6 * np.maximum(1.0, np.abs(steps).max(0)))
        return Series(
            **{
                **self.settings,
                "mean": [float(f"{value:.6g}") for value in steps.mean(0)],
                "spread": [float(f"{value:.6g}") for value in spread],
                "usual_steps": int(np.median([len(one) for one in found])),
            }
        )

    def batch(self, samples: Samples, rows: np.ndarray) -> Batch:
        """Return the series of `rows`, each channel centred and scaled, as long as the longest."""
        made = pad_batch(samples[np.asarray(rows)])
        mean, spread = (torch.tensor(of or [by]) for of, by in ((self.mean, 0.0), (self.spread, 1.0)))
        made["values"] = (made["values"] - mean[:, None]) / spread[:, None] * made["present"][:, None]
        return made

    def to_values(self, batch: Batch) -> list[np.ndarray]:
        """Return the series of a batch as [T_i, C] each, in the units of the data."""
        mean, spread = (np.array(of or [by], np.float32) for of, by in ((self.mean, 0.0), (self.spread, 1.0)))
        values = batch["values"].transpose(1, 2).float().cpu().numpy() * spread + mean
        return [row[:count] for row, count in zip(values, count_steps(batch).tolist(), strict=True)]

    def view(self, batch: Batch, *, generator: torch.Generator) -> Batch:
        """Return a random stretch of each series at another tempo and size, with noise and gaps."""
        seen = cut_stretch(batch, crop=self.crop, stretch=self.stretch, generator=generator)
        values, present = seen["values"], seen["present"]
        size = torch.randn(*values.shape[:2], 1, generator=generator, device=values.device) * self.scale
        noise = torch.randn(values.shape, generator=generator, device=values.device) * self.jitter
        values = values * torch.exp(size) + noise
        kept = keep_stretches(present, self.mask, self.part, generator=generator)
        return {"values": values * (present & kept)[:, None], "present": present}

    def tokens(self, batch: Batch) -> Tokens:
        """Return stretches of about a twenty-fourth of the usual length, in order."""
        return cut_parts(batch, self.part)

    def from_tokens(self, tokens: Tokens, like: Batch) -> Batch:
        """Return the batch that the stretches make."""
        return join_parts(tokens, self.part, like)

    def flat(self, batch: Batch) -> torch.Tensor:
        """Return the values at even places of each series, at most 128, as [B, P]."""
        return read_whole(batch, min(_RAW_STEPS, self.usual_steps or _RAW_STEPS)).flatten(1)

    def load_encoder(self, name: str | Path, *, pooling: str = "auto") -> tuple[Series, nn.Module]:
        """Return these series, and the pretrained network called `name` (a folder, or a name on the hub).

        Raises InputError where there is none.
        """
        return self, load_series_encoder(name, channels=self.channels, pooling=pooling)

    def backbone(self) -> nn.Module:
        """Return a small dilated convolutional network that sees about the usual length."""
        steps = self.usual_steps or _PARTS
        stride = 2 ** max(0, round(math.log2(steps / _LONG)))
        depth = int(min(8, max(3, math.log2(steps / stride) - 1)))
        return TemporalEncoder(self.channels, hidden=64, depth=depth, stride=stride)

    def token_backbone(self, *, causal: bool = False) -> nn.Module:
        """Return a small transformer over the stretches, in windows."""
        return TransformerEncoder(
            self.token_kind, axes=1, width=96, depth=3, causal=causal, window=_WINDOW, cut=self.tokens
        )

    def ahead(self) -> LinearAhead:
        """Return the linear map of the last steps of a series to its next, not fitted."""
        return LinearAhead(steps=self.usual_steps or _PARTS)

    def floors(self) -> Mapping[str, nn.Module]:
        """Return the values themselves, the strongest answers of random kernels, and how often kernels answer."""
        steps = self.usual_steps or _PARTS
        kernels, quantiles = RandomKernels(self.channels, steps=steps), QuantileKernels(self.channels, steps=steps)
        return {"pca": RawInput(self.flat), "kernels": kernels, "quantiles": quantiles}

    def show(self, samples: Samples, rows: np.ndarray) -> list[str]:
        """Return a drawing of each series, a line for each channel, as SVG."""
        return [draw_series(series) for series in samples[np.asarray(rows)]]


def keep_stretches(present: torch.Tensor, share: float, part: int, *, generator: torch.Generator) -> torch.Tensor:
    """Return which steps of [B, T] are kept where stretches of `part` steps are dropped with the chance `share`."""
    n, length = present.shape
    drawn = torch.rand(n, -(-length // part), generator=generator, device=present.device) >= share
    return drawn.repeat_interleave(part, 1)[:, :length]


def draw_series(series: np.ndarray) -> str:
    """Return a series [T, C] as an SVG, each channel of at most six scaled to the full height."""
    at = np.unique(np.linspace(0, len(series) - 1, _DRAWN).round().astype(np.int64))
    across = 200 * at / max(1, len(series) - 1)
    lines = []
    for channel, colour in zip(series.T, _COLOURS, strict=False):
        low, high = float(channel.min()), float(channel.max())
        height = 76 - 72 * (channel[at] - low) / max(high - low, 1e-12)
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, height, strict=True))
        lines.append(f'<polyline fill="none" stroke="{colour}" points="{points}"/>')
    told = html.escape(f"{len(series)} steps, from {series.min():.4g} to {series.max():.4g}")
    return f'<svg viewBox="0 0 200 80" width="200" height="80" role="img"><title>{told}</title>{"".join(lines)}</svg>'
