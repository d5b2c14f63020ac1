"""Clean copies of samples."""

from __future__ import annotations

import numpy as np
import pytest
from toy import as_dataset, toy_images

from handful import pretrain
from handful.data import Dataset
from handful.encoders import ConvolutionalEncoder
from handful.errors import InputError
from handful.tasks import denoise


def _noisy(data: Dataset, sigma: float) -> Dataset:
    noise = np.random.default_rng(5).normal(0, 127.5 * sigma, data.samples.shape)
    return as_dataset("image", (data.samples + noise).clip(0, 255).astype(np.uint8), **data.settings)


def _scaled(data: Dataset) -> np.ndarray:
    return data.samples / 127.5 - 1


def test_copies_are_cleaner_than_what_was_given() -> None:
    data = toy_images(192, channels=1)
    network = ConvolutionalEncoder(1, widths=(16, 32))
    encoder = pretrain(data, "denoising", network, epochs=15, batch_size=32, learning_rate=4e-3, precision="no")
    other = toy_images(24, channels=1, seed=9)
    noisy = _noisy(other, 0.6)
    before = np.square(_scaled(noisy) - _scaled(other)).mean()
    after = np.square(denoise(encoder, noisy) - _scaled(other)).mean()
    assert after < 0.5 * before


def test_some_rows_are_cleaned_as_all_are_and_progress_is_told() -> None:
    data, told = toy_images(20), []
    encoder = pretrain(data, "denoising", epochs=1, batch_size=4, precision="no")
    whole = denoise(encoder, data, batch_size=8, progress=lambda done, total: told.append((done, total)))
    assert whole.shape == (20, 3, 12, 12)
    assert told == [(8, 20), (16, 20), (20, 20)]
    assert np.allclose(denoise(encoder, data, rows=np.array([3, 7])), whole[[3, 7]], atol=1e-5)


def test_an_encoder_that_gives_nothing_back_is_refused() -> None:
    encoder = pretrain(toy_images(), "pca")
    with pytest.raises(InputError, match="an encoder of pca gives nothing back in full resolution: pretrain with"):
        denoise(encoder, toy_images())
