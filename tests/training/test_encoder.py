"""Saving, loading, blocks, and what an encoder refuses to read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from toy import TOYS, as_dataset, toy_images

from handful import pretrain
from handful.encoders import ConvolutionalEncoder
from handful.errors import InputError
from handful.training import Encoder


def _encoder(method: str = "simclr") -> Encoder:
    return pretrain(toy_images(), method, epochs=1, batch_size=32, precision="no")


@pytest.mark.parametrize("method", ["simclr", "masked", "vae", "denoising", "forecast", "untrained", "random"])
def test_a_saved_encoder_embeds_alike(tmp_path: Path, method: str) -> None:
    encoder = _encoder(method)
    encoder.save_pretrained(tmp_path)
    again = Encoder.from_pretrained(tmp_path)
    data = toy_images(20, seed=1)
    assert np.array_equal(again.embed(data).vectors, encoder.embed(data).vectors)
    assert again.record == json.loads(json.dumps(encoder.record))
    assert again.blocks == encoder.blocks


@pytest.mark.parametrize("kind", TOYS)
def test_what_is_fitted_to_the_data_is_saved_for_every_kind(tmp_path: Path, kind: str) -> None:
    data = TOYS[kind]()
    encoder = pretrain(data, "untrained")
    encoder.save_pretrained(tmp_path)
    assert np.array_equal(Encoder.from_pretrained(tmp_path).embed(data).vectors, encoder.embed(data).vectors)


def test_rows_of_every_block_have_length_one() -> None:
    embeddings = _encoder("untrained").embed(toy_images())
    assert list(embeddings.blocks) == ["pca", "gradients"]
    for name in embeddings.blocks:
        assert np.allclose(np.linalg.norm(embeddings.block(name), axis=1), 1, atol=1e-5)
    with pytest.raises(InputError, match="'colour' is not a block of these embeddings: they hold pca, gradients"):
        embeddings.block("colour")


def test_some_rows_are_embedded_as_all_are() -> None:
    encoder, rows = _encoder(), np.array([3, 50, 4])
    whole, some = encoder.embed(toy_images()), encoder.embed(toy_images(), rows=rows, batch_size=2)
    assert np.allclose(whole.vectors[rows], some.vectors, atol=1e-5)
    assert some.ids.tolist() == ["item-3", "item-50", "item-4"]


def test_forward_gives_features_and_all_blocks_side_by_side() -> None:
    encoder = _encoder()
    batch = encoder.modality.batch(toy_images().samples, np.arange(5))
    encoded = encoder(batch)
    assert encoded.pooled.shape == (5, sum(block.stop - block.start for block in encoder.blocks.values()))
    assert encoded.features.ndim == 3


def test_data_of_another_kind_or_size_is_refused() -> None:
    encoder = _encoder("pca")
    with pytest.raises(InputError, match="the encoder reads image, the data is table: pretrain on it"):
        encoder.embed(as_dataset("table", np.zeros((3, 2))))
    with pytest.raises(InputError, match=r"the encoder reads image with .*'size': 12.*the data has .*'size': 20"):
        encoder.embed(toy_images(size=20))


def test_a_folder_without_an_encoder_or_of_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no encoder: config\.json is missing"):
        Encoder.from_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"format": 99}')
    with pytest.raises(InputError, match="is of format 99, this version reads 1"):
        Encoder.from_pretrained(tmp_path)


def test_ones_own_network_is_trained_and_saved(tmp_path: Path) -> None:
    network = ConvolutionalEncoder(3, widths=(4, 8))
    before = network.stem.weight.detach().clone()
    encoder = pretrain(toy_images(), "simclr", network, epochs=1, batch_size=32, out=tmp_path / "encoder")
    assert not torch.equal(before, network.stem.weight)
    assert Encoder.from_pretrained(tmp_path / "encoder").embed(toy_images()).vectors.shape == (96, 32)  # four regions
    assert encoder.networks["simclr"].backbone is network


def test_the_model_card_says_how_it_was_made_and_how_it_went(tmp_path: Path) -> None:
    encoder = _encoder()
    encoder.save_pretrained(tmp_path)
    card = (tmp_path / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: handful\n")
    assert "- size: 12" in card
    assert "- method: simclr" in card
    assert encoder.record["verdict"] in card
    assert f"| 1 | {encoder.record['history'][0]['loss']:.3g} |" in card


def test_an_encoder_without_training_has_a_card_too(tmp_path: Path) -> None:
    _encoder("pca").save_pretrained(tmp_path)
    assert "Representations side by side: pca" in (tmp_path / "README.md").read_text()


def test_what_was_made_while_fitting_is_what_embedding_makes() -> None:
    data = toy_images()
    encoder = pretrain(data, "untrained")
    at_once, anew = encoder.embed(data, rows=np.arange(5, 30)), encoder.embed(data, rows=np.arange(5, 30))
    assert np.allclose(at_once.vectors, anew.vectors, atol=1e-6)
