"""How to train, and how far a training is."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """How to train: what decides the result, so that the same schedule, data and seed give the same weights.

    batch_size: samples a step, over all processes. learning_rate is reached after the first `warmup` of all steps and
    falls to zero along a cosine. accumulate: in how many parts the gradient of a step is computed, one after the
    other, to save memory. average: how much of itself the running average of the weights keeps at each step; the
    average is what comes out, 0 for the weights themselves. patience: the training ends early once the neighbours have
    not got better for so many epochs; None never. limit: a gradient longer than so many times the usual is shortened
    to that; 0 never. coarse: the share of all steps, the first ones, that see samples at half their resolution, where
    the method, its network and the kind of data can: three times as many samples and more in the same time.
    """

    epochs: int = 10
    batch_size: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    warmup: float = 0.05
    precision: str = "auto"
    seed: int = 0
    accumulate: int = 1
    average: float = 0.0
    patience: int | None = None
    limit: float = 4.0
    coarse: float = 0.7

    def rate(self, progress: float) -> float:
        """Return the learning rate when the share `progress` (0 to 1) of all steps is done."""
        if progress < self.warmup:
            return self.learning_rate * progress / self.warmup
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * (progress - self.warmup) / (1 - self.warmup)))

    def steps(self, n: int) -> int:
        """Return how many whole batches `n` samples give, at least one."""
        return max(n // self.batch_size, 1)


@dataclass(frozen=True)
class Beat:
    """Where the training stands, told after each step."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    samples_per_second: float
    seconds_left: float


class Clock:
    """How far the training is, and how fast."""

    def __init__(self, schedule: Schedule, steps: int) -> None:
        self.schedule, self.steps, self.total = schedule, steps, steps * schedule.epochs
        self.began = time.monotonic()
        self.done = 0

    def progress(self, epoch: int, step: int) -> float:
        """Return the share of all steps, 0 to 1, that is done before step `step` of epoch `epoch`, both from 0."""
        return (epoch * self.steps + step) / self.total

    def beat(self, epoch: int, step: int, loss: float) -> Beat:
        """Return where the training stands after step `step` of epoch `epoch`, both from 0."""
        self.done += 1
        seconds = time.monotonic() - self.began
        left = self.total - epoch * self.steps - step - 1
        return Beat(
            epoch=epoch + 1,
            epochs=self.schedule.epochs,
            step=step + 1,
            steps=self.steps,
            loss=loss,
            samples_per_second=self.done * self.schedule.batch_size / max(seconds, 1e-9),
            seconds_left=left * seconds / self.done,
        )
