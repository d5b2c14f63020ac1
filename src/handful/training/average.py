"""The running average of a network's weights, which often embeds better than the last weights."""

from __future__ import annotations

import torch
from torch import nn


class Average:
    """Follows the weights and statistics of `network`: after each step it keeps the share `keep` of itself.

    keep: 0 follows nothing and costs nothing.
    """

    def __init__(self, network: nn.Module, *, keep: float) -> None:
        self._network, self._keep = network, keep
        self.tensors: dict[str, torch.Tensor] = {}
        if keep > 0:
            self.tensors = {name: value.detach().clone() for name, value in self._floats().items()}

    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        """Go on from the tensors that were kept."""
        for name, value in tensors.items():
            self.tensors[name].copy_(value)

    @torch.no_grad()
    def follow(self) -> None:
        """Take in the network's present weights."""
        now = self._floats()
        for name, value in self.tensors.items():
            self.tensors[name] = value.to(now[name].device).lerp(now[name], 1 - self._keep)

    @torch.no_grad()
    def put_in_place(self) -> None:
        """Give the network the averaged weights."""
        now = self._floats()
        for name, value in self.tensors.items():
            now[name].copy_(value)

    def _floats(self) -> dict[str, torch.Tensor]:
        return {name: value for name, value in self._network.state_dict().items() if value.is_floating_point()}
