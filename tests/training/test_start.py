"""What stands beside a network that was trained elsewhere, and how much each counts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from toy import toy_images

import handful
from handful.encoders.standardise import Standardise
from handful.modalities.image import Image
from handful.training.encoder import Encoder
from handful.training.start import plan, settle


def _given() -> torch.nn.Module:
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 12 * 12, 16))
    return handful.wrap(network, size=12)


def test_untrained_ones_stand_beside_it_and_count_less() -> None:
    taken = handful.pretrain(toy_images(32), encoder=_given())
    assert taken.counts == {"gradients": 1.0, "pca": 0.25, "pretrained": 4.0}
    assert "beside gradients, pca" in taken.record["verdict"]


def test_it_stands_alone_where_that_is_asked_for() -> None:
    assert list(handful.pretrain(toy_images(32), "pretrained", _given()).networks) == ["pretrained"]


def test_what_goes_on_from_it_is_set_beside_it() -> None:
    data, given = toy_images(32), _given()
    assert plan(settle(data, "simclr", given)) == ["pretrained", "simclr"]
    assert plan(settle(data, "auto", given, epochs=1)) == ["pca", "gradients", "pretrained", "simclr"]
    assert plan(settle(data, "auto", None, epochs=1)) == ["pca", "gradients", "simclr"]


def test_what_goes_on_from_it_counts_as_much_as_it_does() -> None:
    modality = settle(toy_images(32), "pca", None).modality
    vectors = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)
    finish = Standardise.fit(vectors, components=4)

    def counts(*names: str) -> dict[str, float]:
        return Encoder(dict.fromkeys(names, torch.nn.Identity()), dict.fromkeys(names, finish), modality).counts

    assert counts("gradients", "pretrained", "simclr") == {"gradients": 1.0, "pretrained": 4.0, "simclr": 4.0}
    assert counts("gradients", "simclr") == {"gradients": 1.0, "simclr": 0.125}
    modality = Image(size=12, channels=1)
    assert counts("gradients", "simclr") == {"gradients": 1.0, "simclr": 0.5}
    assert counts("pretrained", "random") == {}


@pytest.mark.parametrize(
    ("method", "side", "size"), [("simclr", 24, 32), ("denoising", 24, 21), ("denoising", 64, 16), ("denoising", 8, 32)]
)
def test_large_samples_go_few_at_a_time_where_each_number_is_a_target(method: str, side: int, size: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (1024, 1, side, side), np.uint8)
    encoder = handful.pretrain(handful.read(pixels), method, epochs=0)
    assert encoder.record["identity"]["schedule"]["batch_size"] == size


def test_a_batch_size_that_is_asked_for_is_taken() -> None:
    encoder = handful.pretrain(toy_images(64), "denoising", epochs=0, batch_size=48)
    assert encoder.record["identity"]["schedule"]["batch_size"] == 48
