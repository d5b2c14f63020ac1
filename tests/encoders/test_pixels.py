"""Images are prepared as transformers' own processors prepare them."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
import torch
from pictures import picture
from PIL import Image

from handful.encoders.pixels import Pixels, pixels_of
from handful.errors import InputError

IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
PROCESSORS = {
    "vit": ("ViTImageProcessorPil", {"size": {"height": 24, "width": 24}, "resample": 2}),
    "clip": ("CLIPImageProcessorPil", {"size": {"shortest_edge": 30}, "crop_size": 24, "do_center_crop": True}),
    "convnext": ("ConvNextImageProcessorPil", {"size": {"shortest_edge": 24}, "crop_pct": 0.8, **IMAGENET}),
    "mobilenet_v2": ("MobileNetV2ImageProcessorPil", {"size": {"shortest_edge": 28}, "crop_size": 24, "resample": 2}),
    "efficientnet": ("EfficientNetImageProcessorPil", {"size": {"height": 24, "width": 24}, "resample": 3, **IMAGENET}),
    "siglip": ("SiglipImageProcessorPil", {"size": {"height": 24, "width": 24}, "resample": 3}),
}


def _as_batch(image: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)[None].float() / 127.5 - 1


@pytest.mark.parametrize("family", PROCESSORS)
def test_images_are_prepared_as_the_processor_does(family: str) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    name, settings = PROCESSORS[family]
    module = importlib.import_module(f"transformers.models.{family}.image_processing_pil_{family}")
    processor: Any = getattr(module, name)(**settings)
    image = picture(1, (48, 48))
    wanted = processor(image, return_tensors="pt")["pixel_values"]
    made = pixels_of(family, processor.to_dict())(_as_batch(image))
    assert made.shape == wanted.shape == (1, 3, 24, 24)
    assert float((made - wanted).abs().mean()) < 0.03 * float(wanted.std())
    assert transformers.__version__


def test_old_processors_say_one_number_for_a_size() -> None:
    pixels = pixels_of("old", {"size": 24, "do_center_crop": True, "crop_size": 20, "resample": 2})
    assert (pixels.size, pixels.crop, pixels.resample) == (24, 20, "bilinear")


def test_values_from_minus_one_to_one_become_those_that_are_wanted() -> None:
    made = Pixels(mean=0.5, std=0.25)(torch.tensor([-1.0, 0.0, 1.0]).view(3, 1, 1, 1).expand(-1, 3, 2, 2))
    assert made[:, 0, 0, 0].tolist() == [-2.0, 0.0, 2.0]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"size": 0}, "size must be a number of at least 1"),
        ({"size": 16, "crop": 24}, "crop=24 must not be larger than size=16"),
        ({"mean": [0.5, 0.5]}, "mean must be one number or one for each of the 3 channels"),
        ({"std": 0.0}, "std must be above 0"),
        ({"resample": "cubic"}, "resample='cubic' is not known"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Pixels(**settings)
