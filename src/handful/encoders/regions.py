"""A vector for a sample that keeps where things are: the means of its regions, side by side."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from handful.encoders.encoded import Encoded
from handful.encoders.saving import Cut, build, describe
from handful.encoders.tokens import Tokens


class Regions(nn.Module):
    """A network over tokens whose pooled vector [B, regions ** axes * D] is the means of equal regions, side by side.

    For samples in one frame, such as pictures of one size, whose parts were taught to know themselves rather than the
    whole: the mean of all parts forgets where they were. Fashion-MNIST, 2,000 images, an untrained transformer, kNN:
    the mean 69.2, two by two regions 76.1 % right.
    backbone: maps tokens to features [B, L, D]. regions: along each coordinate of a place. size: how many parts lie
    along each coordinate.
    """

    backbone: Any

    def __init__(self, backbone: nn.Module, *, axes: int, size: int, cut: Cut | None, regions: int = 2) -> None:
        super().__init__()
        self._own = {"axes": axes, "size": size, "regions": regions}
        self.backbone, self.axes, self.size, self.regions, self.cut = backbone, axes, size, regions, cut
        self.width: int = regions**axes * self.backbone.width

    @property
    def parts(self) -> int:
        """How many parts every sample has."""
        return self.size**self.axes

    @property
    def config(self) -> dict[str, Any]:
        """What `from_config` makes it again from."""
        return {"backbone": describe(self.backbone), **self._own}

    @classmethod
    def from_config(cls, config: dict[str, Any], *, cut: Cut | None) -> Regions:
        """Return the network that `config` describes, not trained."""
        rest = {name: value for name, value in config.items() if name != "backbone"}
        return cls(build(config["backbone"], cut=cut), cut=cut, **rest)

    def forward(self, batch: Any) -> Encoded:
        tokens = batch if isinstance(batch, Tokens) else self.cut(batch)  # type: ignore[misc]
        features = self.backbone(tokens).features
        return Encoded(features, self.pool(features, tokens))

    def pool(self, features: torch.Tensor, tokens: Tokens) -> torch.Tensor:
        """Return the mean of the present features [B, L, D] of each region, [B, regions ** axes * D]; 0 of none."""
        cells = (tokens.places * self.regions / self.size).long()  # [B or 1, L, A]
        number = (cells * self.regions ** torch.arange(self.axes, device=cells.device)).sum(-1)
        inside = F.one_hot(number, self.regions**self.axes).to(features.dtype) * tokens.present[..., None]
        sums = inside.transpose(1, 2) @ features  # [B, R, D]
        return (sums / inside.sum(1).clamp(min=1)[..., None]).flatten(1)


def in_regions(backbone: nn.Module, frame: Any) -> Regions | None:
    """Return the network that pools by regions, None where samples have no common square frame.

    frame: the kind of data: `parts`, how many every sample has, where all have as many; `axes`; and `tokens`.
    """
    parts = getattr(frame, "parts", None)
    if parts is None or frame.axes != 2:  # of other frames it is not known how many parts lie along each coordinate
        return None
    return Regions(backbone, axes=frame.axes, size=round(parts ** (1 / frame.axes)), cut=frame.tokens)
