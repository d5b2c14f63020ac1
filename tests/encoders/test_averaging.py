"""Word vectors, weighted and averaged."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from handful import Encoder, pretrain, read
from handful.encoders.averaging import AveragingEncoder
from handful.errors import InputError
from handful.modalities.text import Text

TOPICS = (
    ["goal", "keeper", "match", "referee", "stadium", "striker", "league", "penalty", "trophy", "coach"],
    ["stock", "bank", "market", "profit", "shares", "investor", "bond", "dividend", "merger", "rate"],
    ["rain", "storm", "wind", "cloud", "thunder", "forecast", "snow", "flood", "drought", "breeze"],
)


def make_texts(count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Return texts of seven words out of ten of one topic, and their topics [N]."""
    draw, topics = np.random.default_rng(0), np.arange(count) % 3
    return np.array([" ".join(draw.choice(TOPICS[topic], 7, replace=False)) for topic in topics], object), topics


def fitted() -> tuple[AveragingEncoder, Text, np.ndarray]:
    texts, _ = make_texts()
    modality = Text().adapt(texts)
    encoder = AveragingEncoder(modality.vocabulary.letters, width=16)
    encoder.fit([modality.batch(texts, np.arange(60))])
    return encoder, modality, texts


def test_vector_is_the_weighted_sum_of_its_words_at_length_one() -> None:
    encoder, modality, _ = fitted()
    words = ["goal", "storm", "match"]
    alone = encoder(modality.batch_of(words)).pooled  # the direction of each word
    sizes = torch.stack([encoder.vectors[(encoder.vectors @ word).argmax()].norm() for word in alone])
    weights = torch.stack([encoder.log_weights[(encoder.vectors @ word).argmax()].exp() for word in alone])
    expected = F.normalize((alone * (sizes * weights)[:, None]).sum(0), dim=0)
    assert torch.allclose(encoder(modality.batch_of([" ".join(words)])).pooled[0], expected, atol=1e-5)


def test_text_without_a_known_word_is_zero() -> None:
    encoder, modality, _ = fitted()
    assert not encoder(modality.batch_of(["xylophone"])).pooled.any()


def test_fitting_twice_changes_nothing() -> None:
    encoder, modality, texts = fitted()
    before = encoder.vectors.detach().clone()
    encoder.fit([modality.batch(texts, np.arange(10))], seed=1)
    assert torch.equal(encoder.vectors, before)


def test_texts_without_a_common_word_are_refused() -> None:
    texts = np.array(["goal keeper", "stock bank"], object)
    modality = Text().adapt(texts)
    with pytest.raises(InputError, match="no word occurs in two"):
        AveragingEncoder(modality.vocabulary.letters).fit([modality.batch(texts, np.arange(2))])


def nearest_of_the_same_topic(vectors: np.ndarray, topics: np.ndarray) -> float:
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -2)
    return float(np.mean(topics[np.argsort(-likeness, axis=1)[:, :40]] == topics[:, None]))


def test_simclr_learns_which_words_go_together() -> None:
    texts, topics = make_texts(240)
    words = [text.split() for text in texts]
    halves = np.array([" ".join(some[:1]) for some in words], object)  # most pairs have no word in common
    data = read(list(texts), modality="text")
    untrained, trained = (pretrain(data, method, epochs=epochs) for method, epochs in (("random", 1), ("simclr", 20)))
    asked = read(list(halves), modality="text")
    before, after = (nearest_of_the_same_topic(made.embed(asked).vectors, topics) for made in (untrained, trained))
    assert after > 0.85
    assert after > before + 0.2


def test_encoder_is_saved_and_loaded(tmp_path) -> None:
    texts, _ = make_texts()
    data = read(list(texts), modality="text")
    made = pretrain(data, "simclr", epochs=1)
    made.save_pretrained(tmp_path)
    again = Encoder.from_pretrained(tmp_path)
    np.testing.assert_allclose(again.embed(data).vectors, made.embed(data).vectors, atol=1e-5)
