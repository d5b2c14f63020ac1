"""Pretrained encoders of series, from folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from pretrained_models import SOUND_MODELS, save_sound_model
from toy import toy_series

from handful import Encoder, pretrain
from handful.encoders.pretrained_series import load_series_encoder, read_evenly
from handful.errors import InputError


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A tiny PatchTST with random weights, of as many channels as the test asks for."""
    config = transformers.PatchTSTConfig(
        num_input_channels=getattr(request, "param", 1),
        context_length=32,
        patch_length=8,
        patch_stride=4,
        d_model=16,
        num_attention_heads=2,
        num_hidden_layers=1,
        ffn_dim=32,
    )
    torch.manual_seed(0)
    transformers.PatchTSTModel(config).eval().save_pretrained(tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("folder", [2], indirect=True)
def test_states_are_those_of_the_model_itself(folder: Path) -> None:
    network = load_series_encoder(folder, channels=2)
    values = torch.randn(3, 2, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        found = network({"values": values, "present": torch.ones(3, 32, dtype=torch.bool)})
        own = transformers.PatchTSTModel.from_pretrained(folder).eval()(past_values=values.transpose(1, 2))
    wanted = own.last_hidden_state.mean(2).flatten(1)
    assert found.pooled.shape == (3, network.width)
    assert torch.cosine_similarity(found.pooled, wanted).min() > 0.999


@pytest.mark.parametrize("folder", [1, 3], indirect=True)
def test_other_numbers_of_channels_and_lengths_are_read_and_saved(folder: Path, tmp_path: Path) -> None:
    data = toy_series(16)  # two channels
    encoder = pretrain(data, encoder=folder, out=tmp_path / "encoder")
    assert "taken as it is" in encoder.record["verdict"]
    again = Encoder.from_pretrained(tmp_path / "encoder")
    assert np.allclose(again.embed(data).vectors, encoder.embed(data).vectors, atol=1e-6)


def test_even_places_keep_the_ends_and_a_line() -> None:
    values, present = torch.arange(10.0)[None, None], torch.arange(10)[None] < 7
    assert torch.allclose(read_evenly(values, present, 13)[0, 0], torch.linspace(0, 6, 13))


def test_a_model_of_something_else_is_refused(tmp_path: Path) -> None:
    family = next(iter(SOUND_MODELS))
    save_sound_model(family, tmp_path)
    with pytest.raises(InputError, match="reads no series: use one of patchtst"):
        load_series_encoder(tmp_path, channels=1)
