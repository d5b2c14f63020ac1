"""A network that guesses hidden symbols: the words of a text that were blotted out."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from handful.encoders.encoded import Encoded
from handful.encoders.saving import Cut, build, describe
from handful.encoders.tokens import Tokens


class Filler(nn.Module):
    """A network over symbols, the vector that stands for a hidden one, and a way from features to log odds.

    The odds of a symbol are how well the feature fits the vector that the symbol is read as: both ways share their
    weights (Press and Wolf 2017), as in BERT.
    backbone: its `stem` is an embedding [count, width]; `mask`, where it has one, is the symbol it knows as hidden.
    """

    backbone: Any

    def __init__(self, backbone: nn.Module, *, cut: Cut | None) -> None:
        super().__init__()
        self.backbone, self.cut = backbone, cut
        self.width: int = self.backbone.width
        weight = self._stem.weight
        mask = getattr(backbone, "mask", None)
        self.blot = nn.Parameter(0.02 * torch.randn(weight.shape[1]) if mask is None else weight[mask].detach().clone())
        norm = nn.LayerNorm(weight.shape[1])
        self.change = nn.Sequential(nn.Linear(self.width, weight.shape[1]), nn.GELU(), norm)
        # Log odds of a spread of about one: it begins by guessing evenly, whatever the scale of the vectors.
        nn.init.constant_(norm.weight, float(1 / (weight.detach().std() * weight.shape[1] ** 0.5)))
        self.bias = nn.Parameter(torch.zeros(len(weight)))

    @property
    def _stem(self) -> nn.Embedding:
        return self.backbone.stem

    @property
    def config(self) -> dict[str, Any]:
        """What `from_config` makes it again from."""
        return {"backbone": describe(self.backbone)}

    @classmethod
    def from_config(cls, config: dict[str, Any], *, cut: Cut | None) -> Filler:
        """Return the network that `config` describes, not trained."""
        return cls(build(config["backbone"], cut=cut), cut=cut)

    def forward(self, batch: Any) -> Encoded:
        return self.backbone(batch)

    def guess(self, tokens: Tokens, *, hidden: torch.Tensor, wanted: torch.Tensor | None = None) -> torch.Tensor:
        """Return the log odds [M, count] of the symbols at `wanted` [B, L] bool, row by row, those `hidden` not seen.

        wanted: the hidden ones where it is not given. Only these go through the way out: there are many symbols.
        """
        features = self.backbone(tokens, hidden=hidden, stand_in=self.blot).features
        chosen = features[hidden if wanted is None else wanted]
        return F.linear(self.change(chosen), self._stem.weight, self.bias)
