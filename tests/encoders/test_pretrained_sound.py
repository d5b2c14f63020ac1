"""Pretrained sound encoders of every family, from folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from pretrained_models import SOUND_MODELS, save_sound_model, transformers
from toy import toy_sounds

from handful import Encoder, pretrain
from handful.encoders.pretrained_sound import Extractor, PretrainedSound, load_sound_encoder, sound_reading
from handful.errors import InputError


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    return {family: save_sound_model(family, root / family) for family in SOUND_MODELS}


def _waves(rate: int, lengths: tuple[float, ...] = (1.0, 0.6, 0.31)) -> list[np.ndarray]:
    draw = np.random.default_rng(0)
    return [draw.normal(0, 0.1, int(seconds * rate)).astype(np.float32) for seconds in lengths]


def _vectors(network: PretrainedSound, extractor: Extractor, waves: list[np.ndarray]) -> torch.Tensor:
    with torch.inference_mode():
        return network({"heard": extractor(waves)}).pooled


@pytest.mark.parametrize("family", SOUND_MODELS)
def test_a_sound_does_not_depend_on_its_batch(folders: dict[str, Path], family: str) -> None:
    network, extractor = load_sound_encoder(folders[family])
    waves = _waves(extractor.rate)
    together = _vectors(network, extractor, waves)
    alone = torch.cat([_vectors(network, extractor, [wave]) for wave in waves])
    assert together.shape == (3, network.width)
    assert network.pooling == SOUND_MODELS[family][2]
    assert (torch.cosine_similarity(together, alone) > 0.999).all()


def test_every_family_was_seen() -> None:
    assert len(SOUND_MODELS) >= 6


@pytest.mark.parametrize("family", ["wav2vec2", "ast"])
def test_vector_of_one_sound_is_that_of_the_model_itself(folders: dict[str, Path], family: str) -> None:
    network, extractor = load_sound_encoder(folders[family])
    waves = _waves(extractor.rate, (1.0,))
    own = transformers.AutoFeatureExtractor.from_pretrained(folders[family])
    given = own(waves, sampling_rate=own.sampling_rate, return_tensors="pt")
    with torch.inference_mode():
        told = transformers.AutoModel.from_pretrained(folders[family]).eval()(given["input_values"])
    wanted = told.pooler_output if family == "ast" else told.last_hidden_state.mean(1)
    assert torch.cosine_similarity(_vectors(network, extractor, waves), wanted) > 0.999


def test_silence_that_fills_a_window_is_not_averaged(folders: dict[str, Path]) -> None:
    network, extractor = load_sound_encoder(folders["whisper"])
    wave = _waves(extractor.rate, (1.0,))[0]
    with torch.inference_mode():
        encoded = network({"heard": extractor([wave])})
    heard = encoded.features.abs().sum(2)[0] > 0
    assert 45 <= int(heard.sum()) <= 55  # of 100 frames for two seconds
    assert torch.allclose(encoded.pooled[0], encoded.features[0, heard].mean(0), atol=1e-5)


def test_encoder_is_saved_and_loaded_with_its_extractor(folders: dict[str, Path], tmp_path: Path) -> None:
    data = toy_sounds(16)
    encoder = pretrain(data, encoder=folders["hubert"], out=tmp_path)
    assert "taken as it is" in encoder.record["verdict"]
    again = Encoder.from_pretrained(tmp_path)
    assert np.allclose(again.embed(data).vectors, encoder.embed(data).vectors, atol=1e-6)


def test_cepstra_stand_beside_a_pretrained_network(folders: dict[str, Path]) -> None:
    encoder = pretrain(toy_sounds(16), "mfcc+pretrained", folders["wav2vec2"])
    assert list(encoder.networks) == ["mfcc", "pretrained"]


def test_rate_to_read_is_that_of_the_extractor(folders: dict[str, Path]) -> None:
    assert sound_reading(folders["clap"]) == {"rate": 48_000}


def test_training_on_views_is_refused(folders: dict[str, Path]) -> None:
    with pytest.raises(InputError, match="a pretrained sound encoder is taken as it is"):
        pretrain(toy_sounds(16), "simclr", folders["hubert"], epochs=1, precision="no")
