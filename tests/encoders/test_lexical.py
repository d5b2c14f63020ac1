"""TF-IDF of words as an encoder."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from toy import as_dataset, toy_texts

from handful import Encoder, pretrain
from handful.encoders.lexical import LexicalEncoder, text_terms
from handful.errors import InputError
from handful.modalities.text import Text


def _reports() -> np.ndarray:
    draw = np.random.default_rng(0)
    words = [f"{first}{second}" for first in ("wind", "goal", "bank", "star") for second in "abcdefghij"]
    return np.array([" ".join(draw.choice(words, 12)) for _ in range(60)], object)


def test_terms_are_the_words_whatever_their_pieces() -> None:
    texts = np.array(["unbelievable wind, and wind again: a 7", "wind unbelievable"], object)
    modality = Text().adapt(texts)
    batch = modality.batch(texts, np.arange(2))
    row, term = text_terms(batch, modality.vocabulary.letters)
    assert torch.bincount(row).tolist() == [5, 2]  # the letter, the digit and the signs are no words
    assert set(term[row == 1].tolist()) < set(term[row == 0].tolist())
    assert len(set(term.tolist())) == 4


def test_likeness_is_that_of_tfidf_where_all_directions_are_kept() -> None:
    texts = _reports()
    modality = Text().adapt(texts)
    encoder = LexicalEncoder(modality.vocabulary.letters, width=39)
    encoder.fit([modality.batch(texts, np.arange(60))])
    reference = TfidfVectorizer(sublinear_tf=True, min_df=2, max_df=0.5, norm=None, use_idf=True)
    counts = reference.fit_transform(texts).toarray() * np.sqrt(reference.idf_)
    counts /= np.linalg.norm(counts, axis=1, keepdims=True)
    vectors = encoder(modality.batch(texts, np.arange(60))).pooled.numpy()
    assert np.allclose(vectors @ vectors.T, counts @ counts.T, atol=0.02)


def test_order_of_words_and_what_fills_the_batch_do_not_matter() -> None:
    texts = _reports()
    modality = Text().adapt(texts)
    encoder = LexicalEncoder(modality.vocabulary.letters, width=8)
    encoder.fit([modality.batch(texts, np.arange(60))])
    turned = [" ".join(reversed(texts[0].split())), " ".join(texts)]
    alone = encoder(modality.batch(texts, np.arange(1))).pooled
    assert torch.allclose(encoder(modality.batch_of(turned)).pooled[0], alone[0], atol=1e-5)


def test_text_of_unknown_words_is_the_zero_vector() -> None:
    texts = _reports()
    modality = Text().adapt(texts)
    encoder = LexicalEncoder(modality.vocabulary.letters, width=8)
    encoder.fit([modality.batch(texts, np.arange(60))])
    assert not encoder(modality.batch_of(["zzz qqq"])).pooled.any()


def test_saved_floor_embeds_as_before(tmp_path) -> None:
    data = toy_texts()
    encoder = pretrain(data, "tfidf")
    encoder.save_pretrained(tmp_path)
    assert np.array_equal(Encoder.from_pretrained(tmp_path).embed(data).vectors, encoder.embed(data).vectors)


def test_reports_of_a_kind_are_each_others_nearest() -> None:
    vectors = pretrain(toy_texts(), "tfidf").embed(toy_texts()).vectors
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -1)
    assert (likeness.argmax(1) % 2 == np.arange(96) % 2).mean() > 0.95


def test_texts_without_a_word_in_common_are_refused() -> None:
    with pytest.raises(InputError, match="no word occurs in two of the 3 texts"):
        pretrain(as_dataset("text", np.array(["alpha", "beta", "gamma"], dtype=object)), "tfidf")
