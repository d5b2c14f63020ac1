"""Models of transformers: found in a folder, in the cache of the hub or on the hub, and loaded without running code.

Weights in pickle files are read as tensors alone (`weights_only`); a file that holds more is refused.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from handful.errors import InputError

_KEPT = ("*.json", "*.txt", "*.model", "*.safetensors")
_PICKLES = ("pytorch_model*.bin", "*/pytorch_model.bin")
_NEEDED = ("config.json", "modules.json")
_MAY_BE_MISSING = ("pooler", "masked_spec_embed", "mask_token", "position_ids")
"""Weights that a folder may lack: heads and stand-ins that are not used, or are made from the configuration."""
_FAULTS = (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, RuntimeError)


def find_folder(name: str) -> Path:
    """Return the folder of a model, fetched from the hub unless it is there.

    HF_HUB_OFFLINE is honoured. Raises InputError where there is no such model, or it cannot be fetched.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        if any((path / file).is_file() for file in _NEEDED):
            return path
        raise InputError(f"{name} holds no model: a folder with config.json and its weights is needed.")
    if path.is_file():
        raise InputError(
            f"encoder={name!r} is a file: give the folder of a model or its name on the hub; in Python "
            "handful.wrap takes an ONNX file."
        )
    if path.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1:
        raise InputError(f"encoder={name!r} does not exist: give the folder of a model, or its name on the hub.")
    return _fetch(name)


def _fetch(name: str) -> Path:
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        found = Path(snapshot_download(name, allow_patterns=[*_KEPT], ignore_patterns=["onnx/*", "openvino/*"]))
        if not any(found.rglob("*.safetensors")):
            snapshot_download(name, allow_patterns=[*_PICKLES])
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError) as error:
        offline = "HF_HUB_OFFLINE is set, " if constants.HF_HUB_OFFLINE else ""
        raise InputError(
            f"encoder={name!r} is no folder, is not in the cache {constants.HF_HUB_CACHE} and cannot be fetched from "
            f"the hub ({offline}{first_sentence(error)}): check the name, or where there is a network run "
            f"`hf download {name} --local-dir FOLDER` and give FOLDER."
        ) from None
    return found


def load_model(name: str, folder: Path, choose: Callable[[Any, Any], tuple[Any, Any]]) -> nn.Module:
    """Return the model in `folder` with its weights, in float32; `name` is what a person called it.

    choose: takes transformers and the configuration that lies in the folder, returns the class of the model and the
    configuration of the part that is wanted. What the folder may lack is named in `missing_weights` of the model.
    Raises InputError where it cannot be loaded, weights are missing or not finite, or a pickle holds more than tensors.
    """
    transformers = import_transformers()
    try:
        with quiet(transformers):
            kind, config = choose(transformers, read_config(name, folder))
            model, told = kind.from_pretrained(
                folder,
                config=config,
                dtype=torch.float32,
                trust_remote_code=False,
                weights_only=True,
                output_loading_info=True,
            )
    except InputError:
        raise
    except pickle.UnpicklingError:
        raise InputError(
            f"encoder={name!r} keeps its weights in a pickle file that holds more than tensors and could run code: "
            "save it as safetensors where it comes from."
        ) from None
    except _FAULTS as error:
        if "weights_only" in str(error).lower() or "unpickl" in str(error).lower():
            raise InputError(
                f"encoder={name!r} keeps its weights in a pickle file that cannot be read as tensors alone, and might "
                "run code: save it as safetensors where it comes from."
            ) from None
        raise InputError(f"encoder={name!r} cannot be loaded by transformers: {first_sentence(error)}.") from None
    except Exception as error:  # SafetensorError, of a file that is cut short, is none of the above
        raise InputError(
            f"encoder={name!r} has weights that cannot be read ({first_sentence(error)}): download it again."
        ) from None
    _check_weights(name, model, told["missing_keys"])
    model.missing_weights = tuple(told["missing_keys"])
    return model


def has_learnt_pooler(model: Any) -> bool:
    """Tell whether the weights of the pooler of a model that `load_model` gave were in its folder: else chance drew
    them, as of a model that was trained to guess hidden words and never to pool."""
    return not any("pooler" in name for name in model.missing_weights)


def read_config(name: str, folder: Path) -> Any:
    """Return the configuration of the model in `folder`. Raises InputError where transformers does not know it."""
    transformers = import_transformers()
    try:
        with quiet(transformers):
            return transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except _FAULTS as error:
        raise InputError(f"encoder={name!r} cannot be loaded by transformers: {first_sentence(error)}.") from None


def _check_weights(name: str, model: nn.Module, missing: Sequence[str]) -> None:
    lacking = sorted(key for key in missing if not any(part in key for part in _MAY_BE_MISSING))
    if lacking:
        raise InputError(
            f"encoder={name!r} is not whole: {len(lacking)} of its {len(model.state_dict())} weights are missing, "
            f"{lacking[0]!r} among them; download it again."
        )
    for key, weight in model.state_dict().items():
        if weight.is_floating_point() and not bool(torch.isfinite(weight).all()):
            raise InputError(f"encoder={name!r} has weights that are not finite, in {key!r}: use another.")


def read_processor(name: str, folder: Path, kind: str) -> dict[str, Any]:
    """Return what the folder says of its "image_processor" or "feature_extractor", which prepares the input.

    Raises InputError where it says nothing.
    """
    files = ("preprocessor_config.json", "processor_config.json", "video_preprocessor_config.json")
    for file in files:
        if (folder / file).is_file():
            read = read_json(folder / file)
            found = read.get(kind, read)
            if f"{kind}_type" in found or any(key in found for key in ("size", "sampling_rate", "image_mean")):
                return found
    raise InputError(
        f"encoder={name!r} has no preprocessor_config.json, which says how its input is prepared: copy that file "
        "beside the weights, or use handful.wrap and say it yourself."
    )


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of a file of JSON. Raises InputError where it is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is damaged ({first_sentence(error)}): download the model again.") from None


def import_transformers() -> Any:
    """Return transformers. Raises InputError where it is not installed."""
    try:
        import transformers
    except ImportError:
        raise InputError("pretrained encoders need the extra 'text': pip install 'handful[text]'.") from None
    return transformers


@contextmanager
def quiet(transformers: Any) -> Iterator[None]:
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


def describe_config(config: Any) -> dict[str, Any]:
    """Return the configuration of a model as JSON values."""
    return json.loads(config.to_json_string(use_diff=False))


def config_of(described: dict[str, Any]) -> Any:
    """Return the configuration that was described."""
    rest = {name: value for name, value in described.items() if name != "model_type"}
    return import_transformers().AutoConfig.for_model(described["model_type"], **rest)


def model_class(transformers: Any, config: Any) -> Any:
    """Return the class of the model that `config` describes, None where there is none; some towers have no entry."""
    found = transformers.MODEL_MAPPING.get(type(config), None)
    return found or getattr(transformers, f"{type(config).__name__.removesuffix('Config')}Model", None)


def fast_arithmetic(training: bool) -> torch.autocast:
    """Return bfloat16 for embedding where the processor multiplies in it; training has its own precision."""
    fast = bool(torch.cpu.get_capabilities().get("avx512_bf16", False))
    return torch.autocast("cpu", torch.bfloat16, enabled=fast and not training and not torch.is_grad_enabled())


def hold_statistics(network: nn.Module) -> None:
    """Put the batch norms of `network` in evaluation mode: views in small batches have other means and variances than
    what it was trained on, and its weights fit those."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()


def first_sentence(error: BaseException) -> str:
    """Return the first sentence of what an error says, without its full stop."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).split(". ")[0].rstrip(".:")
