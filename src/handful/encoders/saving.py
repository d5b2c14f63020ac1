"""What a network is made again from: its class and its configuration, as JSON values."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
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


def find_own(name: str | os.PathLike[str]) -> Path | None:
    """Return the folder of the encoder that `pretrain` wrote to the folder or the run folder `name`, None for none."""
    for folder in (Path(name) / "encoder", Path(name)):
        if "networks" in own_config(folder):
            return folder
    return None


def own_config(folder: Path) -> dict[str, Any]:
    """Return what config.json in `folder` says; nothing where there is none that can be read."""
    try:
        found = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
