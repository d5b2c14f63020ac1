"""Pretrained text encoders: any transformers model, a folder or a name on the hub, pooled as its own files say.

A sentence-transformers folder names its pooling, its longest text and the layers after pooling (Reimers and Gurevych
2019); without such files the mean over the pieces is taken.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from handful.encoders.encoded import Encoded
from handful.encoders.saving import Cut
from handful.encoders.tokens import Tokens
from handful.encoders.windows import run_in_windows
from handful.errors import InputError

POOLINGS = ("mean", "cls", "max", "mean_sqrt_len", "last", "weighted_mean")
LONGEST_WINDOW = 512
_BUDGET = 4096  # pieces that run at a time: their activations fit the cache of a processor
_ACTIVATIONS = {"Identity": nn.Identity, "Tanh": nn.Tanh, "ReLU": nn.ReLU, "GELU": nn.GELU}


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
        self.dense = nn.Sequential(*(layer for described in dense for layer in _dense_layers(described)))
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
        with _fast_arithmetic(self.training):
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


def load_text_encoder(name: str | Path) -> Loaded:
    """Return the pretrained model in the folder `name`, or of that name on the hub or in its cache.

    HF_HUB_OFFLINE is honoured, code in a model's folder is never run. Raises InputError where there is no such model,
    it cannot be fetched, or it cannot be read as an encoder of texts.
    """
    transformers = _import_transformers()
    folder = _find_folder(str(name))
    files = _sentence_files(folder)
    try:
        with _quiet(transformers):
            tokenizer = transformers.AutoTokenizer.from_pretrained(files.model, trust_remote_code=False)
            kind = _model_class(transformers, transformers.AutoConfig.from_pretrained(files.model))
            model = kind.from_pretrained(files.model, dtype=torch.float32, trust_remote_code=False)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        raise InputError(f"encoder={str(name)!r} cannot be loaded by transformers: {_first_sentence(error)}.") from None
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise InputError(f"encoder={str(name)!r} has no tokenizer.json, and its tokenizer cannot be made into one.")
    prefix, suffix = _frame(tokenizer)
    longest = min(files.longest or LONGEST_WINDOW, _longest(tokenizer, model.config), LONGEST_WINDOW)
    window = max(8, longest - len(prefix) - len(suffix))
    network = PretrainedText(
        json.loads(model.config.to_json_string()),
        prefix=prefix,
        suffix=suffix,
        pad=tokenizer.pad_token_id or 0,
        mask=tokenizer.mask_token_id,
        window=window,
        pooling=files.pooling,
        dense=files.dense,
    )
    network.model.load_state_dict(model.state_dict())
    _load_dense(network.dense, files.dense_weights)
    return Loaded(network.eval(), backend.to_str(), window)


@dataclass(frozen=True)
class _SentenceFiles:
    """What a folder says beside its model: where the model lies, the longest text, pooling, layers after it."""

    model: Path
    longest: int | None = None
    pooling: str = "mean"
    dense: tuple[dict[str, Any], ...] = ()
    dense_weights: tuple[Path, ...] = ()


def _sentence_files(folder: Path) -> _SentenceFiles:
    listed = folder / "modules.json"
    if not listed.is_file():
        return _SentenceFiles(folder)
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
    return _SentenceFiles(model, longest, pooling, tuple(dense), tuple(weights))


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


def _dense_layers(described: dict[str, Any]) -> Iterator[nn.Module]:
    yield nn.Linear(described["in"], described["out"], bias=described["bias"])
    yield _ACTIVATIONS[described["activation"]]()


def _load_dense(layers: nn.Sequential, folders: Sequence[Path]) -> None:
    from safetensors.torch import load_file

    linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
    for layer, folder in zip(linear, folders, strict=True):
        path = folder / "model.safetensors"
        if path.is_file():
            weights = load_file(path)
        else:
            weights = torch.load(folder / "pytorch_model.bin", map_location="cpu", weights_only=True)
        layer.load_state_dict({name.rsplit(".", 1)[-1]: tensor for name, tensor in weights.items()})


def _find_folder(name: str) -> Path:
    """Return the folder of a model, fetched from the hub unless it is there."""
    path = Path(name).expanduser()
    if path.is_dir():
        if (path / "config.json").is_file() or (path / "modules.json").is_file():
            return path
        raise InputError(f"{name} holds no model: a folder with config.json and its weights is needed.")
    if path.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1:
        raise InputError(f"encoder={name!r} does not exist: give the folder of a model, or its name on the hub.")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled

    kept = ["*.json", "*.txt", "*.model", "*.safetensors"]
    try:
        found = Path(snapshot_download(name, allow_patterns=kept, ignore_patterns=["onnx/*", "openvino/*"]))
        if not any(found.rglob("*.safetensors")):
            snapshot_download(name, allow_patterns=["pytorch_model*.bin", "*/pytorch_model.bin"])
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError) as error:
        raise InputError(
            f"encoder={name!r} is no folder and cannot be fetched from the hub ({_first_sentence(error)}): check the "
            f"name, or where there is a network run `hf download {name} --local-dir FOLDER` and give FOLDER."
        ) from None
    return found


def _build_model(described: dict[str, Any]) -> nn.Module:
    transformers = _import_transformers()
    rest = {name: value for name, value in described.items() if name != "model_type"}
    config = transformers.AutoConfig.for_model(described["model_type"], **rest)
    with _quiet(transformers):
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


def _import_transformers() -> Any:
    try:
        import transformers
    except ImportError:
        raise InputError("pretrained text encoders need the extra 'text': pip install 'handful[text]'.") from None
    return transformers


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Keep the progress bars and hints of transformers from the screen."""
    log = transformers.utils.logging
    level, bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(level)
        if bars:
            log.enable_progress_bar()


def _fast_arithmetic(training: bool) -> torch.autocast:
    """Return bfloat16 for embedding where the processor multiplies in it; training has its own precision."""
    fast = bool(torch.cpu.get_capabilities().get("avx512_bf16", False))
    return torch.autocast("cpu", torch.bfloat16, enabled=fast and not training and not torch.is_grad_enabled())


def _first_sentence(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).split(". ")[0].rstrip(".:")
