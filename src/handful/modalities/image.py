"""Images: batches in [-1, 1], random views, raw vectors and thumbnails.

The distribution of views follows SimCLR (Chen et al. 2020, appendix A) but for the crops, which are milder: on small
pictures of single things a crop of less than half shows another thing.
"""

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
from handful.encoders.tokens import RealTokens, Tokens
from handful.encoders.transformer import TransformerEncoder
from handful.encoders.untrained import GradientHistograms, RawInput
from handful.files import written_whole
from handful.modalities.image_views import draw_changes, render

MIRROR_ROWS = 2000
MIRROR_RATIO = 1.05
MIRROR_SIDE = 64  # pixels: two thousand larger images would fill the memory and tell nothing more
LEAST_COARSE = 14  # pixels a side
_RAW_SIDE = 32  # pixels: PCA of larger images gains nothing and costs the cube of the side


class Image:
    """Images of one size. Samples are uint8 [N, C, H, W] with C 1 (grey) or 3 (colour).

    fit: how they were made square when they were read ("crop" or "squash").
    crop: the smallest share of the area that a view keeps.
    colour: the strength of the colour changes, 0 to 1 (SimCLR's is 0.5 on CIFAR-10).
    flip: whether views are mirrored; None looks at the data (`adapt`).
    """

    name = "image"
    axes = 2
    order = "rows from top to bottom"
    beside = ("gradients", "pca")
    steps_a_pass = 32

    def __init__(
        self,
        *,
        size: int,
        channels: int,
        fit: str = "crop",
        crop: float = 0.4,
        colour: float = 0.5,
        flip: bool | None = None,
        turn: float = 0.0,
    ) -> None:
        self.size, self.channels, self.fit = size, channels, fit
        self.crop, self.colour, self.flip, self.turn = crop, colour, flip, turn
        self.patch = _patch_side(size)
        self.parts = (-(-size // self.patch)) ** 2
        self.token_kind = RealTokens(channels * self.patch**2)

    @property
    def counts(self) -> Mapping[str, float]:
        """How much each representation counts: SimCLR half of what gradients do in grey, an eighth in colour.

        On photos of clothes it counts best an eighth, however long it was trained, and half costs five points; on
        Fashion-MNIST a half or more. Right in % at 1 and 5 labels a class by `consensus`, so and all alike: 400 photos
        39.2 and 56.9, 29.9 and 45.8; all 70,000 of Fashion-MNIST 70.2 and 78.7, 70.5 and 79.4. What was learnt
        elsewhere, and the rest: benchmarks/LOG.md.
        """
        return {"gradients": 1.0, "pca": 0.25, "simclr": 0.5 if self.channels == 1 else 0.125, "pretrained": 4.0}

    @property
    def settings(self) -> Mapping[str, Any]:
        names = ("size", "channels", "fit", "crop", "colour", "flip", "turn")
        return {name: getattr(self, name) for name in names}

    def adapt(self, samples: Samples, *, seed: int = 0) -> Image:
        """Return the same kind with `flip` settled: whether a mirrored sample still looks like the data.

        A digit mirrored is no digit, and a view must not turn one thing into another.
        """
        if self.flip is not None:
            return self
        rows = np.sort(np.random.default_rng(seed).permutation(len(samples))[:MIRROR_ROWS])
        side = min(self.size, MIRROR_SIDE)
        images = [self._shrunk(samples, part, side) for part in np.array_split(rows, -(-len(rows) // 100))]
        small = Image(**{**self.settings, "size": side})
        flip = mirror_is_alike(torch.cat(images), small.floors()["gradients"])
        return Image(**{**self.settings, "flip": flip})

    def _shrunk(self, samples: Samples, rows: np.ndarray, side: int) -> torch.Tensor:
        images = self.batch(samples, rows)
        return images if side == self.size else F.interpolate(images, (side, side), mode="area")

    def load_encoder(self, name: str | Path, *, pooling: str = "auto") -> tuple[Image, nn.Module]:
        """Return this kind and the pretrained network called `name` (a folder, or a name on the hub).

        Raises InputError where there is none.
        """
        return self, load_image_encoder(name, pooling=pooling)

    def batch(self, samples: Samples, rows: np.ndarray) -> torch.Tensor:
        """Return the images of `rows` as [B, C, H, W] in [-1, 1]."""
        pixels = torch.from_numpy(np.ascontiguousarray(samples[rows]))
        return pixels.float().mul_(1 / 127.5).sub_(1)

    def coarse(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the images at half their side, means of two by two pixels, where that leaves 14 pixels or more."""
        side = batch.shape[-1] // 2
        return batch if side < LEAST_COARSE else F.interpolate(batch, (side, side), mode="area")

    def view(self, batch: torch.Tensor, *, generator: torch.Generator) -> torch.Tensor:
        """Return a random view of each image [B, C, H, W]."""
        changes = draw_changes(
            len(batch),
            channels=self.channels,
            crop=self.crop,
            colour=self.colour,
            flip=bool(self.flip),
            turn=self.turn,
            generator=generator,
            device=batch.device,
        )
        return render(batch, changes)

    def tokens(self, batch: torch.Tensor) -> Tokens:
        """Return square patches, row by row; the edge is repeated where the side is not a multiple of the patch."""
        side = -(-self.size // self.patch)
        missing = side * self.patch - self.size
        if missing:
            batch = F.pad(batch, (0, missing, 0, missing), mode="replicate")
        cut = batch.unflatten(3, (side, self.patch)).unflatten(2, (side, self.patch))  # [B, C, side, p, side, p]
        values = cut.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)  # [B, L, C * p * p]
        steps = torch.arange(side, device=batch.device)
        places = torch.cartesian_prod(steps, steps).float()[None]  # [1, L, 2]
        return Tokens(values, torch.ones(values.shape[:2], dtype=torch.bool, device=batch.device), places)

    def from_tokens(self, tokens: Tokens, like: torch.Tensor) -> torch.Tensor:
        """Return the images [B, C, H, W] that the patches make."""
        side = -(-self.size // self.patch)
        parts = tokens.values.unflatten(1, (side, side)).unflatten(3, (self.channels, self.patch, self.patch))
        whole = parts.permute(0, 3, 1, 4, 2, 5).flatten(4).flatten(2, 3)  # [B, C, side * p, side * p]
        return whole[..., : self.size, : self.size]

    def flat(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the pixels as [B, P], the side at most 32."""
        if batch.shape[-1] > _RAW_SIDE:
            batch = F.interpolate(batch, (_RAW_SIDE, _RAW_SIDE), mode="area")
        return batch.flatten(1)

    def backbone(self) -> nn.Module:
        """Return a small residual network."""
        widths = (48, 96, 192) if self.size <= 40 else (32, 64, 128, 256)
        return ConvolutionalEncoder(self.channels, dimensions=2, widths=widths, downsample_first=self.size > 16)

    def token_backbone(self, *, causal: bool = False) -> nn.Module:
        """Return a small vision transformer over the patches."""
        return TransformerEncoder(self.token_kind, axes=self.axes, causal=causal, cut=self.tokens)

    def floors(self) -> Mapping[str, nn.Module]:
        """Return raw pixels and histograms of gradients."""
        return {"pca": RawInput(self.flat), "gradients": GradientHistograms(window=2 * max(1, round(self.size / 8)))}

    def write(self, sample: np.ndarray, path: Path) -> Path:
        """Write an image [C, H, W] in [-1, 1] beside `path` as .png and return where it lies."""
        pixels = np.rint((np.clip(sample, -1, 1) + 1) * 127.5).astype(np.uint8)
        path = path.with_suffix(".png")
        with written_whole(path) as file:
            file.write(_encode_png(pixels))
        return path

    def show(self, samples: Samples, rows: np.ndarray) -> list[str]:
        """Return an <img> with the picture inside for each row."""
        pictures = [base64.b64encode(_encode_png(pixels)).decode() for pixels in samples[rows]]
        return [f'<img alt="" src="data:image/png;base64,{picture}">' for picture in pictures]


def _patch_side(size: int) -> int:
    """Return the side in pixels of the patches: about an eighth of the image, at least 2, with little left over."""
    aim = size / 8
    sides = range(2, max(2, round(1.5 * aim)) + 1)
    return min(sides, key=lambda side: (abs(side - aim) / aim + (-size % side) / side, side))


def mirror_is_alike(images: torch.Tensor, network: nn.Module) -> bool:
    """Tell whether mirrored images lie as near to the images [B, C, H, W] as these lie to one another.

    The distance of a mirrored image to its nearest image is set against that of the image itself (median of the
    ratios, gradient histograms; measured: clothing photos 1.02, Fashion-MNIST 1.08, digits 1.34).
    """
    if len(images) < 2:
        return True
    with torch.inference_mode():
        plain, mirrored = network(images).pooled, network(images.flip(-1)).pooled
    plain, mirrored = (F.normalize(vectors - plain.mean(0), dim=1) for vectors in (plain, mirrored))
    own, turned = ((2 - 2 * vectors @ plain.T).clamp_min(0).fill_diagonal_(4) for vectors in (plain, mirrored))
    ratio = turned.amin(1).sqrt() / own.amin(1).sqrt().clamp_min(1e-6)
    return bool(ratio.median() < MIRROR_RATIO)


def _encode_png(pixels: np.ndarray) -> bytes:
    from PIL import Image as Pillow

    picture = Pillow.fromarray(pixels[0] if len(pixels) == 1 else np.moveaxis(pixels, 0, -1))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
