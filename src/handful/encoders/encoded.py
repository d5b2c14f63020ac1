"""What every network gives back."""

from __future__ import annotations

from typing import NamedTuple

import torch


class Encoded(NamedTuple):
    """features: [B, L, D], one vector a place; pooled: [B, D], one vector a sample."""

    features: torch.Tensor
    pooled: torch.Tensor
