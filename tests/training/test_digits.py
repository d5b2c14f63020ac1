"""Training is worth its time: real digits, judged by neighbours whose labels the training never saw."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch.nn import functional as F
from toy import as_dataset

from handful.data import Dataset
from handful.encoders import ConvolutionalEncoder, TransformerEncoder
from handful.methods import FAMILIES, METHODS, Method
from handful.modalities.image import Image
from handful.training.embed import pooled_vectors
from handful.training.finish import fit_finish
from handful.training.loop import Schedule, train

# He et al. 2022, figure 7: what is learnt from hidden parts comes late.
EPOCHS = {"cpc": 4, "denoising": 10, "masked": 24}


def _digits(side: int) -> tuple[Dataset, np.ndarray]:
    """Return 1,000 digits of `side` pixels."""
    digits = load_digits()
    pictures = torch.from_numpy(digits.images[:1000, None] * (255 / 16)).float()
    pixels = F.interpolate(pictures, (side, side), mode="bilinear").numpy().astype(np.uint8)
    return as_dataset("image", pixels, size=side, channels=1, fit="crop"), digits.target[:1000]


def _displaced(side: int) -> tuple[Dataset, np.ndarray]:
    """Return 1,000 digits of 8 pixels, anywhere on a black square: of those in their place a network that knows regions
    finds nearly all neighbours before it is trained."""
    (digits, truth), draw = _digits(8), np.random.default_rng(0)
    pixels = np.zeros((len(truth), 1, side, side), np.uint8)
    for row, (down, across) in enumerate(draw.integers(0, side - 7, (len(truth), 2))):
        pixels[row, :, down : down + 8, across : across + 8] = digits.samples[row]
    return as_dataset("image", pixels, size=side, channels=1, fit="crop"), truth


def _method(name: str, side: int) -> Method:
    torch.manual_seed(0)
    image = Image(size=side, channels=1, flip=False)
    if name in ("masked", "cpc"):
        causal = name == "cpc"
        backbone = TransformerEncoder(
            image.token_kind, axes=2, width=48, depth=2, heads=2, causal=causal, cut=image.tokens
        )
        return METHODS[name](backbone, image)
    return METHODS[name](ConvolutionalEncoder(1, widths=(16, 32)), image)


def _neighbour_accuracy(method: Method, data: Dataset, truth: np.ndarray) -> float:
    """Return the share of samples whose nearest other sample is of their class."""
    vectors = pooled_vectors(method.network, method.modality, data.samples, np.arange(len(data)))
    finished = fit_finish(vectors, "trained")(torch.from_numpy(vectors)).numpy()
    likeness = finished @ finished.T
    np.fill_diagonal(likeness, -1)
    return float((truth[likeness.argmax(1)] == truth).mean())


@pytest.mark.parametrize("name", sorted(set(METHODS) - {"forecast"}))
def test_a_trained_encoder_has_better_neighbours_than_an_untrained_one_and_its_first_epoch(name: str) -> None:
    side = {"cpc": 16, **dict.fromkeys(FAMILIES["contrastive"], 12)}.get(name, 8)  # cpc: four rows of parts are few
    data, truth = _displaced(side) if name in FAMILIES["contrastive"] else _digits(side)
    method, found = _method(name, side), {}
    found["untrained"] = _neighbour_accuracy(method, data, truth)
    schedule = Schedule(epochs=EPOCHS.get(name, 6), batch_size=50, precision="no", learning_rate=2e-3)

    def look(line: dict[str, Any]) -> None:
        if line["epoch"] in (1, schedule.epochs):
            found[line["epoch"]] = _neighbour_accuracy(method, data, truth)

    train(method, data, schedule, on_epoch=look)
    assert found[schedule.epochs] > max(found["untrained"], found[1])
