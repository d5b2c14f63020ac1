"""What a folder of sentence-transformers says beside its model (Reimers and Gurevych 2019)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from handful.errors import InputError

POOLINGS = ("mean", "cls", "max", "mean_sqrt_len", "last", "weighted_mean")
_ACTIVATIONS = {"Identity": nn.Identity, "Tanh": nn.Tanh, "ReLU": nn.ReLU, "GELU": nn.GELU}


@dataclass(frozen=True)
class SentenceFiles:
    """What a folder says beside its model: where the model lies, the longest text, pooling, layers after it."""

    model: Path
    longest: int | None = None
    pooling: str = "mean"
    dense: tuple[dict[str, Any], ...] = ()
    dense_weights: tuple[Path, ...] = ()


def read_sentence_files(folder: Path) -> SentenceFiles:
    """Return what a folder says beside its model. Raises InputError for a layer that is not read."""
    listed = folder / "modules.json"
    if not listed.is_file():
        return SentenceFiles(folder)
    model, longest, pooling, dense, weights = folder, None, "mean", [], []
    for module in json.loads(listed.read_text(encoding="utf-8")):
        kind, place = module["type"].rsplit(".", 1)[-1], folder / module["path"]
        if kind == "Transformer":
            model = place
            own = place / "sentence_bert_config.json"
            longest = json.loads(own.read_text()).get("max_seq_length") if own.is_file() else None
        elif kind == "Pooling":
            pooling = _read_pooling(place / "config.json")
        elif kind == "Dense":
            dense.append(_read_dense(place / "config.json"))
            weights.append(place)
        elif kind not in ("Normalize", "Dropout"):  # vectors are scaled to one afterwards whatever the folder says
            raise InputError(f"{folder} has a layer of kind {kind!r} after its model, which is not read: use another.")
    return SentenceFiles(model, longest, pooling, tuple(dense), tuple(weights))


def _read_pooling(path: Path) -> str:
    config = json.loads(path.read_text(encoding="utf-8"))
    names = {
        "pooling_mode_mean_tokens": "mean",
        "pooling_mode_cls_token": "cls",
        "pooling_mode_max_tokens": "max",
        "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len",
        "pooling_mode_lasttoken": "last",
        "pooling_mode_weightedmean_tokens": "weighted_mean",
    }
    chosen = [pooling for key, pooling in names.items() if config.get(key)]
    short = {"lasttoken": "last", "weightedmean": "weighted_mean", "mean_sqrt_len_tokens": "mean_sqrt_len"}
    if isinstance(config.get("pooling_mode"), str):  # how later versions write it
        chosen = [short.get(config["pooling_mode"], config["pooling_mode"])]
    if len(chosen) != 1 or chosen[0] not in POOLINGS:
        raise InputError(f"{path} names the poolings {chosen}: only one of {', '.join(POOLINGS)} is read.")
    return chosen[0]


def _read_dense(path: Path) -> dict[str, Any]:
    config = json.loads(path.read_text(encoding="utf-8"))
    activation = config.get("activation_function", "Identity").rsplit(".", 1)[-1]
    if activation not in _ACTIVATIONS:
        raise InputError(f"{path} names the activation {activation!r}: only {', '.join(_ACTIVATIONS)} are read.")
    return {
        "in": config["in_features"],
        "out": config["out_features"],
        "bias": bool(config.get("bias", True)),
        "activation": activation,
    }


def dense_layers(described: dict[str, Any]) -> Iterator[nn.Module]:
    """Yield the layers that were described, not trained."""
    yield nn.Linear(described["in"], described["out"], bias=described["bias"])
    yield _ACTIVATIONS[described["activation"]]()


def load_dense(layers: nn.Sequential, folders: Sequence[Path]) -> None:
    """Load the weights of the layers after pooling from their folders."""
    from safetensors.torch import load_file

    linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
    for layer, folder in zip(linear, folders, strict=True):
        path = folder / "model.safetensors"
        if path.is_file():
            weights = load_file(path)
        else:
            weights = torch.load(folder / "pytorch_model.bin", map_location="cpu", weights_only=True)
        layer.load_state_dict({name.rsplit(".", 1)[-1]: tensor for name, tensor in weights.items()})
