"""How well a method that learns what comes next does so, beside a guess that costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch

from handful.data import Samples
from handful.methods import Foresight, Method
from handful.training.embed import batches_of, device_of, to_device
from handful.training.health import Health, is_improving

ROWS = 256  # of the panel: an error of so many samples is exact enough to tell a share of another
NO_GAIN = 0.98  # of the naive error: what is above it is not worth a network


@torch.inference_mode()
def measure_foresight(
    method: Method,
    samples: Samples,
    rows: np.ndarray,
    *,
    autocast: Callable[[], AbstractContextManager[Any]] = nullcontext,
) -> Foresight | None:
    """Return the mean errors of `method` on `rows`; None where it does not learn what comes next."""
    was_training, found, sizes = method.training, [], []
    method.eval()
    for chosen in batches_of(rows[:: max(1, len(rows) // ROWS)][:ROWS], 32):
        batch = to_device(method.modality.batch(samples, chosen), device_of(method))
        with autocast():
            told = method.foresee(batch)
        if told is None:
            break
        found.append(told)
        sizes.append(len(chosen))
    method.train(was_training)
    if not found:
        return None
    error, naive = (float(np.average([told[at] for told in found], weights=sizes)) for at in (0, 1))
    return Foresight(error, naive, found[0].way)


def judge_foresight(now: Foresight, health: Health, losses: Sequence[float]) -> str:
    """Return the verdict on a training that learns what comes next, in words, with what to do where it is not well.

    health: of the vectors, which are a by-product here. losses: by epoch, the present one last.
    """
    if now.naive <= 0:
        return f"nothing to learn: {now.way} makes no error, since nothing changes."
    told = f"what comes next is guessed with {now.error / now.naive:.0%} of the error of {now.way}"
    improving = is_improving(health, losses, ())
    if now.error > NO_GAIN * now.naive:
        if improving or len(losses) < 3:
            return f"so far no better than {now.way}: {told}; train longer."
        return f"no better than {now.way}: {told}; use a lower learning rate, or more data."
    if len(losses) < 3:
        state, more = "healthy", ""
    elif improving:
        state, more = "healthy and still improving", "; more epochs would help"
    else:
        state, more = "healthy and done", "; the loss gets no better"
    beside = ""
    if health.collapsed:
        rank = f"effective rank {health.rank:.0f} of {health.width}"
        beside = f" Its vectors tell few samples apart ({rank}): for labels use another method."
    return f"{state}: {told}{more}.{beside}"
