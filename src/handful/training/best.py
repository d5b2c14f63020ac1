"""The weights of the epoch with the best neighbours, told without labels."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from handful.training.health import NOTICEABLE


class Best:
    """Keeps the weights of `network` at the epoch whose neighbours agreed best with an independent view of the data.

    The last weights are the ones that a schedule ends in, so an earlier epoch is taken only where training undid what
    it had done: where the last neighbours are no longer noticeably better than those it began with.
    untrained: how well the neighbours agreed when training began; None where that cannot be told, or the last weights
    come out in any case. adapts: the weights that it began with were learnt elsewhere: they come out again where no
    epoch made them noticeably better.
    """

    def __init__(self, network: nn.Module, *, untrained: float | None = None, adapts: bool = False) -> None:
        self._network, self._untrained, self._adapts = network, untrained, adapts
        self._given = self._weights() if adapts and untrained is not None else {}
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
        chosen = chosen_epoch(history, self._untrained, adapts=self._adapts)
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


def chosen_epoch(history: list[dict[str, Any]], untrained: float | None, *, adapts: bool = False) -> int:
    """Return the number of the epoch whose weights come out, 0 for those that training began with.

    The last, unless its neighbours are no longer noticeably better than the `untrained` ones: then the best, where it
    is noticeably better than the last or, where training `adapts` what was learnt elsewhere, than what was given.
    """
    if untrained is None or any("agreement" not in line for line in history):
        return len(history)
    last = history[-1]["agreement"] if history else untrained
    if last - untrained > NOTICEABLE:
        return len(history)
    best = best_epoch(history)
    than = untrained if adapts else last
    if history and history[best - 1]["agreement"] - than > NOTICEABLE:
        return best
    return 0 if adapts else len(history)


def has_rested(history: list[dict[str, Any]], patience: int | None) -> bool:
    """Tell whether the neighbours have not got better for `patience` epochs; never where that is None."""
    return patience is not None and len(history) - best_epoch(history) >= patience
