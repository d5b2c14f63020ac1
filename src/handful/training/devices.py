"""Which device and precision to train in, how many processes share the work, and where randomness comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, PartialState
from accelerate.tracking import get_available_trackers
from accelerate.utils import LoggerType, broadcast, parse_flag_from_env

from handful.errors import InputError, check_choice


def make_accelerator(precision: str, *, trackers: Sequence[str] = (), folder: Path | None = None) -> Accelerator:
    """Return the device, the processes and the precision to train in.

    precision: "no", "bf16", "fp16", or "auto": bfloat16 where the processor multiplies in it, which doubles the pace
    of convolutions there. trackers: names that accelerate knows ("tensorboard", "wandb", "mlflow", ...), which write
    to `folder`. Raises InputError for a precision or a tracker that is not known or not installed.
    """
    check_choice("precision", precision, ["auto", "no", "bf16", "fp16"])
    check_trackers(trackers)
    if precision == "auto":
        precision = "bf16" if _has_fast_bfloat16() else "no"
    AcceleratorState._reset_state()  # else a second training of this process could not choose another precision
    cpu = _on_cpu()
    return Accelerator(cpu=cpu, mixed_precision=precision, log_with=list(trackers) or None, project_dir=folder)


def processes() -> PartialState:
    """Return which process this is of those that torchrun or accelerate started together; the only one by default."""
    return PartialState(cpu=_on_cpu())


def _on_cpu() -> bool:
    """Tell whether to train on the processor; unless accelerate is told so, its processes there do not share."""
    return device_at_hand().type == "cpu" or parse_flag_from_env("ACCELERATE_USE_CPU")


def device_at_hand() -> torch.device:
    """Return where networks run: the GPU where there is one, else the processor."""
    if torch.accelerator.is_available():
        found = torch.accelerator.current_accelerator()
        if found is not None:
            return found
    return torch.device("cpu")


def step_generator(seed: int, at: int, accelerator: Accelerator, *, part: int = 0) -> torch.Generator:
    """Return the source of all randomness of step `at`: the same whether or not the training was interrupted.

    part: which part of the step it is, where gradients are accumulated. Each process draws its own.
    """
    words = np.random.SeedSequence([seed, at, part, accelerator.process_index]).generate_state(1, np.uint64)
    drawn = int(words[0] >> np.uint64(1))
    torch.manual_seed(drawn)  # dropout draws from the global source
    return torch.Generator(accelerator.device).manual_seed(drawn)


def of_main_process(line: dict[str, Any], accelerator: Accelerator) -> dict[str, Any]:
    """Return an epoch's line with the agreement that the main process measured: all must choose and stop alike."""
    if accelerator.num_processes == 1 or "agreement" not in line:
        return line
    shared = broadcast(torch.tensor(line["agreement"], dtype=torch.float64, device=accelerator.device))
    return {**line, "agreement": float(shared)}


@contextmanager
def one_writes() -> Iterator[bool]:
    """Tell each process whether it is the one that writes files; the others wait for it at the end."""
    state = processes()
    yield state.is_main_process
    state.wait_for_everyone()


def check_trackers(names: Sequence[str]) -> None:
    """Raise InputError unless all trackers are known to accelerate and installed."""
    for name in names:
        check_choice("tracker", name, [kind.value for kind in LoggerType if kind is not LoggerType.ALL])
        if name not in [getattr(found, "value", found) for found in get_available_trackers()]:
            raise InputError(f"the tracker {name!r} is not installed: install it, or train without it.")


def _has_fast_bfloat16() -> bool:
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))
