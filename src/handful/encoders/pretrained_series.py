"""Pretrained encoders of series: PatchTST (Nie et al. 2023) as transformers reads it, from a folder."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from handful.encoders.encoded import Encoded
from handful.encoders.hub import (
    config_of,
    describe_config,
    fast_arithmetic,
    find_folder,
    import_transformers,
    load_model,
    model_class,
    quiet,
)
from handful.encoders.saving import Cut
from handful.errors import InputError, check_choice

SERIES_FAMILIES = ("patchtst",)
_AT_ONCE = 64  # series that run at a time


class PretrainedSeries(nn.Module):
    """Maps {"values": [B, C, T], "present": [B, T]} to features [B, L, D] of patches and one vector [B, C * D].

    A series is read at as many even places as the model's context has steps. Channels are read each for itself; the
    means of their patches stand side by side, and the features are the mean of the channels.
    model: the configuration of the transformers model. channels: C.
    """

    causal = False

    def __init__(self, model: dict[str, Any], *, channels: int) -> None:
        super().__init__()
        transformers, config = import_transformers(), config_of(model)
        with quiet(transformers):
            self.model: Any = model_class(transformers, config)(config)
        self.channels, self.width = channels, channels * int(config.d_model)
        self.config = {"model": model, "channels": channels}

    @classmethod
    def from_config(cls, config: dict[str, Any], *, cut: Cut | None) -> PretrainedSeries:
        """Return the network that `config` describes, without its weights."""
        return cls(**config)

    def forward(self, batch: Mapping[str, torch.Tensor]) -> Encoded:
        values = read_evenly(batch["values"].float(), batch["present"], int(self.model.config.context_length))
        with fast_arithmetic(self.training):
            states = torch.cat([self._read(part) for part in values.split(_AT_ONCE)]).float()  # [B, C, L, D]
        return Encoded(states.mean(1), states.mean(2).flatten(1))

    def _read(self, values: torch.Tensor) -> torch.Tensor:
        """Return the states [B, C, L, D] of series [B, C, T], as many channels at a time as the model takes."""
        taken = int(self.model.config.num_input_channels)
        filled = F.pad(values, (0, 0, 0, -values.shape[1] % taken))
        states = [self.model(past_values=some.transpose(1, 2)).last_hidden_state for some in filled.split(taken, dim=1)]
        return torch.cat(states, 1)[:, : values.shape[1]]


def read_evenly(values: torch.Tensor, present: torch.Tensor, steps: int) -> torch.Tensor:
    """Return series [B, C, T], each read at `steps` even places over its own length, [B, C, steps]."""
    last = (present.sum(1) - 1).clamp(min=0)[:, None]
    place = torch.linspace(0, 1, steps, device=values.device)[None] * last
    low = place.floor().long()
    both = [at[:, None].expand(-1, values.shape[1], -1) for at in (low, (low + 1).minimum(last))]
    return torch.lerp(values.gather(2, both[0]), values.gather(2, both[1]), (place - low)[:, None])


def load_series_encoder(name: str | Path, *, channels: int, pooling: str = "auto") -> PretrainedSeries:
    """Return the pretrained model of series in the folder `name`, or of that name on the hub.

    Raises InputError where there is no such model, or it reads something else.
    """
    check_choice("pooling", pooling, ["auto", "mean"])
    folder = find_folder(str(name))
    model: Any = load_model(str(name), folder, partial(_choose, str(name)))
    network = PretrainedSeries(describe_config(model.config), channels=channels)
    network.model.load_state_dict(model.state_dict())
    return network.eval()


def _choose(name: str, transformers: Any, config: Any) -> tuple[Any, Any]:
    if config.model_type not in SERIES_FAMILIES:
        raise InputError(
            f"encoder={name!r} is a {config.model_type}, which reads no series: use one of "
            f"{', '.join(SERIES_FAMILIES)}, or an nn.Module of your own."
        )
    return model_class(transformers, config), config
