"""Pretrained sound encoders: any transformers model that hears, prepared by its own feature extractor.

Models over time (wav2vec 2.0, Baevski et al. 2020; HuBERT; Whisper's encoder) give the mean of the frames that hold
sound, those with a pooling of their own (AST, CLAP) give that.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from handful.encoders.encoded import Encoded
from handful.encoders.hub import (
    config_of,
    describe_config,
    fast_arithmetic,
    find_folder,
    first_sentence,
    has_learnt_pooler,
    import_transformers,
    load_model,
    model_class,
    quiet,
    read_config,
    read_processor,
)
from handful.encoders.saving import Cut
from handful.encoders.wave import WAVE
from handful.errors import InputError, check_choice

SOUND_POOLINGS = ("mean", "pooler")
_AT_ONCE = 16  # sounds that run at a time
_LEAST_SECONDS = 0.1  # of silence is put after a shorter sound: convolutions need some frames

Heard = dict[str, torch.Tensor]
HEARD = "heard"


class Extractor:
    """What makes the input of a sound model of waveforms: a feature extractor of transformers.

    config: its configuration, as JSON values.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = dict(config)

    @classmethod
    def from_json(cls, content: str) -> Extractor:
        """Return the extractor whose configuration is written in `content`."""
        return cls(json.loads(content))

    @property
    def rate(self) -> int:
        """Samples a second of the waveforms that it takes."""
        return int(self.config["sampling_rate"])

    @cached_property
    def _made(self) -> Any:
        transformers = import_transformers()
        kind = getattr(transformers, str(self.config.get("feature_extractor_type")), None)
        if kind is None:
            raise InputError(
                f"preprocessor_config.json names the feature extractor {self.config.get('feature_extractor_type')!r}, "
                f"which transformers {transformers.__version__} does not have: use another encoder."
            )
        with quiet(transformers):
            return kind.from_dict(self.config)

    def __call__(self, waves: Sequence[np.ndarray]) -> Heard:
        """Return the input of the model for waveforms [n_i] from -1 to 1."""
        least = int(_LEAST_SECONDS * self.rate)
        most = getattr(self._made, "nb_max_samples", None)  # of a longer sound CLAP's would take a random part
        heard = [np.pad(wave[:most], (0, max(0, least - len(wave)))).astype(np.float32) for wave in waves]
        padding = inspect.signature(type(self._made).__call__).parameters.get("padding")
        filled = {"padding": True} if padding is not None and padding.default is False else {}  # others have their own
        made = self._made(heard, sampling_rate=self.rate, return_attention_mask=True, return_tensors="pt", **filled)
        return {name: torch.as_tensor(part) for name, part in made.items()}


class PretrainedSound(nn.Module):
    """Maps what its `Extractor` makes of sounds, in a batch under `HEARD`, to features [B, L, D] and one vector [B, D].

    model: the configuration of the transformers model. pooling: "mean" over the frames that hold sound, or "pooler".
    """

    causal = False

    def __init__(self, model: dict[str, Any], *, pooling: str, width: int) -> None:
        super().__init__()
        self.model: Any = _build_model(model)
        self.pooling, self.width = pooling, width
        self.config = {"model": model, "pooling": pooling, "width": width}

    @classmethod
    def from_config(cls, config: dict[str, Any], *, cut: Cut | None) -> PretrainedSound:
        """Return the network that `config` describes, without its weights."""
        return cls(**config)

    def forward(self, batch: dict[str, Any]) -> Encoded:
        if HEARD not in batch:
            raise InputError(
                "a pretrained sound encoder is taken as it is: random views are made of mel frames, and it hears "
                "waveforms; leave the method and the epochs away."
            )
        return self._hear(batch[HEARD])

    def _hear(self, batch: Heard) -> Encoded:
        groups = self._groups(batch)
        back = torch.cat(groups).argsort()
        with fast_arithmetic(self.training):
            made = [self._read({name: part[rows] for name, part in batch.items()}) for rows in groups]
        longest = max(features.shape[1] for features, _ in made)
        features = torch.cat([nn.functional.pad(part, (0, 0, 0, longest - part.shape[1])) for part, _ in made])
        return Encoded(features[back], torch.cat([pooled for _, pooled in made])[back])

    def _groups(self, batch: Heard) -> list[torch.Tensor]:
        """Return the rows that run together, of like lengths; of one length where a layer is normalised over time."""
        mask = batch.get("attention_mask")
        if mask is None or not _is_over_time(self.model):
            return list(torch.arange(len(next(iter(batch.values())))).split(_AT_ONCE))
        lengths, order = mask.sum(1).cpu().sort()
        if getattr(self.model.config, "feat_extract_norm", "layer") == "layer":
            return list(order.split(_AT_ONCE))
        alike = order.split(lengths.unique_consecutive(return_counts=True)[1].tolist())
        return [rows for group in alike for rows in group.split(_AT_ONCE)]

    def _read(self, given: Heard) -> tuple[torch.Tensor, torch.Tensor]:
        told, present = hear(self.model, given)
        states = told.last_hidden_state.float()
        states = states.flatten(2).transpose(1, 2) if states.ndim == 4 else states
        if self.pooling == "pooler":
            return states, told.pooler_output.float().flatten(1)
        weight = states.new_ones(states.shape[:2]) if present is None else present.to(states.dtype)
        return states * weight[..., None], (states * weight[..., None]).sum(1) / weight.sum(1, keepdim=True).clamp(
            min=1
        )


