"""Gaps in texts."""

from __future__ import annotations

import numpy as np
import pytest
from toy import as_dataset, toy_images

from handful import Encoder, pretrain
from handful.data import Dataset
from handful.encoders import TransformerEncoder
from handful.errors import InputError
from handful.modalities.text import Text
from handful.tasks import fill


def _menus(n: int = 256) -> Dataset:
    """Return sentences in which the drink says the meal."""
    meals = {"coffee": "breakfast", "wine": "dinner", "juice": "lunch"}
    draw = np.random.default_rng(0)
    drinks = draw.choice(list(meals), n)
    return as_dataset("text", np.array([f"we had {drink} with our {meals[drink]} today" for drink in drinks], object))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    data = _menus()
    texts = Text().adapt(data.samples)
    small = TransformerEncoder(texts.token_kind, axes=1, width=48, depth=2, heads=2, rotary=True, cut=texts.tokens)
    return pretrain(data, "masked", small, epochs=30, batch_size=32, learning_rate=5e-3, precision="no")


def test_gap_is_filled_from_the_words_around_it(encoder: Encoder) -> None:
    found = fill(encoder, "we had wine with our [MASK] today")
    assert found.text == "we had wine with our dinner today"
    assert found.guesses[0][0][1] > 0.5


def test_every_gap_has_its_guesses_best_first(encoder: Encoder) -> None:
    found = fill(encoder, "we [MASK] coffee with our [MASK] today", n=3)
    assert found.text == "we had coffee with our breakfast today"
    assert [len(gap) for gap in found.guesses] == [3, 3]
    shares = [share for _, share in found.guesses[1]]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) <= 1 + 1e-6


def test_saved_encoder_fills_as_before(encoder: Encoder, tmp_path) -> None:
    encoder.save_pretrained(tmp_path)
    text = "we had juice with our [MASK] today"
    assert fill(Encoder.from_pretrained(tmp_path), text).guesses == fill(encoder, text).guesses


def test_what_cannot_be_filled_is_one_sentence(encoder: Encoder) -> None:
    with pytest.raises(InputError, match="must have a gap written as"):
        fill(encoder, "no gap here")
    with pytest.raises(InputError, match="has not learnt to fill gaps: pretrain with method 'masked'"):
        fill(pretrain(_menus(40), "tfidf"), "a [MASK]")
    with pytest.raises(InputError, match="this encoder reads image"):
        fill(pretrain(toy_images(40), "pca"), "a [MASK]")
