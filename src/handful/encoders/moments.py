"""A vector for a sample of any length that keeps how its parts vary: their mean and standard deviation."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from handful.encoders.encoded import Encoded
from handful.encoders.saving import Cut, build, describe
from handful.encoders.tokens import Tokens


class Moments(nn.Module):
    """A network over tokens whose pooled vector [B, 2 * D] is the mean and the standard deviation of its features over
    the parts of a sample (statistics pooling, Snyder et al. 2018).

    For sequences whose parts were taught to know what comes next: their mean alone forgets whether anything came.
    Spoken digits, CPC of one epoch, ridge regression with one speaker left out: the mean 69.9, both 74.2 % right; not
    trained 65.1 and 69.7.
    """

    backbone: Any

    def __init__(self, backbone: nn.Module, *, cut: Cut | None) -> None:
        super().__init__()
        self.backbone, self.cut = backbone, cut
        self.width: int = 2 * self.backbone.width

    @property
    def config(self) -> dict[str, Any]:
        """What `from_config` makes it again from."""
        return {"backbone": describe(self.backbone)}

    @classmethod
    def from_config(cls, config: dict[str, Any], *, cut: Cut | None) -> Moments:
        """Return the network that `config` describes, not trained."""
        return cls(build(config["backbone"], cut=cut), cut=cut)

    def forward(self, batch: Any) -> Encoded:
        tokens = batch if isinstance(batch, Tokens) else self.cut(batch)  # type: ignore[misc]
        features = self.backbone(tokens).features
        return Encoded(features, moments(features, tokens.present))


def moments(features: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """Return mean and standard deviation, side by side [B, 2 * D], of features [B, L, D] over the present parts [B, L];
    0 of none."""
    weight = present[..., None].to(features.dtype)
    weight = weight / weight.sum(1, keepdim=True).clamp(min=1)
    mean = (features * weight).sum(1)
    spread = ((features - mean[:, None]).square() * weight).sum(1).sqrt()
    return torch.cat([mean, spread], 1)


def in_moments(backbone: nn.Module, kind: Any) -> Moments | None:
    """Return the network over tokens that pools by moments, None unless samples are sequences of real tokens.

    kind: of data: `axes`, `tokens` and `token_kind`.
    """
    if kind.axes != 1 or kind.token_kind.symbolic:
        return None
    return Moments(backbone, cut=kind.tokens)
