"""The next frames of a video, from an encoder that was trained with the method "forecast", and where it is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from handful.data import Dataset
from handful.encoders.forecaster import Forecaster
from handful.encoders.simvp import SimVP
from handful.encoders.tokens import Tokens
from handful.errors import InputError, check_at_least
from handful.training.embed import device_of, to_device
from handful.training.encoder import Encoder, find_encoder


@dataclass(frozen=True)
class NextFrames:
    """frames: [steps, C, H, W] uint8, what comes after the clip. seen: [T, C, H, W], the last frames of the clip.

    guessed, truth: [S, C, H, W] of the clip's own last frames, guessed from those before them, S at most `steps`.
    """

    frames: np.ndarray
    seen: np.ndarray
    guessed: np.ndarray
    truth: np.ndarray

    @property
    def error(self) -> float:
        """The mean squared error a pixel of the guessed frames, of 255 squared."""
        return float(np.square(self.guessed.astype(float) - self.truth).mean())

    @property
    def copy_error(self) -> float:
        """The same of repeating the frame before them."""
        before = self.seen[len(self.seen) - len(self.truth) - 1].astype(float)
        return float(np.square(before[None] - self.truth).mean())


@torch.inference_mode()
def next_frames(encoder: Encoder | Any, data: Dataset, *, row: int = -1, steps: int = 10) -> NextFrames:
    """Return the `steps` frames that come after clip `row` of `data`, the last one unless another is asked for.

    encoder: an Encoder, a run, or a folder of either. The frames of the video before the clip are seen as well.
    Raises InputError where the encoder has not learnt to forecast videos.
    """
    encoder = find_encoder(encoder)
    forecaster = find_forecaster(encoder)
    check_at_least("steps", steps, 1)
    encoder.check_reads(data)
    modality: Any = encoder.modality
    samples: Any = data.samples
    row %= len(data)
    film = samples.run_up(row, modality.window + steps) if hasattr(samples, "run_up") else samples[row]
    clip = modality.batch(np.asarray(film)[None], np.array([0]))
    known = max(1, min(steps, len(film) - max(1, modality.window // 2)))
    frames = _roll_out(modality, forecaster, clip, steps)
    guessed = _roll_out(modality, forecaster, clip[:, :, :-known], known)
    seen = modality.to_frames(clip)[0]
    return NextFrames(frames, seen, guessed, seen[-known:])


def find_forecaster(encoder: Encoder) -> Forecaster | SimVP:
    """Return the network that says what comes next. Raises InputError where the encoder has none for videos."""
    if encoder.modality.name != "video":
        raise InputError(f"next frames are of videos, and this encoder reads {encoder.modality.name}.")
    for network in encoder.networks.values():
        if isinstance(network, Forecaster | SimVP):
            return network
    raise InputError(
        f"an encoder of {', '.join(encoder.networks)} has not learnt what comes next: pretrain with method 'forecast'."
    )


def _roll_out(modality: Any, forecaster: Forecaster | SimVP, clip: torch.Tensor, steps: int) -> np.ndarray:
    """Return the frames [steps, C, H, W] after a clip [1, C, T, H, W]; what was guessed is read as if it had been seen.

    It reads no more frames than it was trained to go on from.
    """
    device = device_of(forecaster)
    on_device: Any = to_device(clip, device)
    if isinstance(forecaster, SimVP):
        return modality.to_frames(forecaster.go_on(on_device, steps))[0]
    values = modality.tokens(on_device).values
    per_frame, most = modality.side**2, max(1, modality.window - 1)
    for _ in range(steps):
        context = values[:, -most * per_frame :]
        count = context.shape[1] // per_frame
        places = modality.tokens(torch.zeros(1, *clip.shape[1:2], count, *clip.shape[3:], device=device)).places
        present = torch.ones(context.shape[:2], dtype=torch.bool, device=device)
        values = torch.cat([values, forecaster.guess_next(Tokens(context, present, places))[:, -per_frame:]], 1)
    last = values[:, -steps * per_frame :]
    made = Tokens(last, torch.ones(last.shape[:2], dtype=torch.bool), last.new_zeros(1, last.shape[1], 3))
    return modality.to_frames(modality.from_tokens(made, like=clip))[0]


def write_next(found: NextFrames, out: str | Path) -> list[Path]:
    """Write the next frames as a video, and beside it what was guessed, what was true and how far they differ."""
    from handful.modalities.video_files import write_video

    path = Path(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    apart = np.abs(found.guessed.astype(int) - found.truth).astype(np.uint8)
    panels = np.concatenate([found.truth, found.guessed, apart], -1)
    return [write_video(found.frames, path), write_video(panels, path.with_name(f"{path.stem}-error{path.suffix}"))]
