"""The training loop: one, for every method and every kind of data, from top to bottom."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator

from handful.data import Dataset
from handful.errors import InputError
from handful.methods import Method
from handful.training.average import Average
from handful.training.checkpoint import load_loop, save_loop
from handful.training.devices import make_accelerator, step_generator
from handful.training.embed import batches_of, to_device
from handful.training.health import Health, Panel


@dataclass(frozen=True)
class Schedule:
    """How to train: what decides the result, so that the same schedule, data and seed give the same weights.

    batch_size: samples a step, over all processes. learning_rate is reached after the first `warmup` of all steps and
    falls to zero along a cosine. accumulate: in how many parts the gradient of a step is computed, one after the
    other, to save memory. average: how much of itself the running average of the weights keeps at each step; the
    average is what comes out, 0 for the last weights.
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


@dataclass
class State:
    """What the loop has to know to go on from: the next epoch and step, and what happened before."""

    epoch: int = 0
    step: int = 0
    running: dict[str, float] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    scaler: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Trained:
    """history: losses, parts and health by epoch; untrained and raw: the health of what was there before."""

    history: list[dict[str, Any]]
    untrained: Health
    raw: Health
    verdict: str


def train(
    method: Method,
    data: Dataset,
    schedule: Schedule,
    *,
    checkpoint: Path | None = None,
    identity: dict[str, Any] | None = None,
    checkpoint_seconds: float = 30.0,
    on_step: Callable[[Beat], None] | None = None,
    on_epoch: Callable[[dict[str, Any]], None] | None = None,
    trackers: Sequence[str] = (),
) -> Trained:
    """Train `method` on all of `data` in place and return what happened.

    checkpoint: where the state of the loop is kept; found there with the same `identity` (what decides the result),
    the training goes on from it and ends with the weights that an uninterrupted one ends with.
    trackers: names that accelerate knows; they write to the checkpoint's folder, or here where there is none.
    Raises InputError where the loss is not finite, or the checkpoint belongs to another training.
    """
    accelerator = make_accelerator(
        schedule.precision, trackers=trackers, folder=checkpoint.parent if checkpoint else Path()
    )
    _check(method, schedule, accelerator)
    panel = Panel.of(method, data, seed=schedule.seed)
    optimizer = _optimizer(method, schedule)
    average = Average(method.network, keep=schedule.average)
    state = State()
    if checkpoint is not None and checkpoint.is_file():
        state = _resume(checkpoint, method, optimizer, average, identity)
    method.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # half the time of convolutions in bfloat16 on a CPU
    model, optimizer = accelerator.prepare(method, optimizer)
    if accelerator.scaler is not None and state.scaler:
        accelerator.scaler.load_state_dict(state.scaler)
    accelerator.init_trackers("handful", config=asdict(schedule))
    clock = _Clock(schedule, schedule.steps(len(data)))

    def keep() -> None:
        if checkpoint is not None and accelerator.is_main_process:
            kept = {**asdict(state), "scaler": accelerator.scaler.state_dict() if accelerator.scaler else {}}
            save_loop(checkpoint, method, optimizer, {**kept, "identity": identity}, average=average.tensors)
        clock.kept = time.monotonic()

    model.train()
    while state.epoch < schedule.epochs:
        for step, rows in _batches(len(data), schedule, state):
            at = state.epoch * clock.steps + step
            for group in optimizer.param_groups:
                group["lr"] = schedule.rate(at / clock.total)
            losses = _descend(model, method, data, rows, optimizer, accelerator, schedule, at)
            if not math.isfinite(losses["loss"]):
                raise InputError(_not_finite(losses["loss"], state.epoch, step, schedule))
            method.after_step((at + 1) / clock.total)
            average.follow()
            state.step, state.running = step + 1, _added(state.running, losses)
            if on_step is not None and accelerator.is_main_process:
                on_step(clock.beat(state, losses["loss"], at))
            if time.monotonic() - clock.kept > checkpoint_seconds:
                keep()
        means = {name: value / clock.steps for name, value in state.running.items()}
        line = panel.look(method.network, state.epoch + 1, means, [past["loss"] for past in state.history])
        accelerator.log({name: value for name, value in line.items() if not isinstance(value, str)}, step=line["epoch"])
        state = State(state.epoch + 1, history=[*state.history, line])
        if on_epoch is not None and accelerator.is_main_process:
            on_epoch(line)
        keep()
    for tracker in accelerator.trackers:  # not `end_training`, which would end the process group for what follows
        tracker.finish()
    average.put_in_place()
    method.eval()
    verdict = state.history[-1]["verdict"] if state.history else "not trained"
    return Trained(state.history, panel.untrained, panel.raw, verdict)


