"""Tokens: a sample as parts, each with a place. Two kinds: vectors of real numbers and symbols.

A kind knows its way in (`stem`), its way out (`head`), how it is spoilt (`corrupt`) and how wrong a guess is
(`mismatch`). That is all a masked, predictive or autoencoding method needs to know of the data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F


class Tokens(NamedTuple):
    """A batch of samples cut into L parts.

    values: [B, L, P] float or, of symbols, [B, L] int64.
    present: [B, L] bool, False where a part only fills up the batch.
    places: [B or 1, L, A] float, the coordinates of each part counted in parts (row and column, time, ...). Where the
    kind of data has an order it is the first coordinate, the parts stand in this order, and every step has as many.
    together: [B, L] int64 from 0 to L - 1, or None: parts of one number are hidden together, as the pieces of a word.
    """

    values: torch.Tensor
    present: torch.Tensor
    places: torch.Tensor
    together: torch.Tensor | None = None

    def take(self, index: torch.Tensor) -> Tokens:
        """Return the parts of `index` [B, K], in that order."""
        return Tokens(
            take_parts(self.values, index),
            self.present.gather(1, index),
            take_parts(self.places_of_each(), index),
            None if self.together is None else self.together.gather(1, index),
        )

    def places_of_each(self) -> torch.Tensor:
        """Return the places as [B, L, A]."""
        return self.places.expand(len(self.values), -1, -1)

    @property
    def step(self) -> int:
        """How many parts stand at each value of the first coordinate."""
        order = self.places[0, :, 0]
        return int((order == order[0]).sum())


def take_parts(parts: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Return the parts of `index` [B, K] of `parts` [B, L] or [B, L, D]."""
    return (
        parts.gather(1, index) if parts.ndim == 2 else parts.gather(1, index[..., None].expand(-1, -1, parts.shape[2]))
    )


def mean_over(values: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    """Return the mean of `values` [B, L] over the `chosen` [B, L] bool ones; 0 where none is chosen."""
    return (values * chosen).sum() / chosen.sum().clamp(min=1)


@dataclass(frozen=True)
class RealTokens:
    """Parts that are vectors of `width` real numbers, of a spread around 1.

    hidden: the share of them that masked training hides (He et al. 2022: images are so redundant that 0.75 is best).
    noise: the largest standard deviation of the noise that denoising adds.
    normalise: masked training predicts each part less its own mean, over its own standard deviation; for parts of
    many numbers only.
    swaps: masked training does not take hidden parts out, but puts the same part of another sample in their stead, so
    that which ones were changed has to be told as well (VIME, Yoon et al. 2020); for parts of their own meaning each.
    """

    width: int
    hidden: float = 0.75
    noise: float = 1.0
    normalise: bool = True
    swaps: bool = False
    symbolic = False

    def stem(self, width: int) -> nn.Module:
        """Return what maps values [B, L, P] to [B, L, width]."""
        return nn.Linear(self.width, width)

    def head(self, width: int, *, parts: int = 1) -> nn.Module:
        """Return what maps [..., width] to guesses of the values of `parts` parts."""
        return nn.Linear(width, parts * self.width)

    def target(self, values: torch.Tensor) -> torch.Tensor:
        """Return what masked training has to guess."""
        if not self.normalise:
            return values
        variance, mean = torch.var_mean(values.float(), -1, keepdim=True, correction=0)
        return (values - mean) / (variance + 1e-6).sqrt()

    def corrupt(self, values: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the values with Gaussian noise, of a strength drawn for each sample between 0 and `noise`."""
        strength = torch.rand(len(values), 1, 1, generator=generator, device=values.device) * self.noise
        noise = torch.randn(values.shape, generator=generator, device=values.device)
        return values + strength * noise

    def mismatch(self, guess: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """Return the mean squared error [B, L] of the guesses of each part."""
        return (guess.float() - values.float()).square().mean(-1)


@dataclass(frozen=True)
class SymbolTokens:
    """Parts that are one of `count` symbols.

    hidden: the share that masked training hides: twice that of BERT, which learns from more words a step (Wettig et
    al. 2023); noise: the largest share of symbols that denoising replaces with random ones.
    """

    count: int
    hidden: float = 0.3
    noise: float = 0.3
    symbolic = True
    swaps = False

    def stem(self, width: int) -> nn.Module:
        """Return what maps values [B, L] to [B, L, width]; it begins small, so that steps of a usual size move it."""
        stem = nn.Embedding(self.count, width)
        nn.init.normal_(stem.weight, std=0.05)
        return stem

    def head(self, width: int) -> nn.Module:
        """Return what maps [B, L, width] to the log odds of every symbol [B, L, count]."""
        return nn.Linear(width, self.count)

    def target(self, values: torch.Tensor) -> torch.Tensor:
        """Return what masked training has to guess: the symbols."""
        return values

    def random(self, values: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return random symbols of the shape of `values`."""
        return torch.randint(self.count, values.shape, generator=generator, device=values.device)

    def corrupt(self, values: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the symbols with a share of them, drawn for each sample between 0 and `noise`, replaced."""
        share = torch.rand(len(values), 1, generator=generator, device=values.device) * self.noise
        drawn = torch.rand(values.shape, generator=generator, device=values.device)
        return torch.where(drawn < share, self.random(values, generator), values)

    def mismatch(self, guess: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """Return the cross entropy [B, L] in nats of the guesses [B, L, count]."""
        return F.cross_entropy(guess.float().transpose(1, 2), values, reduction="none")


TokenKind = RealTokens | SymbolTokens
