"""A network that guesses the next step of a sequence in its own values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch import nn

from handful.encoders.encoded import Encoded
from handful.encoders.linear_ahead import LinearAhead
from handful.encoders.saving import Cut, build, describe
from handful.encoders.tokens import Tokens


class Compared(NamedTuple):
    """What was guessed and what came [B, L, P], of symbols log odds [B, L, count] and [B, L]; where both are [B, L]."""

    guess: torch.Tensor
    truth: torch.Tensor
    present: torch.Tensor


class Forecaster(nn.Module):
    """A causal transformer and a head: each part guesses the part at the same place one step later.

    Of real numbers the change is guessed: to say "as before" costs nothing.
    ahead: a linear map that guesses many steps at once, fitted by `fit`, where the kind of data has one.
    """

    backbone: Any

    def __init__(self, backbone: nn.Module, *, cut: Cut, ahead: LinearAhead | None = None) -> None:
        super().__init__()
        self.backbone, self.cut, self.ahead = backbone, cut, ahead
        self.width, self.kind = self.backbone.width, self.backbone.kind
        self.head = self.kind.head(self.width)
        if not self.kind.symbolic:
            for parameter in self.head.parameters():
                nn.init.zeros_(parameter)  # it begins as no change at all

    @property
    def config(self) -> dict[str, Any]:
        """What `from_config` makes it again from."""
        ahead = {} if self.ahead is None else {"ahead": self.ahead.config}
        return {"backbone": describe(self.backbone), **ahead}

    @classmethod
    def from_config(cls, config: dict[str, Any], *, cut: Cut) -> Forecaster:
        """Return the network that `config` describes, not trained."""
        ahead = LinearAhead(**config["ahead"]) if "ahead" in config else None
        return cls(build(config["backbone"], cut=cut), cut=cut, ahead=ahead)

    def fit(self, batches: Iterable[Any], *, seed: int = 0) -> Forecaster:
        """Fit the linear map, where there is one; the network is trained."""
        if self.ahead is not None:
            self.ahead.fit(batches, seed=seed)
        return self

    def forward(self, batch: Any) -> Encoded:
        return self.backbone(batch)

    def compare(self, batch: Any) -> Compared:
        """Return each part from the second step on beside its guess from those before."""
        tokens = self.cut(batch)
        known = tokens.present.shape[1] - tokens.step
        both = tokens.present[:, tokens.step :] & tokens.present[:, :known]
        return Compared(self.guess_next(tokens)[:, :known], tokens.values[:, tokens.step :], both)

    def naive(self, batch: Any) -> Compared:
        """Return the same parts beside what costs nothing to guess: the step before; of symbols, how often each is."""
        tokens = self.cut(batch)
        known = tokens.present.shape[1] - tokens.step
        truth, both = tokens.values[:, tokens.step :], tokens.present[:, tokens.step :] & tokens.present[:, :known]
        if not self.kind.symbolic:
            return Compared(tokens.values[:, :known], truth, both)
        often = torch.bincount(truth[both], minlength=self.kind.count).clamp(min=1).log()
        return Compared(often.expand(*truth.shape, -1), truth, both)

    @property
    def naive_way(self) -> str:
        """What `naive` does, in words."""
        return "going by how often each symbol occurs" if self.kind.symbolic else "repeating the step before"

    def mismatch(self, found: Compared) -> torch.Tensor:
        """Return how wrong the guess of each part is, [B, L]: what training makes small."""
        return self.error(found)

    def error(self, found: Compared) -> torch.Tensor:
        """Return the squared error of each part, of symbols the cross entropy, [B, L]."""
        return self.kind.mismatch(found.guess, found.truth)

    def guess_next(self, tokens: Tokens) -> torch.Tensor:
        """Return for each part the guess of the one that follows at its place; of symbols, log odds."""
        guess = self.head(self.backbone(tokens).features)
        return guess if self.kind.symbolic else tokens.values + guess
