"""The training loop: one, for every method and every kind of data, from top to bottom."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from accelerate import Accelerator

from handful.data import Dataset
from handful.errors import InputError
from handful.methods import Method
from handful.training.adapt import hold_lower_half
from handful.training.best import has_rested
from handful.training.descent import Descent, State
from handful.training.devices import make_accelerator, of_main_process
from handful.training.embed import batches_of
from handful.training.health import Health
from handful.training.panel import Panel
from handful.training.schedule import Beat, Schedule

__all__ = ["Beat", "Schedule", "Trained", "train"]


@dataclass(frozen=True)
class Trained:
    """history: losses, parts and health by epoch; untrained and raw: the health of what was there before.

    epoch: the number of the one whose weights came out, 0 for the weights that it began with.
    """

    history: list[dict[str, Any]]
    untrained: Health
    raw: Health
    verdict: str
    epoch: int


def train(
    method: Method,
    data: Dataset,
    schedule: Schedule,
    *,
    checkpoint: Path | None = None,
    identity: dict[str, Any] | None = None,
    adapts: bool = False,
    checkpoint_seconds: float = 30.0,
    on_step: Callable[[Beat], None] | None = None,
    on_epoch: Callable[[dict[str, Any]], None] | None = None,
    trackers: Sequence[str] = (),
) -> Trained:
    """Train `method` on all of `data` in place and return what happened.

    The weights of the last epoch come out or, of a method that only embeds, where training undid what it had done,
    those of the epoch with the best neighbours, told without labels.
    checkpoint: where the state of the loop is kept; found there with the same `identity` (what decides the result),
    the training goes on from it and ends with the weights that an uninterrupted one ends with.
    adapts: the network was trained elsewhere: its lower half stays, the rest learns slowly, and where its neighbours do
    not get noticeably better the weights that it came with come out.
    trackers: names that accelerate knows; they write to the checkpoint's folder, or here where there is none.
    Raises InputError where the loss is not finite, or the checkpoint belongs to another training.
    """
    folder = checkpoint.parent if checkpoint else Path()
    accelerator = make_accelerator(schedule.precision, trackers=trackers, folder=folder)
    _check(method, schedule, accelerator)
    if adapts:
        hold_lower_half(method.backbone)
    origin = "pretrained" if adapts else "trained"
    panel = Panel.of(method, data, seed=schedule.seed, autocast=accelerator.autocast, origin=origin)
    descent = Descent(
        method,
        data,
        schedule,
        accelerator,
        checkpoint=checkpoint,
        identity=identity,
        adapts=adapts,
        untrained=panel.untrained.agreement,
    )
    accelerator.init_trackers("handful", config=asdict(schedule))
    while descent.state.epoch < schedule.epochs and not has_rested(descent.state.history, schedule.patience):
        for step, parts in descent.prepared(_batches(len(data), schedule, descent.state)):
            loss = descent.take_step(step, parts)
            if on_step is not None and accelerator.is_main_process:
                on_step(descent.clock.beat(descent.state.epoch, step, loss))
            descent.keep(seconds=checkpoint_seconds)
        line = panel.look(method, descent.state.epoch + 1, descent.mean_losses(), descent.state.history)
        line = of_main_process(line, accelerator)
        accelerator.log({name: value for name, value in line.items() if not isinstance(value, str)}, step=line["epoch"])
        descent.end_epoch(line)
        if on_epoch is not None and accelerator.is_main_process:
            on_epoch(line)
        descent.keep()
    for tracker in accelerator.trackers:  # not `end_training`, which would end the process group for what follows
        tracker.finish()
    history, epoch = descent.state.history, descent.end()
    beside = _beside_given(history, epoch, panel.untrained.agreement) if adapts and history else ""
    verdict = beside if not epoch else beside + _verdict(history, epoch, schedule)
    return Trained(history, panel.untrained, panel.raw, verdict or "not trained", epoch)


def _verdict(history: list[dict[str, Any]], epoch: int, schedule: Schedule) -> str:
    """Return the verdict on the weights of an epoch, which came out."""
    said = history[epoch - 1]["verdict"]
    if epoch < len(history):
        last = history[-1]["verdict"].split(":")[0]
        kept = f"epoch {epoch} of {len(history)} is kept, whose neighbours were the best (the last one: {last})"
        said = f"{kept}. {said[0].upper()}{said[1:]}"
    if len(history) < schedule.epochs:
        said = f"ended early after {len(history)} of {schedule.epochs} epochs; {said}"
    return said


def _beside_given(history: list[dict[str, Any]], epoch: int, before: float | None) -> str:
    """Return how the neighbours of an epoch compare with those `before`, of the network as it came from elsewhere."""
    if before is None:
        return (
            "whether the neighbours are better than those of the encoder as it came cannot be told without labels: "
            "compare with method 'pretrained'; "
        )
    if epoch == 0:
        best = max(line["agreement"] for line in history)
        return (
            f"the encoder is kept as it came: training on these items did not make its neighbours better ({before:.1%} "
            f"share a group that an independent view of the data finds, {best:.1%} at best after training)."
        )
    now = history[epoch - 1]["agreement"]
    better = "better" if now >= before else "worse"
    advice = ", which stays beside it" if now >= before else ": for labels take that, with method 'pretrained'"
    return f"neighbours {better} than those of the encoder as it came ({now:.1%} against {before:.1%}){advice}; "


def _batches(n: int, schedule: Schedule, state: State) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the step and the rows [batch_size] of each batch of the epoch that is still to come.

    Only whole batches: a small last one has few negatives. What is left out differs from epoch to epoch.
    """
    order = np.random.default_rng([schedule.seed, state.epoch]).permutation(n)
    rows = list(batches_of(order[: schedule.steps(n) * schedule.batch_size], schedule.batch_size))
    yield from list(enumerate(rows))[state.step :]


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
