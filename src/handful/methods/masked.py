"""Masked methods: the target is what was hidden."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from handful.encoders.autoencoder import PartsDecoder
from handful.encoders.filler import Filler
from handful.encoders.regions import in_regions
from handful.encoders.tokens import SymbolTokens, Tokens, mean_over
from handful.encoders.transformer import PlaceCode, TransformerLayers, may_attend
from handful.methods.method import Loss, Method, check_reads_tokens
from handful.methods.pretext import hide, masked_symbols, swap_parts
from handful.modalities.contract import Batch, Modality


class Masked(Method):
    """Hides parts of a sample and guesses them from the rest.

    Of real numbers the network reads only what is visible, and a light decoder guesses the rest (MAE, He et al.
    2022). Of symbols it reads all, the hidden ones blotted out (BERT, Devlin et al. 2019). Where a kind of token swaps
    parts for those of other samples, which ones and all values are told from the vector (VIME, Yoon et al. 2020).
    Where samples have one frame, the hidden parts are guessed a second time, from the pooled vector alone. MAE trains
    parts, not the vector that samples are compared by: its neighbours got worse with training.
    share: the share that is hidden; by default that of the kind of token. width, depth: of the decoder.
    alpha: what the values weigh beside the mask where parts are swapped.
    """

    def __init__(
        self,
        backbone: nn.Module,
        modality: Modality,
        *,
        share: float | None = None,
        width: int = 96,
        depth: int = 1,
        alpha: float = 2.0,
    ) -> None:
        check_reads_tokens(backbone, "masked")
        super().__init__(backbone, modality)
        kind = modality.token_kind
        self.kind: Any = kind
        self.only_embeds = not kind.symbolic  # of symbols it fills gaps as well
        self.share = kind.hidden if share is None else share
        self.alpha = alpha
        self.whole = None
        if isinstance(kind, SymbolTokens):
            self.filler = Filler(backbone, cut=modality.tokens)
        elif kind.swaps:
            parts = int(modality.parts)  # type: ignore[attr-defined]
            self.values = PartsDecoder(kind, self.backbone.width, parts=parts, hidden=256)
            self.mask = nn.Sequential(nn.Linear(self.backbone.width, 256), nn.GELU(), nn.Linear(256, parts))
        else:
            self.decoder = HiddenDecoder(self.backbone.width, width, axes=modality.axes, depth=depth)
            self.head = kind.head(width)
            self.whole = in_regions(backbone, modality)
            if self.whole is not None:
                self.recall = PartsDecoder(kind, self.whole.width, parts=self.whole.parts, hidden=256)

    @classmethod
    def default_backbone(cls, modality: Modality) -> nn.Module:
        return modality.backbone() if modality.token_kind.swaps else modality.token_backbone()

    @property
    def network(self) -> nn.Module:
        if self.kind.symbolic:
            return self.filler
        return self.backbone if self.whole is None else self.whole

    def forward(self, batch: Batch, generator: torch.Generator) -> Loss:
        tokens = self.modality.tokens(batch)
        if self.kind.swaps:
            return self._mismatch_of_swapped(tokens, generator)
        visible, hidden = hide(tokens, self.share, generator)
        if self.kind.symbolic:
            total = self._mismatch_of_symbols(tokens, hidden, generator)
            return Loss(total, {"hidden": total.detach()})
        target = self.kind.target(tokens.values)
        parts = {
            name: mean_over(self.kind.mismatch(guess, target), hidden)
            for name, guess in self._guesses(tokens, visible).items()
        }
        return Loss(torch.stack(list(parts.values())).sum(), {name: part.detach() for name, part in parts.items()})

    def _guesses(self, tokens: Tokens, visible: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the guesses [B, L, P] of all parts from what is visible, by how they are made."""
        seen = tokens.take(visible)
        features = self.backbone(seen).features
        guesses = {"hidden": self.head(self.decoder(features, visible, tokens))}
        if self.whole is not None:
            guesses["recalled"] = self.recall(self.whole.pool(features, seen), tokens.places)
        return guesses

    def _mismatch_of_swapped(self, tokens: Tokens, generator: torch.Generator) -> Loss:
        """Return the cross entropy of the mask and, `alpha` times, the mismatch of all values (VIME, equation 3)."""
        spoilt, changed = swap_parts(tokens, self.share, generator)
        vector = self.backbone(spoilt).pooled
        mask = F.binary_cross_entropy_with_logits(self.mask(vector).float(), changed.float())
        guess = self.values(vector, tokens.places)
        values = mean_over(self.kind.mismatch(guess, tokens.values), tokens.present)
        return Loss(mask + self.alpha * values, {"mask": mask.detach(), "values": values.detach()})

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
