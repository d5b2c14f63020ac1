"""Pretrained image and video encoders: any transformers model that reads pixels, prepared as its own processor says.

A vision transformer with a class token gives that token (DINOv2, Oquab et al. 2024; ViT), one with a pooling of its own
gives that (SigLIP's attention, CLIP's normalised class token, the mean of a convolutional network), any other the mean
of its patches (VideoMAE).
"""

from __future__ import annotations

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
    has_learnt_pooler,
    hold_statistics,
    import_transformers,
    load_model,
    model_class,
    quiet,
    read_config,
    read_processor,
)
from handful.encoders.pixels import Pixels, pixels_of
from handful.encoders.saving import Cut
from handful.errors import InputError, check_choice

IMAGE_POOLINGS = ("cls", "pooler", "mean", "cls_mean")
_AT_ONCE = 32  # images that run at a time: their activations would fill the memory
_MEAN_FAMILIES = ("beit", "data2vec-vision")  # fine-tuned on the mean of the patches


class PretrainedImage(nn.Module):
    """Maps images [B, C, H, H], or clips [B, C, T, H, H], in [-1, 1] to features [B, L, D] and one vector [B, D].

    model: the configuration of the transformers model; pixels: of what prepares images for it (`Pixels`).
    pooling: "cls", "pooler" (the model's own), "mean" of the patches, "cls_mean" (both, side by side).
    """

    causal = False

    def __init__(self, model: dict[str, Any], pixels: dict[str, Any], *, pooling: str, width: int) -> None:
        super().__init__()
        self.model: Any = _build_model(model)
        self.pixels = Pixels(**pixels)
        self.pooling, self.width, self.leading = pooling, width, n_leading(self.model)
        self.config = {"model": model, "pixels": pixels, "pooling": pooling, "width": width}

    @classmethod
    def from_config(cls, config: dict[str, Any], *, cut: Cut | None) -> PretrainedImage:
        """Return the network that `config` describes, without its weights."""
        return cls(**config)

    def forward(self, batch: torch.Tensor) -> Encoded:
        parts = [batch] if torch.is_grad_enabled() else batch.split(_AT_ONCE)
        with fast_arithmetic(self.training):
            made = [self._read(self.pixels(part)) for part in parts]
        return Encoded(*(torch.cat(side) for side in zip(*made, strict=True)))

    def train(self, mode: bool = True) -> PretrainedImage:
        """Set the mode; the statistics of batch norms stay as they came."""
        super().train(mode)
        hold_statistics(self)
        return self

    def _read(self, prepared: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return pool_places(self.model(pixel_values=prepared), self.leading, self.pooling)


def pool_places(told: Any, leading: int, pooling: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the features [B, L, D] of the places, and one vector [B, D], of what a transformers model gave.

    leading: how many tokens stand before those of the places (class token, registers).
    """
    states = told.last_hidden_state
    places = states.flatten(2).transpose(1, 2) if states.ndim == 4 else states[:, leading:]
    places = places.float()
    order = getattr(told, "ids_restore", None)  # of a masked autoencoder, which shuffles its patches
    if order is not None:
        places = places.gather(1, order[..., None].expand(-1, -1, places.shape[2]))
    if pooling == "pooler":
        return places, told.pooler_output.float().flatten(1)
    if pooling == "mean":
        return places, places.mean(1)
    first = states[:, 0].float()
    return places, first if pooling == "cls" else torch.cat([first, places.mean(1)], 1)


def n_leading(model: Any) -> int:
    """Return how many tokens stand before those of the patches."""
    if model.config.model_type == "dinov3_convnext":  # puts the mean of the places before them
        return 1
    tokens = {key.rsplit(".", 1)[-1] for key in model.state_dict()} & {"cls_token", "class_embedding"}
    extra = any(key.endswith("distillation_token") for key in model.state_dict())
    return len(tokens) + extra + (getattr(model.config, "num_register_tokens", 0) or 0) if tokens else 0


def load_image_encoder(name: str | Path, *, pooling: str = "auto", clips: bool = False) -> PretrainedImage:
    """Return the pretrained image model in the folder `name`, or of that name on the hub or in its cache.

    pooling: one of `IMAGE_POOLINGS`; "auto" takes that of the model's family. clips: a model of videos is wanted.
    Raises InputError where there is no such model, it reads no images, or does not fit its own processor.
    """
    folder = find_folder(str(name))
    model: Any = load_model(str(name), folder, partial(_choose, str(name), clips))
    processor = read_processor(str(name), folder, "image_processor")
    frames = model.config.num_frames if clips else None
    pixels = pixels_of(str(name), processor, channels=getattr(model.config, "num_channels", 3), frames=frames)
    described = describe_config(model.config)
    side = pixels.size or 0
    shape = (1, pixels.channels, *([frames] if frames else []), side, side)
    try:
        with torch.inference_mode():
            told = model.eval()(pixel_values=pixels(torch.zeros(shape)))
    except (ValueError, RuntimeError, TypeError) as error:
        raise InputError(
            f"encoder={str(name)!r} does not take what its own processor makes, images of {pixels.crop or side} pixels "
            f"({first_sentence(error)}): check that both files are of one model."
        ) from None
    pooling = _settle_pooling(str(name), model, told, pooling)
    width = pool_places(told, n_leading(model), pooling)[1].shape[1]
    network = PretrainedImage(described, pixels.config, pooling=pooling, width=width)
    network.model.load_state_dict(model.state_dict())
    return network.eval()


def image_reading(name: str | Path, *, clips: bool = False) -> dict[str, int]:
    """Return how images must be read for the pretrained model `name`: the side in pixels, of clips the frames too."""
    folder = find_folder(str(name))
    _, config = _choose(str(name), clips, import_transformers(), read_config(str(name), folder))
    size = pixels_of(str(name), read_processor(str(name), folder, "image_processor")).size
    assert size is not None
    return {"size": size, "window": int(config.num_frames)} if clips else {"size": size}


def _settle_pooling(name: str, model: Any, told: Any, pooling: str) -> str:
    has = {
        "cls": told.last_hidden_state.ndim == 3 and n_leading(model) > 0,
        "pooler": getattr(told, "pooler_output", None) is not None and has_learnt_pooler(model),
        "mean": True,
    }
    has["cls_mean"] = has["cls"]
    if pooling == "auto":
        token = any(key.endswith("cls_token") for key in model.state_dict())  # CLIP's is normalised by its pooler
        if model.config.model_type in _MEAN_FAMILIES:
            return "mean"
        return "cls" if has["cls"] and token else "pooler" if has["pooler"] else "mean"
    check_choice("pooling", pooling, ["auto", *IMAGE_POOLINGS])
    if not has[pooling]:
        fit = ", ".join(repr(word) for word in IMAGE_POOLINGS if has[word])
        why = "has the weights for" if pooling == "pooler" and not has_learnt_pooler(model) else "can give"
        raise InputError(f"pooling={pooling!r} is not what encoder={name!r} {why}: choose one of {fit}.")
    return pooling


def _choose(name: str, clips: bool, transformers: Any, config: Any) -> tuple[Any, Any]:
    config = getattr(config, "vision_config", config)  # of a model with towers for texts and images
    kind = model_class(transformers, config)
    wanted = "videos" if clips else "images"
    if getattr(kind, "main_input_name", None) != "pixel_values" or clips != hasattr(config, "num_frames"):
        raise InputError(f"encoder={name!r} is a {config.model_type}, which reads no {wanted}: use another model.")
    if clips != hasattr(config, "num_frames"):
        raise InputError(f"encoder={name!r} is a {config.model_type}, which does not read {wanted}: use another model.")
    if config.model_type == "vit_mae":
        config.mask_ratio = 0.0  # else three quarters of the patches, drawn anew each time, are not read
    return kind, config


def _build_model(described: dict[str, Any]) -> nn.Module:
    transformers, config = import_transformers(), config_of(described)
    with quiet(transformers):
        return model_class(transformers, config)(config)
