"""What a method is: a batch in, a scalar loss and its named parts out."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import torch
from torch import nn

from handful.errors import InputError
from handful.modalities.contract import Batch, Modality


class Loss(NamedTuple):
    """total: the scalar to descend; parts: what it is made of, by name, for people."""

    total: torch.Tensor
    parts: dict[str, torch.Tensor]


class Foresight(NamedTuple):
    """error: of what is guessed to come; naive: of the guess that costs nothing; way: which guess that is, in words."""

    error: float
    naive: float
    way: str


class Method(nn.Module):
    """A way of making a target out of the input.

    It is given its backbone (maps a batch to `Encoded`, has a `width`) and the kind of data (views, tokens), and
    never asks which kind that is. What it trains beside the backbone (projectors, decoders) stays with it, unless
    the embedding or a later task needs it: `network` is what comes out of the training.
    """

    backbone: Any
    """A network that maps a batch to `Encoded` and has a `width`."""

    compares_samples: ClassVar[bool] = False
    """Whether the loss of a sample depends on the other samples of its batch."""

    aligns_views: ClassVar[bool] = False
    """Whether it asks for two views of a sample to have the same vector: then their distance is a sign of health."""

    numbers_a_step: ClassVar[int | None] = None
    """How many numbers a step needs to see where each number of a sample is a target of its own: of large samples few
    are enough, and more steps are made. None where samples are what counts."""

    only_embeds: bool = False
    """Whether only vectors are asked of its network: then an earlier epoch with better neighbours may come out."""

    def __init__(self, backbone: nn.Module, modality: Modality) -> None:
        super().__init__()
        self.backbone, self.modality = backbone, modality

    @property
    def begins_coarse(self) -> bool:
        """Whether samples at half their resolution teach its network what they are as well, and sooner."""
        return False

    @classmethod
    def default_backbone(cls, modality: Modality) -> nn.Module:
        """Return the network this method trains where none is given."""
        return modality.backbone()

    @property
    def network(self) -> nn.Module:
        """What embeds samples once the training is over."""
        return self.backbone

    def forward(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Return the loss of one batch; all randomness comes from `generator`."""
        raise NotImplementedError

    def foresee(self, batch: Batch) -> Foresight | None:
        """Return how well it guesses what comes next in a batch; None where that is not what it learns."""
        return None

    def after_step(self, progress: float) -> None:
        """Called after each step with the share of the training that is done, 0 to 1: a teacher follows here."""


def check_reads_tokens(backbone: nn.Module, method: str) -> None:
    """Raise InputError unless the backbone takes tokens."""
    if not getattr(backbone, "reads_tokens", False):
        raise InputError(
            f"{method} hides or orders the parts of a sample, so it needs a network that reads tokens, got "
            f"{type(backbone).__name__}: give a TransformerEncoder, or no encoder at all."
        )


def check_ordered(modality: Modality, method: str) -> None:
    """Raise InputError where the parts of a sample have no order."""
    if modality.order is None:
        raise InputError(
            f"{method} guesses what comes next, and the parts of a {modality.name} have no order: "
            f"use 'masked', or a contrastive or autoencoding method."
        )
