"""The weights of the epoch with the best neighbours, told without labels."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from handful.training.health import NOTICEABLE


class Best:
    """Keeps the weights of `network` at the epoch whose neighbours agreed best with an independent view of the data.

    The last weights are the ones that a schedule ends in, so an earlier epoch is taken only where it was better by
    what can be noticed.
    before: how well the neighbours agreed with the weights that the network had: then these come out again, unless
    training made them better by what can be noticed. None where they are no choice.
    """

    def __init__(self, network: nn.Module, *, before: float | None = None) -> None:
        self._network, self._before = network, before
        self._given = {} if before is None else self._weights()
        self.tensors: dict[str, torch.Tensor] = {}

    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        """Go on from the tensors that were kept."""
        self.tensors = tensors

    def consider(self, history: list[dict[str, Any]]) -> None:
        """Keep the present weights where the last epoch of `history` is the best one."""
        if best_epoch(history) == len(history):
            self.tensors = self._weights()

    def put_in_place(self, history: list[dict[str, Any]]) -> int:
        """Give the network the weights of the chosen epoch and return its number, 0 for those it had."""
        chosen = chosen_epoch(history, self._before)
        if chosen < len(history):
            self._network.load_state_dict(self.tensors if chosen else self._given)
        return chosen

    def _weights(self) -> dict[str, torch.Tensor]:
        return {name: value.detach().cpu().clone() for name, value in self._network.state_dict().items()}


def best_epoch(history: list[dict[str, Any]]) -> int:
    """Return the number of the first epoch with the highest agreement, the last one where there is none."""
    agreements = [line["agreement"] for line in history if "agreement" in line]
    if not agreements or len(agreements) < len(history):
        return len(history)
    return agreements.index(max(agreements)) + 1


def chosen_epoch(history: list[dict[str, Any]], before: float | None = None) -> int:
    """Return the number of the epoch whose weights come out: the last, unless the best was noticeably better.

    before: the agreement of the weights that training began with, where they may come out: the number is 0 then.
    """
    best = best_epoch(history)
    if before is not None and history and history[best - 1]["agreement"] - before <= NOTICEABLE:
        return 0
    if best == len(history) or history[best - 1]["agreement"] - history[-1]["agreement"] <= NOTICEABLE:
        return len(history)
    return best


def has_rested(history: list[dict[str, Any]], patience: int | None) -> bool:
    """Tell whether the neighbours have not got better for `patience` epochs; never where that is None."""
    return patience is not None and len(history) - best_epoch(history) >= patience
