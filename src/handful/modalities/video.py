"""Videos: clips in [-1, 1], one view for all frames, tubes of patches."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from handful.data import Samples
from handful.encoders.convolutional import ConvolutionalEncoder
from handful.encoders.pretrained_image import load_image_encoder
from handful.encoders.simvp import SimVP
from handful.encoders.tokens import RealTokens, Tokens
from handful.encoders.transformer import TransformerEncoder
from handful.encoders.untrained import RawInput
from handful.modalities.image import Image

_HIDDEN = 0.9  # of the tubes: frames are alike, so more than in an image (VideoMAE, Tong et al. 2022)
_RAW_SIDE = 16
_COURSE = (8, 8, 8)  # stretches of time, rows and columns of the course of a clip
_SHOWN = 20  # frames
_SHOWN_MILLISECONDS = 120  # each


class Video:
    """Clips of one size and length. Samples are uint8 [N, T, C, H, W] with H as W; a batch is [B, C, T, H, W].

    window: T, the frames of a clip; every: one of how many frames of the video they are.
    crop, colour, flip: of the views, as of images; all frames of a clip are changed alike.
    """

    name = "video"
    axes = 3
    order = "frames"
    auto = ("pca", "course")
    untrained = ("pca",)  # what is odd is told by how things look and change, not by where they are when

    def __init__(
        self,
        *,
        size: int,
        channels: int,
        window: int,
        every: int = 1,
        crop: float = 0.5,
        colour: float = 0.4,
        flip: bool = False,
    ) -> None:
        self.size, self.channels, self.window, self.every = size, channels, window, every
        self.crop, self.colour, self.flip = crop, colour, flip
        # To a view, frames are channels: it moves and lightens all of them alike.
        self._image = Image(size=size, channels=1, crop=crop, colour=colour, flip=flip)
        self.patch = self._image.patch
        self.side = -(-size // self.patch)
        self.token_kind = RealTokens(channels * self.patch**2, hidden=_HIDDEN)

    @property
    def settings(self) -> Mapping[str, Any]:
        names = ("size", "channels", "window", "every", "crop", "colour", "flip")
        return {name: getattr(self, name) for name in names}

    def load_encoder(self, name: str | Path, *, pooling: str = "auto") -> tuple[Video, nn.Module]:
        """Return this kind and the pretrained network of clips called `name` (a folder, or a name on the hub).

        Raises InputError where there is none.
        """
        return self, load_image_encoder(name, pooling=pooling, clips=True)

    def batch(self, samples: Samples, rows: np.ndarray) -> torch.Tensor:
        """Return the clips of `rows` as [B, C, T, H, W] in [-1, 1]."""
        pixels = torch.from_numpy(np.ascontiguousarray(samples[rows])).transpose(1, 2)
        return pixels.float().mul_(1 / 127.5).sub_(1)

    def view(self, batch: torch.Tensor, *, generator: torch.Generator) -> torch.Tensor:
        """Return a random stretch of two thirds of each clip, at its own pace, all its frames changed alike: two views
        are two clips of one video (as in Qian et al. 2021)."""
        n, count = len(batch), batch.shape[2]
        length = count - count // 3
        start = torch.randint(count - length + 1, (n, 1), generator=generator, device=batch.device)
        steps = start + torch.arange(length, device=batch.device)  # [B, length]
        stretch = batch[torch.arange(n, device=batch.device)[:, None], :, steps].transpose(1, 2)
        return self._image.view(stretch.flatten(1, 2), generator=generator).unflatten(1, stretch.shape[1:3])

    def tokens(self, batch: torch.Tensor) -> Tokens:
        """Return square patches, frame by frame; those of one place are hidden together, as a tube."""
        frames = batch.transpose(1, 2)  # [B, T, C, H, W]
        missing = self.side * self.patch - self.size
        if missing:
            frames = F.pad(frames.flatten(1, 2), (0, missing, 0, missing), mode="replicate").unflatten(
                1, frames.shape[1:3]
            )
        cut = frames.unflatten(4, (self.side, self.patch)).unflatten(3, (self.side, self.patch))
        values = cut.permute(0, 1, 3, 5, 2, 4, 6).flatten(4).flatten(1, 3)  # [B, T * L, C * p * p]
        count, device = batch.shape[2], batch.device
        steps = torch.arange(self.side, device=device)
        places = torch.cartesian_prod(torch.arange(count, device=device), steps, steps).float()[None]
        tube = torch.arange(self.side**2, device=device).repeat(count).expand(len(batch), -1)
        present = torch.ones(values.shape[:2], dtype=torch.bool, device=device)
        return Tokens(values, present, places, together=tube)

    def from_tokens(self, tokens: Tokens, like: torch.Tensor) -> torch.Tensor:
        """Return the clips [B, C, T, H, W] that the patches make."""
        parts = tokens.values.unflatten(1, (-1, self.side, self.side))
        parts = parts.unflatten(4, (self.channels, self.patch, self.patch))  # [B, T, side, side, C, p, p]
        whole = parts.permute(0, 4, 1, 2, 5, 3, 6).flatten(5).flatten(3, 4)
        return whole[..., : self.size, : self.size]

    def flat(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the mean frame and how frames differ from it on average [B, P], the side at most 16."""
        side = min(self.size, _RAW_SIDE)
        small = F.adaptive_avg_pool3d(batch, (batch.shape[2], side, side))
        mean = small.mean(2)
        return torch.cat([mean.flatten(1), (small - mean[:, :, None]).abs().mean(2).flatten(1)], 1)

    def backbone(self) -> nn.Module:
        """Return a small residual network over space and time."""
        return ConvolutionalEncoder(self.channels, dimensions=3, widths=(24, 48, 96), downsample_first=self.size > 24)

    def token_backbone(self, *, causal: bool = False) -> nn.Module:
        """Return a small transformer over the patches of all frames."""
        return TransformerEncoder(self.token_kind, axes=3, width=96, depth=3, causal=causal, cut=self.tokens)

    def forecaster(self) -> nn.Module:
        """Return a small network that guesses the second half of a clip from the first."""
        known = self.window // 2
        return SimVP(self.channels, known=known, ahead=self.window - known, cut=self.tokens)

    def floors(self) -> Mapping[str, nn.Module]:
        """Return the mean frame with the changes, and the course: what is where, from beginning to end."""
        return {"pca": RawInput(self.flat), "course": RawInput(_course)}

    def show(self, samples: Samples, rows: np.ndarray) -> list[str]:
        """Return an <img> that plays the clip for each row."""
        return [f'<img alt="" src="data:image/webp;base64,{_playing(clip)}">' for clip in samples[np.asarray(rows)]]

    def to_frames(self, batch: torch.Tensor) -> np.ndarray:
        """Return clips [B, C, T, H, W] in [-1, 1] as uint8 [B, T, C, H, W]."""
        return ((batch.clamp(-1, 1) + 1) * 127.5).round().byte().transpose(1, 2).cpu().numpy()


def _course(batch: torch.Tensor) -> torch.Tensor:
    """Return the means of the stretches and cells of clips [B, C, T, H, W] as [B, C * 8 * 8 * 8]."""
    return F.adaptive_avg_pool3d(batch, _COURSE).flatten(1)


def _playing(clip: np.ndarray) -> str:
    """Return a clip [T, C, H, W] as an animated WebP in base 64, evenly spaced frames of it where it is long."""
    from PIL import Image as Pillow

    chosen = np.moveaxis(clip[np.linspace(0, len(clip) - 1, min(_SHOWN, len(clip))).astype(int)], 1, -1)
    frames = [Pillow.fromarray(frame[..., 0] if frame.shape[-1] == 1 else frame) for frame in chosen]
    buffer = io.BytesIO()
    frames[0].save(
        buffer, "WEBP", save_all=True, append_images=frames[1:], duration=_SHOWN_MILLISECONDS, loop=0, quality=80
    )
    return base64.b64encode(buffer.getvalue()).decode()
