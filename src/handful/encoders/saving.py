"""What a network is made again from: its class and its configuration, as JSON values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from handful.encoders.tokens import Tokens
from handful.errors import InputError

Cut = Callable[[Any], Tokens]  # makes tokens of a batch; belongs to the kind of data


def describe(network: nn.Module) -> dict[str, Any]:
    """Return what `build` makes the network again from, but for its weights.

    Raises InputError for a class that cannot be saved.
    """
    from handful.encoders import BACKBONES

    kind = type(network).__name__
    if BACKBONES.get(kind) is not type(network):
        raise InputError(f"a {kind} cannot be saved: only {', '.join(BACKBONES)} can.")
    return {"kind": kind, "config": network.config}


def build(described: dict[str, Any], *, cut: Cut | None) -> nn.Module:
    """Return the network that was described, not trained."""
    from handful.encoders import BACKBONES

    if described["kind"] not in BACKBONES:
        raise InputError(f"{described['kind']!r} is not a network of this version: pretrain again.")
    return BACKBONES[described["kind"]].from_config(described["config"], cut=cut)
