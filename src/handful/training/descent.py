"""What descends: the method, its optimizer and where they stand; one step at a time, kept in a file and resumed."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator

from handful.data import Dataset
from handful.data.pool import map_blocks
from handful.errors import InputError
from handful.methods import Method
from handful.training.adapt import RATE
from handful.training.average import Average
from handful.training.best import Best
from handful.training.checkpoint import load_loop, save_loop
from handful.training.devices import step_generator
from handful.training.embed import lay_out, to_device
from handful.training.limit import Limit, norm_of
from handful.training.schedule import Clock, Schedule


@dataclass
class State:
    """What the loop has to know to go on from: the next epoch and step, and what happened before."""

    epoch: int = 0
    step: int = 0
    running: dict[str, float] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    scaler: dict[str, Any] = field(default_factory=dict)
    limit: dict[str, Any] = field(default_factory=dict)


class Descent:
    """A method on its way down, from the state in `checkpoint` where there is one.

    identity: what decides the result. adapts: the network was trained elsewhere, so its own weights learn slowly.
    untrained: how well the neighbours agreed before, None where that cannot be told.
    Raises InputError where the checkpoint belongs to another training.
    """

    def __init__(
        self,
        method: Method,
        data: Dataset,
        schedule: Schedule,
        accelerator: Accelerator,
        *,
        checkpoint: Path | None,
        identity: dict[str, Any] | None,
        adapts: bool = False,
        untrained: float | None = None,
    ) -> None:
        self.method, self.data, self.schedule, self.accelerator = method, data, schedule, accelerator
        self.checkpoint, self.identity, self.kept = checkpoint, identity, time.monotonic()
        self.clock, self.state = Clock(schedule, schedule.steps(len(data))), State()
        # A network that also restores or foretells is not judged by its vectors alone.
        self._chooses = method.only_embeds and not schedule.average
        self.average = Average(method.network, keep=schedule.average)
        self.best = Best(method.network, untrained=untrained if self._chooses else None, adapts=adapts)
        optimizer = make_optimizer(method, schedule, backbone_share=RATE if adapts else 1.0)
        if checkpoint is not None and checkpoint.is_file():
            self.state = self._resume(checkpoint, optimizer)
        self.limit = Limit(schedule.limit, **self.state.limit)
        lay_out(method)
        self.model, self.optimizer = accelerator.prepare(method, optimizer)
        if accelerator.scaler is not None and self.state.scaler:
            accelerator.scaler.load_state_dict(self.state.scaler)
        self.model.train()

    def prepared(self, batches: Iterable[tuple[int, np.ndarray]]) -> Iterator[tuple[int, list[Any]]]:
        """Yield the step and this process's parts of each batch (step, rows), on the device.

        The next batch is read and sent to a GPU while it works on this one.
        """
        if self.accelerator.device.type == "cpu":
            return map(self._prepare, batches)
        return map_blocks(self._prepare, batches, threads=1)

    def take_step(self, step: int, parts: list[Any]) -> float:
        """Take step `step` of the present epoch on the parts of a batch and return the loss.

        Raises InputError where it is not finite.
        """
        epoch, done = self.state.epoch, self.clock.progress(self.state.epoch, step)
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.rate(done) * group["share"]
        losses = self._losses(parts, epoch * self.clock.steps + step)
        norm = losses.pop("norm")
        if not math.isfinite(losses["loss"]):
            raise InputError(_not_finite(losses["loss"], epoch, step, self.schedule))
        self.limit.hold(self.method.parameters(), norm)
        self.optimizer.step()
        self.method.after_step(self.clock.progress(epoch, step + 1))
        self.average.follow()
        self.state.step, self.state.running = step + 1, _added(self.state.running, losses)
        return losses["loss"]

    def mean_losses(self) -> dict[str, float]:
        """Return the means of the loss and its parts over the present epoch."""
        return {name: value / self.clock.steps for name, value in self.state.running.items()}

    def end_epoch(self, line: dict[str, Any]) -> None:
        """Note the line of the epoch that is done, and keep its weights where it is the best one."""
        self.state = State(self.state.epoch + 1, history=[*self.state.history, line])
        if self._chooses:
            self.best.consider(self.state.history)

    def keep(self, *, seconds: float = 0.0) -> None:
        """Write the state to the checkpoint where the last time is more than `seconds` ago."""
        if time.monotonic() - self.kept < seconds:
            return
        if self.checkpoint is not None and self.accelerator.is_main_process:
            scaler = self.accelerator.scaler.state_dict() if self.accelerator.scaler else {}
            limit = {"usual": self.limit.usual, "steps": self.limit.steps}
            state = {**asdict(self.state), "scaler": scaler, "limit": limit, "identity": self.identity}
            others = {"average": self.average.tensors, "best": self.best.tensors}
            save_loop(self.checkpoint, self.method, self.optimizer, state, others=others)
        self.kept = time.monotonic()

    def end(self) -> int:
        """Put the weights that come out in place and return the number of the epoch they are of, 0 for none."""
        self.average.put_in_place()
        self.method.eval()
        return self.best.put_in_place(self.state.history) if self._chooses else len(self.state.history)

    def _prepare(self, batch: tuple[int, np.ndarray]) -> tuple[int, list[Any]]:
        """Return the step and the parts that this process takes of the rows of a batch."""
        step, rows = batch
        own = np.sort(rows[self.accelerator.process_index :: self.accelerator.num_processes])
        parts = np.array_split(own, self.schedule.accumulate)
        coarse = self.method.begins_coarse and self.clock.progress(self.state.epoch, step) < self.schedule.coarse
        return step, [self._read(chosen, coarse=coarse) for chosen in parts]

    def _read(self, rows: np.ndarray, *, coarse: bool) -> Any:
        """Return the samples of `rows` on the device, at half their resolution where they are to be coarse."""
        modality: Any = self.method.modality
        batch = to_device(modality.batch(self.data.samples, rows), self.accelerator.device)
        return modality.coarse(batch) if coarse else batch

    def _losses(self, parts: list[Any], at: int) -> dict[str, float]:
        """Find the gradients of a batch in parts and return the loss, what it is made of and the gradients' norm.

        They are asked for once, after all was sent on its way: a device that is waited for in between stands still.
        """
        accelerator, found = self.accelerator, []
        self.optimizer.zero_grad()
        for part, batch in enumerate(parts):
            generator = step_generator(self.schedule.seed, at, accelerator, part=part)
            with nullcontext() if part == len(parts) - 1 else accelerator.no_sync(self.model):
                with accelerator.autocast():
                    loss = self.model(batch, generator)
                accelerator.backward(loss.total / len(parts))
            found.append({"loss": loss.total.detach(), **loss.parts})
        accelerator.unscale_gradients(self.optimizer)
        means = {name: torch.stack([losses[name].float() for losses in found]).mean() for name in found[0]}
        means["norm"] = norm_of(self.method.parameters())
        return dict(zip(means, torch.stack(list(means.values())).tolist(), strict=True))

    def _resume(self, checkpoint: Path, optimizer: torch.optim.Optimizer) -> State:
        kept, others = load_loop(checkpoint, self.method, optimizer, others=("average", "best"))
        if kept.pop("identity") != self.identity:
            raise InputError(
                f"{checkpoint} is of a training with other settings or data: choose another output folder, or delete "
                "it."
            )
        self.average.load(others["average"])
        self.best.load(others["best"])
        return State(**kept)


def make_optimizer(method: Method, schedule: Schedule, *, backbone_share: float = 1.0) -> torch.optim.Optimizer:
    """Return AdamW that shrinks matrices, and neither biases nor the scales of norms.

    Each group says the `share` of the learning rate that it has: that of the network itself is `backbone_share`.
    """
    own = {id(parameter) for parameter in method.backbone.parameters()}
    learnt = [parameter for parameter in method.parameters() if parameter.requires_grad]
    groups = [
        {
            "params": [p for p in learnt if (id(p) in own) == backbone and (p.ndim > 1) == matrices],
            "weight_decay": schedule.weight_decay if matrices else 0.0,
            "share": backbone_share if backbone else 1.0,
        }
        for backbone in (True, False)
        for matrices in (True, False)
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], schedule.learning_rate)


def _not_finite(value: float, epoch: int, step: int, schedule: Schedule) -> str:
    return (
        f"the loss became {value} in epoch {epoch + 1}, step {step + 1}, at learning rate "
        f"{schedule.learning_rate:g}: train with a tenth of it, or in full precision (precision 'no')."
    )


def _added(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    return {name: one.get(name, 0.0) + other.get(name, 0.0) for name in {**one, **other}}
