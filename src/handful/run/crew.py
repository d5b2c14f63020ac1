"""One training that several processes share, started by torchrun or accelerate: one of them holds the run folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import broadcast

from handful.data import Dataset
from handful.data.remote import check_local
from handful.errors import InputError
from handful.run.folder import Run
from handful.run.record import read_json
from handful.training.devices import processes
from handful.training.pretrain import pretrain


def check_alone(work: str) -> None:
    """Raise InputError where several processes were started for `work`: only a training can be shared."""
    if processes().num_processes > 1:
        raise InputError(
            f"{work} is for one process, {processes().num_processes} were started: share the training, with "
            "`handful pretrain` into the same run folder, then go on there with one."
        )


def helps() -> bool:
    """Tell whether this process was started to share the training of another, which holds the run folder."""
    return not processes().is_main_process


def call_helpers(training: bool) -> None:
    """Tell the processes that wait in `help_training` whether there is a training to share."""
    if processes().num_processes > 1:
        broadcast(torch.tensor(int(training), device=processes().device))


def help_training(data: Dataset, out: str | Path, options: Mapping[str, Any]) -> None:
    """Share the training of the process that holds the run folder `out`, if there is one to share.

    out: on a file system that all processes see. data, options: as in that process.
    """
    check_local(out, "a run folder of several processes")
    called = torch.zeros((), dtype=torch.int64, device=processes().device)
    if broadcast(called).item():
        run = Run(Path(out))
        pretrain(data, out=run.encoder_folder, **advised(run, options))


def advised(run: Run, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the options with the method that the run's advice names, where they leave it open."""
    if options["method"] != "auto" or options.get("encoder") is not None or not run.stands("advice.json"):
        return options
    return {**options, "method": read_json(run.folder / "advice.json")["method"]}
