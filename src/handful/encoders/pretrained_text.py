"""Pretrained text encoders: any transformers model, a folder or a name on the hub, pooled as its own files say.

A sentence-transformers folder names its pooling, its longest text and the layers after pooling (Reimers and Gurevych
2019); without such files the mean over the pieces is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from handful.encoders.encoded import Encoded
from handful.encoders.hub import (
    config_of,
    describe_config,
    fast_arithmetic,
    find_folder,
    first_sentence,
    import_transformers,
    load_model,
    model_class,
    quiet,
)
from handful.encoders.saving import Cut
from handful.encoders.sentence_files import POOLINGS, dense_layers, load_dense, read_sentence_files
from handful.encoders.tokens import Tokens
from handful.encoders.windows import run_in_windows
from handful.errors import InputError, check_choice

__all__ = ["POOLINGS", "Loaded", "PretrainedText", "load_text_encoder", "pool"]

LONGEST_WINDOW = 512
_BUDGET = 1024
"""Pieces that run at a time on a processor: activations that fit its cache, and texts of nearly one length, so that
little is padded (MiniLM on 96 news texts, one thread: 3.1 seconds, with 4,096 pieces 4.0)."""


@dataclass(frozen=True)
class Loaded:
    """network: with its weights; tokenizer: its file as JSON; window: how many pieces of a text it reads at once."""

    network: PretrainedText
    tokenizer: str
    window: int


class PretrainedText(nn.Module):
    """Maps pieces of texts to features [B, L, D] and one vector [B, D] with a transformers model.

    A text longer than the window is read in windows; their vectors are averaged, weighted by their pieces.
    model: the configuration of the transformers model. prefix, suffix, pad: the pieces that frame a text and fill up a
    batch. dense: the layers after pooling, each {"in", "out", "bias", "activation"}.
    """

    reads_tokens = True
    causal = False
    axes = 1
    model: Any

    def __init__(
        self,
        model: dict[str, Any],
        *,
        prefix: Sequence[int],
        suffix: Sequence[int],
        pad: int,
        window: int,
        mask: int | None = None,
        pooling: str = "mean",
        dense: Sequence[dict[str, Any]] = (),
        cut: Cut | None = None,
    ) -> None:
        super().__init__()
        self.model = _build_model(model)
        self.config = {
            "model": model,
            "prefix": list(prefix),
            "suffix": list(suffix),
            "pad": pad,
            "mask": mask,
            "window": window,
            "pooling": pooling,
            "dense": [dict(layer) for layer in dense],
        }
        self.pad, self.mask, self.window, self.pooling, self.cut = pad, mask, window, pooling, cut
        self.prefix = nn.Buffer(torch.tensor(list(prefix), dtype=torch.int64))
        self.suffix = nn.Buffer(torch.tensor(list(suffix), dtype=torch.int64))
        self.dense = nn.Sequential(*(layer for described in dense for layer in dense_layers(described)))
        self.width: int = dense[-1]["out"] if dense else self.model.config.hidden_size

    @classmethod
    def from_config(cls, config: dict[str, Any], *, cut: Cut | None) -> PretrainedText:
        """Return the network that `config` describes, without its weights."""
        return cls(**config, cut=cut)

    @property
    def stem(self) -> nn.Embedding:
        """What maps pieces to vectors, before their places are told."""
        return self.model.get_input_embeddings()

    def forward(
        self, batch: Any, *, hidden: torch.Tensor | None = None, stand_in: torch.Tensor | None = None
    ) -> Encoded:
        """Return features and vectors. hidden: [B, L] bool, pieces in whose stead the vector `stand_in` is read."""
        tokens = batch if isinstance(batch, Tokens) else self.cut(batch)  # type: ignore[misc]
        pooled: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []

        def run(part: Tokens, at: torch.Tensor) -> torch.Tensor:
            covered = None if hidden is None else hidden.flatten()[at] & part.present
            states, present = self._read(part, covered, stand_in)
            pooled.append(
                (pool(states, present, self.pooling), part.present.sum(1), at[:, 0] // tokens.present.shape[1])
            )
            start = len(self.prefix)
            return states[:, start : start + at.shape[1]]

        budget = _BUDGET if tokens.values.device.type == "cpu" else None
        with fast_arithmetic(self.training):
            features = run_in_windows(run, tokens, window=self.window, budget=budget)
        vectors, counts, rows = (torch.cat(parts) for parts in zip(*pooled, strict=True))
        weights = counts.clamp(min=1).float()[:, None]
        total = weights.new_zeros(len(tokens.present), 1).index_add(0, rows, weights)
        summed = weights.new_zeros(len(tokens.present), vectors.shape[1]).index_add(0, rows, vectors.float() * weights)
        return Encoded(features, self.dense(summed / total.clamp(min=1)))

    def _read(
        self, part: Tokens, covered: torch.Tensor | None, stand_in: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the last states [M, P + w + S, D] of framed windows, and which of them are present."""
        n, width = part.values.shape
        start, after = len(self.prefix), len(self.suffix)
        counts = part.present.sum(1)
        ids = torch.full((n, start + width + after), self.pad, device=part.values.device)
        ids[:, :start] = self.prefix
        ids[:, start : start + width] = torch.where(part.present, part.values, self.pad)
        ends = start + counts[:, None] + torch.arange(after, device=ids.device)
        ids.scatter_(1, ends, self.suffix.expand(n, -1))
        present = torch.arange(ids.shape[1], device=ids.device) < (start + counts + after)[:, None]
        if covered is None or stand_in is None:
            given = {"input_ids": ids}
        else:
            over = torch.zeros_like(present)
            over[:, start : start + width] = covered
            parts = self.stem(ids)
            given = {"inputs_embeds": torch.where(over[..., None], stand_in.to(parts.dtype), parts)}
        return self.model(**given, attention_mask=present.long()).last_hidden_state, present