def _batches(n: int, schedule: Schedule, state: State) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the step and the rows [batch_size] of each batch of the epoch that is still to come.

    Only whole batches: a small last one has few negatives. What is left out differs from epoch to epoch.
    """
    order = np.random.default_rng([schedule.seed, state.epoch]).permutation(n)
    rows = list(batches_of(order[: schedule.steps(n) * schedule.batch_size], schedule.batch_size))
    yield from list(enumerate(rows))[state.step :]


def _descend(
    model: torch.nn.Module,
    method: Method,
    data: Dataset,
    rows: np.ndarray,
    optimizer: torch.optim.Optimizer,
    accelerator: Accelerator,
    schedule: Schedule,
    at: int,
) -> dict[str, float]:
    """Take one step on `rows` and return the loss and its parts. Each process takes its share of the rows."""
    own = np.sort(rows[accelerator.process_index :: accelerator.num_processes])
    parts = np.array_split(own, schedule.accumulate)
    losses: dict[str, float] = {}
    optimizer.zero_grad()
    for part, chosen in enumerate(parts):
        generator = step_generator(schedule.seed, at, accelerator, part=part)
        batch = to_device(method.modality.batch(data.samples, chosen), accelerator.device)
        last = part == len(parts) - 1
        with nullcontext() if last else accelerator.no_sync(model):
            with accelerator.autocast():
                loss = model(batch, generator)
            values = {"loss": loss.total.item(), **{name: float(value) for name, value in loss.parts.items()}}
            losses = _added(losses, {name: value / len(parts) for name, value in values.items()})
            if not math.isfinite(values["loss"]):
                return losses
            accelerator.backward(loss.total / len(parts))
    optimizer.step()
    return losses


def _optimizer(method: Method, schedule: Schedule) -> torch.optim.Optimizer:
    """Return AdamW that shrinks matrices, and neither biases nor the scales of norms."""
    learnt = [parameter for parameter in method.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in learnt if p.ndim > 1], "weight_decay": schedule.weight_decay},
        {"params": [p for p in learnt if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, schedule.learning_rate)


def _check(method: Method, schedule: Schedule, accelerator: Accelerator) -> None:
    parts = accelerator.num_processes * schedule.accumulate
    if schedule.batch_size % parts:
        raise InputError(
            f"batch_size={schedule.batch_size} cannot be shared evenly by {accelerator.num_processes} processes in "
            f"{schedule.accumulate} parts: choose a multiple of {parts}."
        )
    if schedule.accumulate > 1 and method.compares_samples:
        warnings.warn(
            f"with accumulate={schedule.accumulate} a sample is compared with the "
            f"{schedule.batch_size // schedule.accumulate} of its part only, not with the {schedule.batch_size} of "
            "the whole batch: the result is that of a smaller batch.",
            stacklevel=3,
        )


def _resume(
    checkpoint: Path,
    method: Method,
    optimizer: torch.optim.Optimizer,
    average: Average,
    identity: dict[str, Any] | None,
) -> State:
    kept, averaged = load_loop(checkpoint, method, optimizer)
    if kept.pop("identity") != identity:
        raise InputError(
            f"{checkpoint} is of a training with other settings or data: choose another output folder, or delete it."
        )
    average.load(averaged)
    return State(**kept)


def _not_finite(value: float, epoch: int, step: int, schedule: Schedule) -> str:
    return (
        f"the loss became {value} in epoch {epoch + 1}, step {step + 1}, at learning rate "
        f"{schedule.learning_rate:g}: train with a tenth of it, or in full precision (precision 'no')."
    )


def _added(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    return {name: one.get(name, 0.0) + other.get(name, 0.0) for name in {**one, **other}}


class _Clock:
    """How far the training is, and how fast."""

    def __init__(self, schedule: Schedule, steps: int) -> None:
        self.schedule, self.steps, self.total = schedule, steps, steps * schedule.epochs
        self.began = self.kept = time.monotonic()
        self.done = 0

    def beat(self, state: State, loss: float, at: int) -> Beat:
        self.done += 1
        seconds = time.monotonic() - self.began
        return Beat(
            epoch=state.epoch + 1,
            epochs=self.schedule.epochs,
            step=state.step,
            steps=self.steps,
            loss=loss,
            samples_per_second=self.done * self.schedule.batch_size / max(seconds, 1e-9),
            seconds_left=(self.total - at - 1) * seconds / self.done,
        )
