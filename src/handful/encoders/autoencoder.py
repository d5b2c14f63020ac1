"""Networks that give the sample back: through one narrow vector, or in full resolution."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from handful.encoders.convolutional import CONVOLUTIONS, ConvolutionalEncoder, Residual
from handful.encoders.encoded import Encoded
from handful.encoders.mlp import MLPEncoder
from handful.encoders.saving import Cut, build, describe
from handful.encoders.temporal import TemporalEncoder
from handful.encoders.tokens import RealTokens, TokenKind, Tokens
from handful.encoders.transformer import PlaceCode, describe_kind, make_kind
from handful.errors import InputError

FULL_WIDTH = 24  # channels in full resolution


class Latent(NamedTuple):
    """features: [B, L, D]; mean, log_variance: [B, D] of the latent vector."""

    features: torch.Tensor
    mean: torch.Tensor
    log_variance: torch.Tensor


class LatentAutoencoder(nn.Module):
    """Maps a batch to a latent vector [B, latent], and the vector back to tokens.

    backbone: its features are pooled to `cells` of them in order, so that where something is stays known.
    kind, axes: of the tokens. parts: how many every sample has, None where they differ; vectors of a fixed number get a
    decoder with weights for each, which learns several times faster. latent: width of the vector. hidden: width of
    the decoder.
    """

    backbone: Any

    def __init__(
        self,
        backbone: nn.Module,
        kind: TokenKind,
        *,
        axes: int,
        cut: Cut,
        parts: int | None = None,
        latent: int = 64,
        cells: int = 16,
        hidden: int = 256,
    ) -> None:
        super().__init__()
        cells = getattr(backbone, "length", cells)
        self._own = {"axes": axes, "parts": parts, "latent": latent, "cells": cells, "hidden": hidden}
        self.backbone, self.kind, self.cut = backbone, kind, cut
        self.width, self.cells = latent, cells
        self.to_latent = nn.Linear(cells * self.backbone.width, 2 * latent)
        if parts is not None and isinstance(kind, RealTokens):
            self.decoder: nn.Module = PartsDecoder(kind, latent, parts=parts, hidden=hidden)
        else:
            self.decoder = PlaceDecoder(kind, latent, axes=axes, hidden=hidden)

    @property
    def config(self) -> dict[str, Any]:
        """What `from_config` makes it again from."""
        return {"backbone": describe(self.backbone), "kind": describe_kind(self.kind), **self._own}

    @classmethod
    def from_config(cls, config: dict[str, Any], *, cut: Cut) -> LatentAutoencoder:
        """Return the network that `config` describes, not trained."""
        rest = {name: value for name, value in config.items() if name not in ("backbone", "kind")}
        return cls(build(config["backbone"], cut=cut), make_kind(config["kind"]), cut=cut, **rest)

    def forward(self, batch: Any) -> Encoded:
        """Return the features, and the mean of the latent vector as the pooled one."""
        latent = self.latent(batch)
        return Encoded(latent.features, latent.mean)

    def latent(self, batch: Any) -> Latent:
        """Return the mean and the logarithm of the variance of the latent vector."""
        features = self.backbone(batch).features
        cells = features
        if features.shape[1] != self.cells:
            cells = F.adaptive_avg_pool1d(features.transpose(1, 2), self.cells).transpose(1, 2)
        mean, log_variance = self.to_latent(cells.flatten(1)).float().chunk(2, 1)
        return Latent(features, mean, log_variance.clamp(-20, 10))

    def reconstruct(self, batch: Any) -> Tokens:
        """Return the tokens as they come back from the latent mean; of symbols, their log odds [B, L, count]."""
        tokens = self.cut(batch)
        return tokens._replace(values=self.decoder(self.latent(batch).mean, tokens.places))


class PartsDecoder(nn.Module):
    """Maps vectors [B, D] to a fixed number of parts of real numbers, each with weights of its own."""

    def __init__(self, kind: RealTokens, width: int, *, parts: int, hidden: int) -> None:
        super().__init__()
        self.parts = parts
        self.network = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), kind.head(hidden, parts=parts))

    def forward(self, vectors: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        return self.network(vectors).unflatten(1, (self.parts, -1))

    @torch.no_grad()
    def begin_near_zero(self) -> None:
        """Shrink the last layer to a tenth: where vectors are drawn, random weights so wide are noise to be unlearnt.

        A VAE on Fashion-MNIST made copies with an error of .201 after 15 processor seconds, from a small layer of
        .108. An autoencoder's vectors are worse for it: 3 epochs of 5,000 images, 79.8 instead of 81.9 % by neighbours.
        """
        for parameter in self.network[-1].parameters():
            parameter.mul_(0.1)


class PlaceDecoder(nn.Module):
    """Maps vectors [B, D] and any places [B or 1, L, A] to tokens, each from the vector and its place alone (as the
    spatial broadcast decoder of Watters et al. 2019 does): the vector says all there is to know."""

    def __init__(self, kind: TokenKind, width: int, *, axes: int, hidden: int) -> None:
        super().__init__()
        self.vector = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, hidden))
        self.places = nn.Sequential(PlaceCode(axes, hidden), nn.LayerNorm(hidden))
        self.network = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU())
        self.head = kind.head(hidden)

    def forward(self, vectors: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        parts = self.vector(vectors)[:, None] * self.places(places)  # [B, L, hidden]
        return self.head(parts + self.network(parts))


class Restorer(nn.Module):
    """A network with a way back in full resolution: maps a spoilt batch to a clean one.

    A convolutional backbone gets a decoder that also sees the finer maps (U-Net, Ronneberger et al. 2015); one over
    tokens a head for each part. Of real numbers the change is guessed, not the value.
    """

    backbone: Any

    def __init__(self, backbone: nn.Module, kind: TokenKind, *, cut: Cut) -> None:
        super().__init__()
        self.backbone, self.kind, self.cut = backbone, kind, cut
        self.width: int = self.backbone.width
        if isinstance(backbone, ConvolutionalEncoder):
            self.way_back: nn.Module = _Upward(backbone)
        elif isinstance(backbone, TemporalEncoder):
            self.way_back = nn.Linear(backbone.width, backbone.stride * backbone.in_channels)
        elif isinstance(backbone, MLPEncoder):
            self.way_back = PartsDecoder(backbone.kind, backbone.width, parts=backbone.parts, hidden=backbone.width)
        elif getattr(backbone, "reads_tokens", False):
            self.way_back = kind.head(self.width)
        else:
            raise InputError(
                f"denoising needs a network whose way back is known, got {type(backbone).__name__}: "
                "give a ConvolutionalEncoder, a TemporalEncoder or a TransformerEncoder."
            )

    @property
    def config(self) -> dict[str, Any]:
        """What `from_config` makes it again from."""
        return {"backbone": describe(self.backbone), "kind": describe_kind(self.kind)}

    @classmethod
    def from_config(cls, config: dict[str, Any], *, cut: Cut) -> Restorer:
        """Return the network that `config` describes, not trained."""
        return cls(build(config["backbone"], cut=cut), make_kind(config["kind"]), cut=cut)

    def forward(self, batch: Any) -> Encoded:
        return self.backbone(batch)

    def reconstruct(self, batch: Any) -> Tokens:
        """Return the tokens of the clean batch; of symbols, their log odds [B, L, count]."""
        tokens = self.cut(batch)
        if isinstance(self.backbone, ConvolutionalEncoder):
            maps = self.backbone.maps(batch)
            maps[-1] = F.relu(self.backbone.norm(maps[-1]))  # trains the norm that the embedding is taken behind
            return self.cut(batch + self.way_back(maps, batch))
        if isinstance(self.backbone, TemporalEncoder):
            change = self.way_back(self.backbone(batch).features)  # [B, L, stride * C]
            change = change.unflatten(2, (self.backbone.stride, -1)).flatten(1, 2).transpose(1, 2)
            return self.cut({**batch, "values": batch["values"] + change[..., : batch["values"].shape[2]]})
        if isinstance(self.backbone, MLPEncoder):
            return tokens._replace(values=tokens.values + self.way_back(self.backbone(tokens).pooled, tokens.places))
        guess = self.way_back(self.backbone(tokens).features)
        return tokens._replace(values=guess if self.kind.symbolic else tokens.values + guess)


class _Upward(nn.Module):
    """From the maps of every stage, coarse to fine, to a change of the input in full resolution."""

    def __init__(self, backbone: ConvolutionalEncoder) -> None:
        super().__init__()
        conv = CONVOLUTIONS[backbone.dimensions]
        steps = list(pairwise(reversed(backbone.widths)))
        self.narrow = nn.ModuleList(conv(coarse, fine, 1) for coarse, fine in steps)
        self.mix = nn.ModuleList(Residual(conv, fine, fine) for _, fine in steps)
        halved = backbone.config["downsample_first"]
        self.fill_in = _FillIn(conv, backbone, width=FULL_WIDTH) if halved else None
        self.last = conv(FULL_WIDTH if halved else backbone.widths[0], backbone.in_channels, 3, padding=1)
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)  # it begins as no change at all

    def forward(self, maps: list[torch.Tensor], batch: torch.Tensor) -> torch.Tensor:
        found = maps[-1]
        for narrow, mix, finer in zip(self.narrow, self.mix, reversed(maps[:-1]), strict=True):
            found = mix(finer + F.interpolate(narrow(found), finer.shape[2:]))
        return self.last(F.relu(found if self.fill_in is None else self.fill_in(found, batch)))


class _FillIn(nn.Module):
    """From maps of half the resolution and the input [B, C, *space] to maps [B, width, *space].

    Each cell is spread over its pixels (sub-pixel convolution, Shi et al. 2016) and meets the input again: noise
    differs from pixel to pixel, and enlarged maps do not.
    """

    def __init__(self, conv: type[nn.Module], backbone: ConvolutionalEncoder, *, width: int) -> None:
        super().__init__()
        self.pixels = [2] * backbone.dimensions
        self.spread = conv(backbone.widths[0], width * math.prod(self.pixels), 1)
        self.seen = conv(backbone.in_channels, width, 3, padding=1)
        self.mix = Residual(conv, width, width)

    def forward(self, maps: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
        whole = spread_cells(self.spread(F.relu(maps)), self.pixels)
        for axis, length in enumerate(batch.shape[2:], 2):
            whole = whole.narrow(axis, 0, length)  # half of an odd side was rounded up
        return self.mix(whole + self.seen(batch))


def spread_cells(cells: torch.Tensor, pixels: list[int]) -> torch.Tensor:
    """Return [B, C * prod(pixels), *space] as [B, C, *space * pixels]: pixel shuffle in any number of dimensions."""
    n, space = len(pixels), cells.shape[2:]
    parts = cells.unflatten(1, (-1, *pixels))  # [B, C, *pixels, *space]
    order = [axis for k in range(n) for axis in (2 + n + k, 2 + k)]  # each cell beside its pixels
    shape = [many * each for many, each in zip(space, pixels, strict=True)]
    return parts.permute(0, 1, *order).reshape(*parts.shape[:2], *shape)
