"""A limit to how long the gradient of a step may be, told by how long those before it were."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn

HORIZON = 100
"""Steps that the usual norm is a mean over, nearly: of n steps before that, of these."""
FIRST = 10
"""Steps before which it is not known what is usual, and nothing is shortened."""


class Limit:
    """Shortens a gradient whose norm is more than `times` the usual one to that; 0 never.

    One step along a gradient that is far too long can undo a training: the rate of a network that is larger than usual
    need not be found by trial. A norm that is fixed beforehand (Pascanu et al. 2013) would have to fit every loss.
    usual: the running mean of the norms, after shortening; steps: how many have been seen.
    """

    def __init__(self, times: float, *, usual: float = 0.0, steps: int = 0) -> None:
        self.times, self.usual, self.steps = times, usual, steps

    def hold(self, parameters: Iterable[nn.Parameter], norm: float) -> None:
        """Shorten the gradients of `parameters` in place where their `norm` is too long, and remember it."""
        if not math.isfinite(norm):  # a scaler of half precision skips such a step
            return
        longest = self.times * self.usual
        if 0 < longest < norm and self.steps >= FIRST:
            for gradient in (p.grad for p in parameters if p.grad is not None):
                gradient.mul_(longest / norm)
            norm = longest
        self.steps += 1
        self.usual += (norm - self.usual) / min(self.steps, HORIZON)


def norm_of(parameters: Iterable[nn.Parameter]) -> torch.Tensor:
    """Return the Euclidean norm of all gradients together, on their device."""
    return nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
