"""Masked methods: the target is what was hidden."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from handful.encoders.filler import Filler
from handful.encoders.tokens import Tokens, mean_over
from handful.encoders.transformer import PlaceCode, TransformerLayers, may_attend
from handful.methods.method import Loss, Method, check_reads_tokens
from handful.methods.pretext import hide, masked_symbols
from handful.modalities.contract import Batch, Modality


class Masked(Method):
    """Hides parts of a sample and guesses them from the rest.

    Of real numbers the network reads only what is visible, and a light decoder guesses the rest (MAE, He et al.
    2022). Of symbols it reads all, the hidden ones blotted out (BERT, Devlin et al. 2019).
    share: the share that is hidden; by default that of the kind of token. width, depth: of the decoder.
    """

    def __init__(
        self, backbone: nn.Module, modality: Modality, *, share: float | None = None, width: int = 96, depth: int = 1
    ) -> None:
        check_reads_tokens(backbone, "masked")
        super().__init__(backbone, modality)
        self.kind: Any = modality.token_kind
        features = self.backbone.width
        self.share = self.kind.hidden if share is None else share
        if self.kind.symbolic:
            self.filler = Filler(backbone, cut=modality.tokens)
        else:
            self.decoder = HiddenDecoder(features, width, axes=modality.axes, depth=depth)
            self.head = self.kind.head(width)

    @classmethod
    def default_backbone(cls, modality: Modality) -> nn.Module:
        return modality.token_backbone()

    @property
    def network(self) -> nn.Module:
        return self.filler if self.kind.symbolic else self.backbone

    def forward(self, batch: Batch, generator: torch.Generator) -> Loss:
        tokens = self.modality.tokens(batch)
        visible, hidden = hide(tokens, self.share, generator)
        if self.kind.symbolic:
            total = self._mismatch_of_symbols(tokens, hidden, generator)
        else:
            total = mean_over(self.kind.mismatch(self._guess(tokens, visible), self.kind.target(tokens.values)), hidden)
        return Loss(total, {"hidden": total.detach()})

    def _guess(self, tokens: Tokens, visible: torch.Tensor) -> torch.Tensor:
        features = self.backbone(tokens.take(visible)).features
        return self.head(self.decoder(features, visible, tokens))

    def _mismatch_of_symbols(self, tokens: Tokens, hidden: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        random = self.kind.random(tokens.values, generator)
        values, blotted = masked_symbols(tokens.values, hidden, random, generator)
        guess = self.filler.guess(tokens._replace(values=values), hidden=blotted, wanted=hidden)
        return self.kind.mismatch(guess[None], tokens.values[hidden][None]).mean()


class HiddenDecoder(nn.Module):
    """Puts the features of the visible parts back in their places among blanks and lets them talk: [B, L, width]."""

    def __init__(self, features: int, width: int, *, axes: int, depth: int, heads: int = 3) -> None:
        super().__init__()
        self.narrow, self.places = nn.Linear(features, width), PlaceCode(axes, width)
        self.blank = nn.Parameter(0.02 * torch.randn(width))
        self.layers = TransformerLayers(width, depth=depth, heads=heads)

    def forward(self, features: torch.Tensor, visible: torch.Tensor, tokens: Tokens) -> torch.Tensor:
        narrow = self.narrow(features)
        blanks = self.blank.to(narrow.dtype).expand(*tokens.present.shape, -1)
        index = visible[..., None].expand(-1, -1, narrow.shape[2])
        parts = blanks.scatter(1, index, narrow) + self.places(tokens.places)
        return self.layers(parts, may_attend(tokens, causal=False))
