"""Training is worth its time: real digits, judged by neighbours whose labels the training never saw."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from toy import as_dataset

from handful.data import Dataset
from handful.encoders import ConvolutionalEncoder
from handful.encoders.standardise import Standardise
from handful.methods import METHODS
from handful.modalities.image import Image
from handful.training.embed import pooled_vectors
from handful.training.loop import Schedule, train


def _digits() -> tuple[Dataset, np.ndarray]:
    digits = load_digits()
    pictures = (digits.images * (255 / 16)).astype(np.uint8)[:, None]
    return as_dataset("image", pictures, size=8, channels=1, fit="crop"), digits.target


def _neighbour_accuracy(network: torch.nn.Module, modality: Image, data: Dataset, truth: np.ndarray) -> float:
    """Return the share of samples whose nearest other sample is of their class."""
    vectors = pooled_vectors(network, modality, data.samples, np.arange(len(data)))
    finished = Standardise.fit(vectors, components=64, ridge=0.01)(torch.from_numpy(vectors)).numpy()
    likeness = finished @ finished.T
    np.fill_diagonal(likeness, -1)
    return float((truth[likeness.argmax(1)] == truth).mean())


@pytest.mark.parametrize("name", ["simclr", "sigreg", "autoencoder", "vae"])
def test_a_trained_encoder_has_better_neighbours_than_an_untrained_one(name: str) -> None:
    data, truth = _digits()
    modality = Image(size=8, channels=1, flip=False)
    torch.manual_seed(0)
    method = METHODS[name](ConvolutionalEncoder(1, widths=(16, 32)), modality)
    untrained = _neighbour_accuracy(method.network, modality, data, truth)
    train(method, data, Schedule(epochs=6, batch_size=64, precision="no", learning_rate=2e-3))
    assert _neighbour_accuracy(method.network, modality, data, truth) > untrained + 0.01