def hear(model: Any, given: Heard) -> tuple[Any, torch.Tensor | None]:
    """Return what the model gives, and which of its frames [B, L] hold sound; None where it does not tell them."""
    given = dict(given)
    mask = given.pop("attention_mask", None)
    name = model.main_input_name
    extra = {key: given[key] for key in ("is_longer",) if key in given}
    if mask is None or not _is_over_time(model):
        return model(**{name: given[name]}, **extra), None
    if name == "input_values":  # waveforms: no more is read than the longest sound of these
        longest = int(mask.sum(1).max())
        mask = mask[:, :longest]
        # models whose first layer is normalised over the whole sound were trained without a mask
        masked = {"attention_mask": mask} if getattr(model.config, "feat_extract_norm", "layer") == "layer" else {}
        told = model(**{name: given[name][:, :longest]}, **masked)
    else:
        told = model(**{name: given[name]})
    return told, _present_frames(model, mask, told.last_hidden_state.shape[1])


def _is_over_time(model: Any) -> bool:
    return hasattr(model, "_get_feat_extract_output_lengths")


def _present_frames(model: Any, mask: torch.Tensor, frames: int) -> torch.Tensor:
    lengths = mask.sum(1)
    counts = model._get_feat_extract_output_lengths(lengths).long().clamp(min=1, max=frames)
    return torch.arange(frames, device=mask.device) < counts[:, None]


def load_sound_encoder(name: str | Path, *, pooling: str = "auto") -> tuple[PretrainedSound, Extractor]:
    """Return the pretrained sound model in the folder `name`, or of that name on the hub, and what prepares its input.

    pooling: "mean", "pooler", or "auto" for the model's own where it has one.
    Raises InputError where there is no such model, it does not hear, or does not fit its own feature extractor.
    """
    folder = find_folder(str(name))
    model: Any = load_model(str(name), folder, partial(_choose, str(name)))
    learnt = has_learnt_pooler(model)
    model = getattr(model, "audio_model", model)
    described = describe_config(model.config)
    model = _encoder_of(model).eval()
    extractor = Extractor(read_processor(str(name), folder, "feature_extractor"))
    try:
        with torch.inference_mode():
            told, _ = hear(model, extractor([np.zeros(extractor.rate, np.float32)] * 2))
    except (ValueError, RuntimeError, TypeError, KeyError) as error:
        raise InputError(
            f"encoder={str(name)!r} does not take what its own feature extractor makes ({first_sentence(error)}): "
            "check that both files are of one model."
        ) from None
    check_choice("pooling", pooling, ["auto", *SOUND_POOLINGS])
    own = getattr(told, "pooler_output", None) if learnt else None
    if pooling == "pooler" and own is None:
        why = "can give" if learnt else "has the weights for"
        raise InputError(f"pooling='pooler' is not what encoder={str(name)!r} {why}: choose 'mean'.")
    pooling = ("mean" if own is None else "pooler") if pooling == "auto" else pooling
    # the states of CLAP are a map: channels first
    states = told.last_hidden_state
    width = own.shape[1] if own is not None and pooling == "pooler" else states.shape[1 if states.ndim == 4 else 2]
    network = PretrainedSound(described, pooling=pooling, width=width)
    network.model.load_state_dict(model.state_dict())
    return network.eval(), extractor


def sound_reading(name: str | Path) -> dict[str, int]:
    """Return how sounds must be read for the pretrained model `name`: samples a second; "wave" reads any."""
    if str(name) == WAVE:
        return {}
    folder = find_folder(str(name))
    _choose(str(name), import_transformers(), read_config(str(name), folder))
    processor = read_processor(str(name), folder, "feature_extractor")
    return {"rate": int(processor["sampling_rate"])}


def _choose(name: str, transformers: Any, config: Any) -> tuple[Any, Any]:
    tower = getattr(config, "audio_config", config)  # of a model with towers for texts and sounds
    kind = model_class(transformers, tower)
    if getattr(kind, "main_input_name", None) not in ("input_values", "input_features"):
        raise InputError(f"encoder={name!r} is a {config.model_type}, which hears no sounds: use a model of sounds.")
    return model_class(transformers, config), config


def _build_model(described: dict[str, Any]) -> nn.Module:
    transformers, config = import_transformers(), config_of(described)
    with quiet(transformers):
        return _encoder_of(model_class(transformers, config)(config))


def _encoder_of(model: Any) -> Any:
    """Return the encoder alone of a model that has a decoder too."""
    return model.get_encoder() if getattr(model.config, "is_encoder_decoder", False) else model
