"""What a kind of data must be able to do for the methods, and nothing about how they use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from handful.data import Samples
from handful.encoders.tokens import TokenKind, Tokens

Batch = Any  # a tensor, or a dict of tensors, whose first axis is the sample [B, ...]


class Modality(Protocol):
    """One kind of data: it turns samples into batches, views and vectors. It knows no loss.

    What not every kind needs may be left out: `adapt(samples, seed=...)` returns the same kind fitted to the data
    (the tokenizer of texts); `assets` holds what is saved beside the settings, text by file name; `load_encoder(name,
    pooling=...)` returns the kind as a pretrained network reads it, and the network; `parts` is how many tokens every
    sample has, where all have as many; `write(sample, path)` writes a sample of the scale of batches to a file of
    this kind and returns its path; `auto` names what is set side by side where nothing is asked for, `untrained`
    which floors are where no training is wanted (all, if left out), and `beside` which stand beside a pretrained
    network that is taken as it is (none, if left out); `counts` says by name how much each counts in the
    graph where all that stand side by side are named in it (else all count alike); `forecaster()` returns a network
    that guesses what comes next and compares it, and a naive guess, with what came, as `Forecaster` does over tokens;
    `ahead()` returns a map of a sample's last steps to its next, fitted in closed form; `near_duplicates(samples)`
    returns the groups of rows whose samples are nearly the same; `coarse(batch)` returns a batch at half its
    resolution, as it is where that would be too little to tell things by; `steps_a_pass` says in how many steps
    few samples are passed over at least. A floor that has to be fitted has `fit(batches, seed=...)`, and a `config` to
    be saved with.
    """

    name: str
    settings: Mapping[str, Any]
    token_kind: TokenKind
    axes: int
    """How many coordinates the place of a token has."""
    order: str | None
    """What the first coordinate of a token's place counts, in words ("time", "rows from top to bottom"); None where
    the parts of a sample have no order, so that nothing comes next."""

    def batch(self, samples: Samples, rows: np.ndarray) -> Batch:
        """Return the samples of `rows` as a batch of float tensors, scaled for a network."""
        ...

    def view(self, batch: Batch, *, generator: torch.Generator) -> Batch:
        """Return one random view of every sample: changed, but the same thing to a person."""
        ...

    def tokens(self, batch: Batch) -> Tokens:
        """Return the batch cut into tokens; ordered by the first coordinate of their places where there is an order."""
        ...

    def from_tokens(self, tokens: Tokens, like: Batch) -> Batch:
        """Return the batch that `tokens` are the parts of; what they do not say is taken from `like`."""
        ...

    def flat(self, batch: Batch) -> torch.Tensor:
        """Return the raw input as one vector a sample [B, P]: what PCA of the input is taken of."""
        ...

    def backbone(self) -> nn.Module:
        """Return the default network for this kind of data, not trained."""
        ...

    def token_backbone(self, *, causal: bool = False) -> nn.Module:
        """Return the default transformer over tokens, not trained; `causal`: no part sees what comes after it."""
        ...

    def floors(self) -> Mapping[str, nn.Module]:
        """Return the encoders that need no training, by name: the honest floor of this kind of data."""
        ...

    def show(self, samples: Samples, rows: np.ndarray) -> list[str]:
        """Return an HTML snippet for each of `rows` that shows a person the sample."""
        ...
