"""Pretrained image and video encoders of every family, from folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from pretrained_models import IMAGE_MODELS, SIDE, save_image_model, save_video_model, transformers
from toy import toy_images, toy_videos

from handful import Encoder, pretrain
from handful.encoders.pretrained_image import image_reading, load_image_encoder
from handful.errors import InputError

# The families' own class of the part that reads images, where the folder holds a text tower as well.
TOWERS = {"siglip_with_texts": "SiglipVisionModel", "clip_with_texts": "CLIPVisionModel"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    return {family: save_image_model(family, root / family) for family in IMAGE_MODELS}


@pytest.fixture(scope="module")
def vit(folders: dict[str, Path]) -> Path:
    return folders["vit"]


def _images(n: int = 3, side: int = SIDE, channels: int = 3) -> torch.Tensor:
    return torch.rand(n, channels, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1


def _wanted(folder: Path, family: str, images: torch.Tensor) -> torch.Tensor:
    """Return what the model itself gives for images scaled by ImageNet's mean and deviation."""
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    kind = getattr(transformers, TOWERS.get(family, "AutoModel"))
    whole = {"mask_ratio": 0.0} if family == "vit_mae" else {}
    told = kind.from_pretrained(folder, **whole).eval()(pixel_values=((images + 1) / 2 - mean) / std)
    return told.last_hidden_state[:, 0] if IMAGE_MODELS[family][1] == "cls" else told.pooler_output.flatten(1)


@pytest.mark.parametrize("family", IMAGE_MODELS)
def test_vectors_are_those_of_the_model_itself(folders: dict[str, Path], family: str) -> None:
    network = load_image_encoder(folders[family])
    assert network.pooling == IMAGE_MODELS[family][1]
    wanted = _wanted(folders[family], family, _images())
    encoded = network(_images())  # with gradients, so in full precision
    assert encoded.pooled.shape == (3, network.width)
    assert encoded.features.shape[::2] == (3, wanted.shape[1])
    assert float(wanted.detach().abs().mean()) > 1e-3
    assert torch.allclose(encoded.pooled, wanted, rtol=1e-3, atol=1e-4)


def test_every_family_was_seen() -> None:
    assert len(IMAGE_MODELS) >= 12


@pytest.mark.parametrize("family", ["dinov3", "clip", "resnet"])
def test_encoder_is_saved_and_loaded_with_its_weights(folders: dict[str, Path], tmp_path: Path, family: str) -> None:
    data = toy_images(24)
    encoder = pretrain(data, encoder=folders[family], out=tmp_path)
    again = Encoder.from_pretrained(tmp_path)
    assert np.allclose(again.embed(data).vectors, encoder.embed(data).vectors, atol=1e-6)
    assert "taken as it is" in encoder.record["verdict"]


def test_mean_leaves_class_token_and_registers_out(folders: dict[str, Path]) -> None:
    network = load_image_encoder(folders["dinov3"], pooling="mean")
    with torch.inference_mode():
        encoded = network(_images())
    assert encoded.features.shape[1] == (SIDE // 16) ** 2
    assert torch.allclose(encoded.pooled, encoded.features.mean(1), atol=1e-5)


def test_class_token_and_mean_stand_side_by_side(vit: Path) -> None:
    made = {name: load_image_encoder(vit, pooling=name) for name in ("cls", "mean", "cls_mean")}
    with torch.inference_mode():
        cls, mean, both = (network(_images()).pooled for network in made.values())
    assert torch.equal(both, torch.cat([cls, mean], 1))


def test_images_of_another_size_or_grey_are_brought_to_the_models(vit: Path) -> None:
    network = load_image_encoder(vit)
    grey = _images(2, side=20, channels=1)
    with torch.inference_mode():
        assert torch.equal(network(grey).pooled, network(grey.expand(-1, 3, -1, -1)).pooled)


@pytest.mark.parametrize("family", ["vit", "vit_mae"])
def test_a_vector_does_not_depend_on_the_batch(folders: dict[str, Path], family: str) -> None:
    network = load_image_encoder(folders[family])
    images = _images(40)
    with torch.inference_mode():
        together, alone = network(images).pooled, torch.cat([network(image[None]).pooled for image in images])
    assert (torch.cosine_similarity(together, alone) > 0.999).all()


def test_training_goes_on_from_the_pretrained_weights(vit: Path) -> None:
    encoder = pretrain(toy_images(32), "simclr", vit, epochs=1, batch_size=16, precision="no")
    before = load_image_encoder(vit).model.state_dict()
    after = encoder.networks["simclr"].model.state_dict()
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_gradients_stand_beside_a_pretrained_network(vit: Path) -> None:
    encoder = pretrain(toy_images(32), "gradients+pretrained", vit)
    assert list(encoder.networks) == ["gradients", "pretrained"]
    assert "beside gradients" in encoder.record["verdict"]


def test_clips_are_read_by_a_video_model(tmp_path: Path) -> None:
    folder, data = save_video_model(tmp_path), toy_videos(12)
    assert image_reading(folder, clips=True) == {"size": SIDE, "window": 4}
    assert pretrain(data, encoder=folder).embed(data).vectors.shape[0] == 12


def test_image_model_reads_no_clips(vit: Path) -> None:
    with pytest.raises(InputError, match="is a vit, which reads no videos"):
        load_image_encoder(vit, clips=True)


def test_patches_of_a_masked_autoencoder_stay_in_their_order(folders: dict[str, Path]) -> None:
    network = load_image_encoder(folders["vit_mae"])
    with torch.inference_mode():
        first, second = network(_images()).features, network(_images()).features
    assert torch.allclose(first, second, atol=0.05)
