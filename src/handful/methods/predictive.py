"""Predictive methods: the target is what comes next."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from handful.encoders.forecaster import Forecaster
from handful.encoders.moments import in_moments
from handful.encoders.regions import in_regions
from handful.encoders.tokens import Tokens, mean_over
from handful.errors import InputError
from handful.methods.method import Foresight, Loss, Method, check_ordered, check_reads_tokens
from handful.modalities.contract import Batch, Modality


class CPC(Method):
    """Tells the parts that come next from parts of other samples and other times (van den Oord et al. 2018).

    A causal transformer sums up what came so far, in place of the paper's recurrent network. What it has to find is
    the code of one part alone, by its angle.
    steps: how far ahead it looks, one guess each. anchors: how many parts, drawn at random, are told apart at a time.
    """

    compares_samples = True
    only_embeds = True

    def __init__(
        self,
        backbone: nn.Module,
        modality: Modality,
        *,
        steps: int = 3,
        anchors: int = 1024,
        projection: int = 128,
        temperature: float = 0.2,
    ) -> None:
        check_ordered(modality, "cpc")
        check_causal(backbone, "cpc")
        super().__init__(backbone, modality)
        self.anchors, self.temperature = anchors, temperature
        width = self.backbone.width
        self.code = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, projection)
        )
        self.guesses = nn.ModuleList(nn.Linear(width, projection) for _ in range(steps))
        self.whole = in_regions(backbone, modality) or in_moments(backbone, modality)

    @classmethod
    def default_backbone(cls, modality: Modality) -> nn.Module:
        return modality.token_backbone(causal=True)

    @property
    def network(self) -> nn.Module:
        return self.backbone if self.whole is None else self.whole

    def forward(self, batch: Batch, generator: torch.Generator) -> Loss:
        tokens = self.modality.tokens(batch)
        context = self.backbone(tokens).features.flatten(0, 1)  # [B * L, D]
        codes = self.code(self.backbone.stem(tokens.values)).flatten(0, 1)
        losses = {}
        for ahead, guess in enumerate(self.guesses, 1):
            now, later = future_pairs(tokens, ahead)
            drawn = torch.randperm(len(now), generator=generator, device=now.device)[: self.anchors]
            if len(drawn) > 1:
                guessed = guess(context[now[drawn]])
                losses[f"ahead_{ahead}"] = tell_apart(guessed, codes[later[drawn]], temperature=self.temperature)
        if not losses:
            raise InputError(f"cpc needs samples of at least 2 steps ({self.modality.order}): use another method.")
        total = torch.stack(list(losses.values())).mean()
        return Loss(total, {name: loss.detach() for name, loss in losses.items()})


class Forecast(Method):
    """Guesses what comes next in its own values: the next frames, value or word.

    A causal network over tokens guesses each part from those before it; a network that compares its guesses with what
    came by itself is taken as it is.
    """

    def __init__(self, backbone: nn.Module, modality: Modality) -> None:
        check_ordered(modality, "forecast")
        super().__init__(backbone, modality)
        if hasattr(backbone, "compare"):
            self.forecaster: Any = backbone
            return
        check_causal(backbone, "forecast")
        ahead = getattr(modality, "ahead", lambda: None)
        self.forecaster = Forecaster(backbone, cut=modality.tokens, ahead=ahead())

    @classmethod
    def default_backbone(cls, modality: Modality) -> nn.Module:
        own = getattr(modality, "forecaster", None)
        return modality.token_backbone(causal=True) if own is None else own()

    @property
    def network(self) -> nn.Module:
        return self.forecaster

    def forward(self, batch: Batch, generator: torch.Generator) -> Loss:
        found = self.forecaster.compare(batch)
        if not found.present.shape[1]:
            raise InputError(f"forecast needs samples of at least 2 steps ({self.modality.order}): use another method.")
        total = mean_over(self.forecaster.mismatch(found), found.present)
        return Loss(total, {"next": total.detach()})

    @torch.no_grad()
    def foresee(self, batch: Batch) -> Foresight:
        both = (self.forecaster.compare(batch), self.forecaster.naive(batch))
        error, naive = (float(mean_over(self.forecaster.error(found), found.present)) for found in both)
        return Foresight(error, naive, self.forecaster.naive_way)


def future_pairs(tokens: Tokens, ahead: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the pairs of parts at one place, `ahead` steps apart and both present: indices into [B * L], twice [M]."""
    index = torch.arange(tokens.present.numel(), device=tokens.present.device).view(tokens.present.shape)
    far = min(ahead * tokens.step, index.shape[1])
    both = tokens.present[:, far:] & tokens.present[:, : index.shape[1] - far]
    return index[:, : index.shape[1] - far][both], index[:, far:][both]


def tell_apart(guesses: torch.Tensor, codes: torch.Tensor, *, temperature: float) -> torch.Tensor:
    """Return the cross entropy of finding code i of [M, D] for guess i of [M, D] (CPC, equation 4)."""
    likeness = F.normalize(guesses.float(), dim=1) @ F.normalize(codes.float(), dim=1).T / temperature
    return F.cross_entropy(likeness, torch.arange(len(guesses), device=guesses.device))


def check_causal(backbone: nn.Module, method: str) -> None:
    """Raise InputError unless the backbone takes tokens and sees no part that comes later."""
    check_reads_tokens(backbone, method)
    if not getattr(backbone, "causal", False):
        raise InputError(
            f"{method} guesses what comes next, so the network must not see it: give a TransformerEncoder "
            "with causal=True, or no encoder at all."
        )
