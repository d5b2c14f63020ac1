"""Tiny pretrained models of every family, their weights drawn at random, in folders as transformers writes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

transformers = pytest.importorskip("transformers", reason="transformers is not installed")
SIDE = 32
_SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
_PATCHES = {**_SMALL, "image_size": SIDE, "patch_size": 16}
_DINO = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "mlp_ratio": 2, "patch_size": 14}
_STAGES = {"hidden_sizes": [8, 8, 16, 16], "depths": [1, 1, 1, 1]}
_TEXT_TOWER = {**_SMALL, "vocab_size": 50, "bos_token_id": 1, "eos_token_id": 2}
_WAVES = {**_SMALL, "conv_dim": [8] * 7, "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2}
PROCESSOR = {
    "do_resize": True,
    "size": {"height": SIDE, "width": SIDE},
    "resample": 3,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}


def _model(name: str, **config: Any) -> Callable[[], Any]:
    return lambda: getattr(transformers, f"{name}Model")(getattr(transformers, f"{name}Config")(**config))


def _towers(name: str, **config: Any) -> Callable[[], Any]:
    return _model(name, text_config=_TEXT_TOWER, **config)


IMAGE_MODELS: dict[str, tuple[Callable[[], Any], str]] = {
    "dinov2": (_model("Dinov2", **_DINO, image_size=28), "cls"),
    "dinov2_with_registers": (_model("Dinov2WithRegisters", **_DINO, image_size=28), "cls"),
    "dinov3": (_model("DINOv3ViT", **_PATCHES, num_register_tokens=2), "cls"),
    "dinov3_convnext": (_model("DINOv3ConvNext", **_STAGES), "pooler"),
    "siglip": (_model("SiglipVision", **_PATCHES), "pooler"),
    "siglip_with_texts": (_towers("Siglip", vision_config=_PATCHES), "pooler"),
    "clip": (_model("CLIPVision", **_PATCHES), "pooler"),
    "clip_with_texts": (_towers("CLIP", vision_config=_PATCHES), "pooler"),
    "vit": (_model("ViT", **_PATCHES), "cls"),
    "vit_mae": (_model("ViTMAE", **_PATCHES), "cls"),
    "convnext": (_model("ConvNext", **_STAGES), "pooler"),
    "resnet": (_model("ResNet", embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1]), "pooler"),
    "mobilenet": (_model("MobileNetV2", depth_multiplier=0.25, min_depth=4, initializer_range=1.0), "pooler"),
    "efficientnet": (
        _model("EfficientNet", width_coefficient=0.2, depth_coefficient=0.1, hidden_dim=256, initializer_range=1.0),
        "pooler",
    ),
}
"""How to make a model of each family, and the pooling that is its own."""

SOUND_MODELS: dict[str, tuple[Callable[[], Any], Callable[[], Any], str]] = {
    "wav2vec2": (_model("Wav2Vec2", **_WAVES), lambda: transformers.Wav2Vec2FeatureExtractor(), "mean"),
    "wav2vec2_layers": (
        _model("Wav2Vec2", **_WAVES, feat_extract_norm="layer", do_stable_layer_norm=True),
        lambda: transformers.Wav2Vec2FeatureExtractor(return_attention_mask=True),
        "mean",
    ),
    "hubert": (_model("Hubert", **_WAVES), lambda: transformers.Wav2Vec2FeatureExtractor(), "mean"),
    "ast": (
        _model("AST", **_SMALL, max_length=64, num_mel_bins=16, patch_size=8, frequency_stride=8, time_stride=8),
        lambda: transformers.ASTFeatureExtractor(max_length=64, num_mel_bins=16),
        "pooler",
    ),
    "whisper": (
        _model(
            "Whisper",
            vocab_size=50,
            pad_token_id=1,
            bos_token_id=1,
            eos_token_id=1,
            decoder_start_token_id=1,
            **{f"{side}_layers": 1 for side in ("encoder", "decoder")},
            **{f"{side}_attention_heads": 2 for side in ("encoder", "decoder")},
            **{f"{side}_ffn_dim": 16 for side in ("encoder", "decoder")},
            d_model=16,
            num_mel_bins=16,
            max_source_positions=100,
        ),
        lambda: transformers.WhisperFeatureExtractor(feature_size=16, chunk_length=2),
        "mean",
    ),
    "clap": (
        _towers(
            "Clap",
            audio_config={
                "window_size": 4,
                "num_mel_bins": 16,
                "spec_size": 64,
                "patch_embeds_hidden_size": 8,
                "hidden_size": 16,
                "depths": [1, 1],
                "num_attention_heads": [1, 2],
                "patch_stride": [4, 4],
            },
        ),
        lambda: transformers.ClapFeatureExtractor(feature_size=16, max_length_s=2, truncation="rand_trunc"),
        "pooler",
    ),
}
"""How to make a model of each family and its feature extractor, and the pooling that is its own."""


def _save(model: Any, folder: Path) -> None:
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    model.save_pretrained(folder)


def _settle_statistics(model: Any) -> None:
    """Give batch normalisation the statistics of some images: without, deep networks let nothing through."""
    layers = [layer for layer in model.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    for layer in layers:
        layer.momentum = 1.0
    if layers:
        with torch.no_grad():
            model.train()(pixel_values=torch.randn(16, 3, SIDE, SIDE))


def save_image_model(family: str, folder: Path, **processor: Any) -> Path:
    """Save a model of a family with a processor for 32 pixels, changed by `processor`, and return its folder."""
    torch.manual_seed(0)
    model = IMAGE_MODELS[family][0]()
    _settle_statistics(model)
    _save(model, folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({**PROCESSOR, **processor}))
    return folder


def save_video_model(folder: Path) -> Path:
    """Save a tiny VideoMAE of four frames and return its folder."""
    torch.manual_seed(0)
    _save(_model("VideoMAE", **_PATCHES, num_frames=4)(), folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
    return folder


def save_sound_model(family: str, folder: Path) -> Path:
    """Save a model of a family with its feature extractor and return its folder."""
    torch.manual_seed(0)
    model, extractor, _ = SOUND_MODELS[family]
    _save(model(), folder)
    extractor().save_pretrained(folder)
    return folder
