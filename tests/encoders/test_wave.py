"""The network that reads waveforms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from toy import toy_sounds

import handful
from handful.encoders.wave import WaveEncoder, find_strides
from handful.errors import InputError
from handful.methods.predictive import CPC, tell_apart


def test_strides_are_those_of_the_paper_at_16_kilohertz_and_factors_elsewhere() -> None:
    assert find_strides(160) == [5, 4, 2, 2, 2]
    for part in (1, 7, 40, 80, 110, 441):
        assert math.prod(find_strides(part)) == part


def test_no_feature_knows_what_comes_after_its_part() -> None:
    data = toy_sounds(4)
    sounds, network = handful.pretrain(data, encoder="wave", epochs=0).modality, WaveEncoder(40)
    tokens = sounds.tokens(sounds.batch(data.samples, np.arange(4)))
    later = tokens.values.clone()
    later[:, 9:] += 1
    with torch.inference_mode():
        changed = (network(tokens._replace(values=later)).features - network(tokens).features).abs().amax((0, 2))
    assert float(changed[:9].max()) < 1e-6
    assert float(changed[9]) > 1e-4


def test_the_loss_is_the_paper_s_written_slowly() -> None:
    draw = torch.Generator().manual_seed(0)
    guesses, codes = torch.randn(6, 8, generator=draw), torch.randn(6, 8, generator=draw)
    slow = 0.0
    for row in range(6):
        odds = [math.exp(float(torch.cosine_similarity(guesses[row], codes[other], dim=0)) / 0.2) for other in range(6)]
        slow -= math.log(odds[row] / sum(odds)) / 6
    assert float(tell_apart(guesses, codes, temperature=0.2)) == pytest.approx(slow, abs=1e-5)


def test_cpc_on_waveforms_falls_below_chance_and_is_saved(tmp_path) -> None:
    data = toy_sounds(48)
    encoder = handful.pretrain(data, encoder="wave", epochs=6, batch_size=16, learning_rate=3e-3, precision="no")
    assert list(encoder.networks) == ["cpc"]
    losses = [line["loss"] for line in encoder.record["history"]]
    assert losses[-1] < losses[0]
    encoder.save_pretrained(tmp_path)
    again = handful.Encoder.from_pretrained(tmp_path)
    assert np.allclose(again.embed(data).vectors, encoder.embed(data).vectors, atol=1e-5)


def test_views_of_waveforms_are_refused() -> None:
    with pytest.raises(InputError, match="random views are made of mel frames"):
        handful.pretrain(toy_sounds(12), "simclr", "wave", epochs=1, precision="no")


def test_a_sound_does_not_depend_on_its_batch() -> None:
    data = toy_sounds(6)
    encoder = handful.pretrain(data, encoder="wave", epochs=0)
    sounds, network = encoder.modality, encoder.networks["cpc"]
    with torch.inference_mode():
        together = network(sounds.batch(data.samples, np.arange(6))).pooled
        alone = [network(sounds.batch(data.samples, np.array([row]))).pooled for row in range(6)]
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)
    assert isinstance(CPC(network.backbone, sounds).backbone, WaveEncoder)
