"""Sounds: batches of log-mel frames, random views of them, stretches of time as parts."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from handful.data import Samples
from handful.encoders.kernels import RandomKernels
from handful.encoders.pretrained_sound import HEARD, Extractor, load_sound_encoder
from handful.encoders.sound import CepstralCourse, CepstralStatistics, mean_in_cells
from handful.encoders.temporal import TemporalEncoder
from handful.encoders.tokens import RealTokens, Tokens
from handful.encoders.transformer import TransformerEncoder
from handful.encoders.untrained import RawInput
from handful.encoders.wave import WAVE, WaveEncoder
from handful.errors import InputError
from handful.modalities.audio_files import encode_wav, resample
from handful.modalities.audio_mel import log_mel
from handful.modalities.audio_views import change_sound
from handful.modalities.series_batches import Batch, cut_parts, join_parts

FRAMES_A_SECOND = 100
HELD = "wave_present"
"""The key, in a batch, of which parts of the waveforms hold sound."""
_EXTRACTOR = "preprocessor_config.json"
_PART = 4  # frames, 40 ms: about one phone in two to three parts
_CELLS = 8
_WINDOW = 128  # parts that see each other, about five seconds
_KERNEL_STEPS = 64  # frames
_FIT_ROWS = 256
_FIT_SECONDS = 10
MOSTLY_WITHIN = 0.5
"""Share of the variance within sounds: spoken digits 0.61, where centring lifts labels from 5 a class from 62 to 80 %
right (cells of cepstra); environmental sounds 0.30, where it lowers them from 63 to 36 %."""
_BARS = 80
_SHOWN_SECONDS = 5
_SHOWN_RATE = 8000  # a report holds hundreds: 80 kB for five seconds


class Audio:
    """Sounds of one rate. Samples are int16 [n_i, 1]; a batch is {"values": [B, bands, T], "present": [B, T]}, log-mel
    energies of 100 frames a second.

    rate: samples a second. bands: of mel. crop: the smallest share of a sound that a view keeps. gain: the largest
    change of loudness in decibels. noise: the loudest noise of a view, in decibels below the sound. stretch: the
    largest change of tempo. shift: the largest change of pitch, as a share of all bands. mask: the largest share of
    frames, and of bands, that is blotted out. mix: how loud another sound may be in a view, as a share.
    centre: whether each sound is centred in each band by its own mean over time (Atal 1974), which takes away what a
    microphone, a room or a voice adds to all of it; None looks at the data (`adapt`).
    mean, spread: what a batch is centred and scaled by, in each band and in all; frames: the median length. `adapt`
    finds these.
    waves: whether a batch holds the waveforms too, and these are what is cut into tokens.
    assets: the feature extractor of a pretrained network as JSON by its file's name; a batch then holds what it makes
    of the sounds too.
    """

    name = "audio"
    order = "time"
    axes = 1
    parts = None
    auto = ("mfcc", "kernels")
    """Both in seconds. Spoken digits, 1 / 5 labels a class: 72.7 / 90.4 % right, cepstra alone 69.9 / 87.5; ESC-10
    69.5 / 84.1, kernels alone 66.8 / 79.6 (3 draws)."""

    def __init__(
        self,
        *,
        rate: int = 16_000,
        bands: int = 64,
        crop: float = 0.6,
        gain: float = 6.0,
        noise: float = 20.0,
        stretch: float = 0.2,
        shift: float = 0.08,
        mask: float = 0.15,
        mix: float = 0.1,
        centre: bool | None = None,
        mean: list[float] | None = None,
        spread: float | None = None,
        frames: int | None = None,
        waves: bool = False,
        assets: Mapping[str, str] | None = None,
    ) -> None:
        self.assets = dict(assets or {})
        self.extractor = Extractor.from_json(self.assets[_EXTRACTOR]) if _EXTRACTOR in self.assets else None
        self.rate, self.bands = rate, bands
        self.crop, self.gain, self.noise, self.stretch = crop, gain, noise, stretch
        self.shift, self.mask, self.mix = shift, mask, mix
        self.centre, self.mean, self.spread, self.frames = centre, mean, spread, frames
        self.waves, self.part = waves, max(1, round(rate / FRAMES_A_SECOND))
        self.token_kind = RealTokens(self.part if waves else _PART * bands, hidden=0.6)

    @property
    def settings(self) -> Mapping[str, Any]:
        names = (
            "rate",
            "bands",
            "crop",
            "gain",
            "noise",
            "stretch",
            "shift",
            "mask",
            "mix",
            "centre",
            "mean",
            "spread",
            "frames",
            "waves",
        )
        return {name: getattr(self, name) for name in names}

    def adapt(self, samples: Samples, *, seed: int = 0) -> Audio:
        """Return the same with mean and spread found in `samples`, and `centre` settled: where sounds differ more in
        time than from one another, as words do, it is the course of a sound that tells it."""
        if self.mean is not None:
            return self
        rows = np.sort(np.random.default_rng(seed).permutation(len(samples))[:_FIT_ROWS])
        waves = [sound[: _FIT_SECONDS * self.rate, 0] for sound in samples[rows]]
        found = log_mel(waves, rate=self.rate, bands=self.bands)
        centre = share_within(found) > MOSTLY_WITHIN if self.centre is None else self.centre
        if centre:
            found = centred(found)
        frames = found["values"].transpose(1, 2)[found["present"]]  # [M, bands]
        mean = frames.mean(0)
        spread = float((frames - mean).square().mean().sqrt().clamp(min=1e-3))
        made = {"centre": centre, "mean": [round(value, 4) for value in mean.tolist()], "spread": round(spread, 4)}
        return Audio(**{**self.settings, **made, "frames": int(found["present"].sum(1).median())}, assets=self.assets)

    def batch(self, samples: Samples, rows: np.ndarray) -> dict[str, Any]:
        """Return the sounds of `rows` as log-mel frames, as long as the longest."""
        made = log_mel([sound[:, 0] for sound in samples[np.asarray(rows)]], rate=self.rate, bands=self.bands)
        if self.centre:
            made = centred(made)
        mean = torch.tensor(self.mean or [0.0])[:, None]
        made["values"] = (made["values"] - mean) / (self.spread or 1.0) * made["present"][:, None]
        if self.waves:
            made |= cut_waves([sound[:, 0] for sound in samples[np.asarray(rows)]], self.part)
        return made if self.extractor is None else {**made, HEARD: self._hear(samples, rows, self.extractor)}

    def load_encoder(self, name: str | Path, *, pooling: str = "auto") -> tuple[Audio, nn.Module]:
        """Return the pretrained network called `name` (a folder, or a name on the hub), and sounds as it hears them.

        "wave" is not pretrained: the network of CPC that reads waveforms, to be trained by it.
        Raises InputError where there is none.
        """
        if str(name) == WAVE:
            made = Audio(**{**self.settings, "waves": True})
            return made, WaveEncoder(made.part, cut=made.tokens)
        network, extractor = load_sound_encoder(name, pooling=pooling)
        return Audio(**self.settings, assets={_EXTRACTOR: json.dumps(extractor.config)}), network

    def _hear(self, samples: Samples, rows: np.ndarray, extractor: Extractor) -> dict[str, torch.Tensor]:
        waves = [sound[:, 0].astype(np.float32) / 32767 for sound in samples[np.asarray(rows)]]
        return extractor([resample(wave, self.rate, extractor.rate) for wave in waves])

    def view(self, batch: Batch, *, generator: torch.Generator) -> Batch:
        """Return a random stretch of each sound at another tempo, pitch and loudness, with other sound in it.

        Raises InputError for waveforms: views are made of mel frames.
        """
        if self.waves:
            raise InputError(f"random views are made of mel frames, and encoder={WAVE!r} reads waveforms: use 'cpc'.")
        return change_sound(batch, self, generator=generator)

    def tokens(self, batch: Batch) -> Tokens:
        """Return stretches in order: of 40 ms, of waveforms 10."""
        if self.waves:
            places = torch.arange(batch[WAVE].shape[1], device=batch[WAVE].device, dtype=torch.float32)[None, :, None]
            return Tokens(batch[WAVE], batch[HELD], places)
        return cut_parts(batch, _PART)

    def from_tokens(self, tokens: Tokens, like: Batch) -> Batch:
        """Return the batch that the stretches make."""
        return {**like, WAVE: tokens.values} if self.waves else join_parts(tokens, _PART, like)

    def flat(self, batch: Batch) -> torch.Tensor:
        """Return the mean frame of each eighth of the sound, [B, bands * 8]."""
        return mean_in_cells(batch["values"], batch["present"], _CELLS).flatten(1)

    def backbone(self) -> nn.Module:
        """Return a small dilated convolutional network."""
        return TemporalEncoder(self.bands, hidden=128, stride=2)

    def token_backbone(self, *, causal: bool = False) -> nn.Module:
        """Return a small transformer over the stretches, in windows."""
        return TransformerEncoder(self.token_kind, axes=1, causal=causal, window=_WINDOW, cut=self.tokens)

    def floors(self) -> Mapping[str, nn.Module]:
        """Return the mean frames of eighths, cepstral coefficients and the answers of random kernels."""
        cepstra = CepstralCourse(self.bands) if self.centre else CepstralStatistics(self.bands)
        return {
            "pca": RawInput(self.flat),
            "mfcc": cepstra,
            "kernels": RandomKernels(self.bands, steps=self.frames or _KERNEL_STEPS, count=512),
        }

    def show(self, samples: Samples, rows: np.ndarray) -> list[str]:
        """Return for each row how loud it is over time, drawn, and its first seconds to be played."""
        return [_show(sound[:, 0], self.rate) for sound in samples[np.asarray(rows)]]


def cut_waves(waves: list[np.ndarray], part: int) -> dict[str, torch.Tensor]:
    """Return int16 recordings [n_i], each of a spread of 1, as parts [B, L, part] and which of them hold sound."""
    counts = torch.tensor([max(1, len(wave) // part) for wave in waves])
    values = torch.zeros(len(waves), int(counts.max()) * part)
    for row, (wave, count) in enumerate(zip(waves, counts.tolist(), strict=True)):
        heard = torch.from_numpy(np.asarray(wave[: count * part], np.float32))
        values[row, : len(heard)] = (heard - heard.mean()) / heard.std(correction=0).clamp(min=1)
    return {WAVE: values.unflatten(1, (-1, part)), HELD: torch.arange(int(counts.max()))[None] < counts[:, None]}


def centred(batch: Batch) -> Batch:
    """Return a batch less the mean over time of each band of each sample."""
    there = batch["present"][:, None]
    mean = (batch["values"] * there).sum(2, keepdim=True) / there.sum(2, keepdim=True).clamp(min=1)
    return {**batch, "values": (batch["values"] - mean) * there}


def share_within(batch: Batch) -> float:
    """Return the share of the variance that lies within the sounds of a batch rather than between their means."""
    there = batch["present"][:, None]
    count = there.sum(2).clamp(min=1)
    means = (batch["values"] * there).sum(2) / count
    within = (centred(batch)["values"].square().sum(2) / count).mean()
    return float(within / (within + means.var(0, correction=0).mean()).clamp(min=1e-12))


def _show(sound: np.ndarray, rate: int) -> str:
    heard = sound[: _SHOWN_SECONDS * rate].astype(np.float32)
    ends = np.linspace(0, len(heard), _BARS + 1).astype(np.int64)
    peaks = [float(np.abs(heard[low : max(high, low + 1)]).max(initial=0)) for low, high in pairwise(ends)]
    tall = np.sqrt(np.array(peaks) / max(*peaks, 1.0)) * 19
    bars = " ".join(f"M{x},{20 - y:.1f}v{2 * y:.1f}" for x, y in enumerate(tall, 1))
    told = html.escape(f"{len(sound) / rate:.3g} s")
    return (
        f'<div style="width:100%"><svg viewBox="0 0 {_BARS + 1} 40" width="100%" height="40" role="img"><title>{told}'
        f'</title><path stroke="#1f5fa8" d="{bars}"/></svg><audio controls preload="none" '
        f'style="width:100%;height:2rem" src="data:audio/wav;base64,{_clip(heard, rate)}"></audio></div>'
    )


def _clip(heard: np.ndarray, rate: int) -> str:
    """Return a sound [n] as a .wav file in base64."""
    lower = min(rate, _SHOWN_RATE)
    return base64.b64encode(encode_wav(np.clip(np.rint(resample(heard, rate, lower)), -32767, 32767), lower)).decode()
