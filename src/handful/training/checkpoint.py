"""The state of a training that stopped half-way: one file, written whole or not at all, never unpickled."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn
from torch.optim import Optimizer

from handful.errors import InputError
from handful.files import written_whole


def save_loop(
    path: Path,
    method: nn.Module,
    optimizer: Optimizer,
    state: Mapping[str, Any],
    *,
    others: Mapping[str, Mapping[str, torch.Tensor]] | None = None,
) -> None:
    """Write weights, optimizer moments and `state` (JSON values) to `path` (safetensors).

    others: further weights, such as averaged ones, by what they are.
    """
    tensors = {f"method.{name}": tensor for name, tensor in method.state_dict().items()}
    for kind, weights in (others or {}).items():
        tensors |= {f"{kind}.{name}": tensor for name, tensor in weights.items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": torch.as_tensor(value) for name, value in moments.items()}
    with written_whole(path) as file:
        file.write(save(separate(tensors), metadata={"state": json.dumps(state)}))


def load_loop(
    path: Path, method: nn.Module, optimizer: Optimizer, *, others: Sequence[str] = ()
) -> tuple[dict[str, Any], dict[str, dict[str, torch.Tensor]]]:
    """Put the weights and moments of `path` into `method` and `optimizer`; return the state and the `others` by name.

    Raises InputError where the file is damaged, or the weights are of another network.
    """
    try:
        tensors, told = read_tensors(path)
        state = json.loads(told["state"])
    except (InputError, KeyError, ValueError) as error:
        raise InputError(f"{path} is not a training state ({error}): delete it to start again.") from error
    try:
        method.load_state_dict(_part(tensors, "method."))
    except RuntimeError as error:
        raise InputError(f"{path} was trained with another network: choose another output folder.") from error
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in _part(tensors, "optimizer.").items():
        index, kind = name.split(".")
        moments.setdefault(int(index), {})[kind] = tensor
    optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})
    return state, {kind: _part(tensors, f"{kind}.") for kind in others}


def read_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Return the tensors of a safetensors file by name and what else it says, or raise InputError: it is damaged."""
    try:
        with safe_open(path, "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{path} is damaged ({error}): pretrain again.") from error


def separate(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the tensors on the CPU, each with memory of its own, as safetensors needs them."""
    return {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()
    }


def _part(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