def pool(states: torch.Tensor, present: torch.Tensor, pooling: str) -> torch.Tensor:
    """Return one vector [M, D] for the present ones of states [M, L, D], each row's first to last."""
    weight = present.unsqueeze(-1).to(torch.float32)
    states = states.float()
    if pooling == "cls":
        return states[:, 0]
    if pooling == "last":
        return states[torch.arange(len(states)), present.sum(1) - 1]
    if pooling == "max":
        return states.masked_fill(~present.unsqueeze(-1), -torch.inf).amax(1)
    if pooling == "weighted_mean":  # later pieces of a causal model have read more (Muennighoff 2022)
        weight = weight * torch.arange(1, states.shape[1] + 1, device=states.device)[None, :, None]
    total = weight.sum(1)
    return (states * weight).sum(1) / (total.sqrt() if pooling == "mean_sqrt_len" else total)


def load_text_encoder(name: str | Path, *, pooling: str = "auto") -> Loaded:
    """Return the pretrained model in the folder `name`, or of that name on the hub or in its cache.

    HF_HUB_OFFLINE is honoured, code in a model's folder is never run. pooling: one of `POOLINGS`; "auto" takes
    what the folder names. Raises InputError where there is no such model, it cannot be fetched, or it reads no texts.
    """
    check_choice("pooling", pooling, ["auto", *POOLINGS])
    transformers = import_transformers()
    folder = find_folder(str(name))
    files = read_sentence_files(folder)
    model: Any = load_model(str(name), files.model, partial(_choose, str(name)))
    try:
        with quiet(transformers):
            tokenizer = transformers.AutoTokenizer.from_pretrained(files.model, trust_remote_code=False)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        raise InputError(f"encoder={str(name)!r} has no tokenizer that can be read: {first_sentence(error)}.") from None
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise InputError(f"encoder={str(name)!r} has no tokenizer.json, and its tokenizer cannot be made into one.")
    prefix, suffix = _frame(tokenizer)
    longest = min(files.longest or LONGEST_WINDOW, _longest(tokenizer, model.config), LONGEST_WINDOW)
    window = max(8, longest - len(prefix) - len(suffix))
    network = PretrainedText(
        describe_config(model.config),
        prefix=prefix,
        suffix=suffix,
        pad=tokenizer.pad_token_id or 0,
        mask=tokenizer.mask_token_id,
        window=window,
        pooling=files.pooling if pooling == "auto" else pooling,
        dense=files.dense,
    )
    network.model.load_state_dict(model.state_dict())
    load_dense(network.dense, files.dense_weights)
    return Loaded(network.eval(), backend.to_str(), window)


def _choose(name: str, transformers: Any, config: Any) -> tuple[Any, Any]:
    """Return the class that reads texts, and its configuration. Raises InputError for a model that reads no texts."""
    config = getattr(config, "text_config", config)  # of a model with towers for texts and images
    kind = _model_class(transformers, config)
    found = model_class(transformers, config)
    if getattr(found, "main_input_name", "input_ids") != "input_ids":
        raise InputError(f"encoder={name!r} is a {config.model_type}, which reads no texts: use a text model.")
    return kind, config


def _build_model(described: dict[str, Any]) -> nn.Module:
    transformers, config = import_transformers(), config_of(described)
    with quiet(transformers):
        return _model_class(transformers, config).from_config(config)


def _model_class(transformers: Any, config: Any) -> Any:
    """Return the class that makes the encoder alone of a model that has a decoder too."""
    return transformers.AutoModelForTextEncoding if config.is_encoder_decoder else transformers.AutoModel


def _frame(tokenizer: Any) -> tuple[list[int], list[int]]:
    """Return the pieces that the model wants before and after a text."""
    bare = tokenizer("a", add_special_tokens=False)["input_ids"]
    framed = tokenizer("a")["input_ids"]
    start = next(at for at in range(len(framed)) if framed[at : at + len(bare)] == bare)
    return framed[:start], framed[start + len(bare) :]


def _longest(tokenizer: Any, config: Any) -> int:
    """Return how many pieces the model reads at once."""
    places = getattr(config, "max_position_embeddings", None) or LONGEST_WINDOW
    return int(min(tokenizer.model_max_length, places))
