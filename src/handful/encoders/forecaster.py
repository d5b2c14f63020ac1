"""A network that guesses the next step of a sequence in its own values."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from handful.encoders.encoded import Encoded
from handful.encoders.saving import Cut, build, describe
from handful.encoders.tokens import Tokens


class Forecaster(nn.Module):
    """A causal transformer and a head: each part guesses the part at the same place one step later.

    Of real numbers the change is guessed: to say "as before" costs nothing.
    """

    backbone: Any

    def __init__(self, backbone: nn.Module, *, cut: Cut) -> None:
        super().__init__()
        self.backbone, self.cut = backbone, cut
        self.width, self.kind = self.backbone.width, self.backbone.kind
        self.head = self.kind.head(self.width)
        if not self.kind.symbolic:
            for parameter in self.head.parameters():
                nn.init.zeros_(parameter)  # it begins as no change at all

    @property
    def config(self) -> dict[str, Any]:
        """What `from_config` makes it again from."""
        return {"backbone": describe(self.backbone)}

    @classmethod
    def from_config(cls, config: dict[str, Any], *, cut: Cut) -> Forecaster:
        """Return the network that `config` describes, not trained."""
        return cls(build(config["backbone"], cut=cut), cut=cut)

    def forward(self, batch: Any) -> Encoded:
        return self.backbone(batch)

    def guess_next(self, tokens: Tokens) -> torch.Tensor:
        """Return for each part the guess of the one that follows at its place; of symbols, log odds."""
        guess = self.head(self.backbone(tokens).features)
        return guess if self.kind.symbolic else tokens.values + guess
