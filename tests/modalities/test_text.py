"""The kind of data called text."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from toy import toy_texts

from handful import Encoder, pretrain
from handful.errors import InputError
from handful.methods.pretext import hide, two_views
from handful.modalities.registry import make_modality
from handful.modalities.text import Text
from handful.modalities.text_tokens import read_vocabulary, train_tokenizer

TEXTS = np.array(
    ["Storms, rain and unbelievably strong winds tonight.", "rain", "שלום עולם 😀", "long text " * 200], object
)


@pytest.fixture
def modality() -> Text:
    return Text(max_tokens=64).adapt(TEXTS)


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_pieces_say_the_text_in_any_script(modality: Text) -> None:
    batch = modality.batch(TEXTS, np.array([2, 1]))
    assert modality.words_of(batch["ids"][0][batch["mask"][0]]) == TEXTS[2]
    assert batch["mask"][1].sum() < batch["ids"].shape[1]
    assert (batch["ids"][~batch["mask"]] == modality.vocabulary.pad).all()


def test_long_texts_are_cut_at_the_most_pieces(modality: Text) -> None:
    assert modality.batch(TEXTS, np.array([3]))["ids"].shape == (1, 64)


def test_every_word_begins_with_a_piece_that_says_so(modality: Text) -> None:
    batch = modality.batch_of(["storms, unbelievably rain"])
    starts = batch["begins"][0].nonzero().flatten().tolist()
    ends = [*starts[1:], len(batch["ids"][0])]
    words = [modality.words_of(batch["ids"][0][start:end]) for start, end in zip(starts, ends, strict=True)]
    assert words == ["storms", ",", "unbelievably", "rain"]


def test_scripts_without_spaces_are_cut_into_their_characters() -> None:
    modality = Text().adapt(["日本語です"])
    assert modality.batch_of(["日本語"])["begins"].sum() == 3


def test_word_pieces_of_bert_are_told_apart_from_beginnings() -> None:
    tokenizers = pytest.importorskip("tokenizers")
    pieces = {"[PAD]": 0, "[UNK]": 1, "[MASK]": 2, "un": 3, "##believ": 4, "##able": 5, "rain": 6}
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece(pieces, unk_token="[UNK]"))
    made.add_special_tokens(["[PAD]", "[UNK]", "[MASK]"])
    vocabulary = read_vocabulary(made)
    assert vocabulary.begins.tolist() == [True, True, True, True, False, False, True]
    assert vocabulary.letters.tolist() == [0, 0, 0, 2, 6, 4, 4]
    assert (vocabulary.pad, vocabulary.mask) == (0, 2)


def test_tokenizer_is_the_same_for_the_same_texts() -> None:
    assert train_tokenizer(TEXTS).to_str() == train_tokenizer(TEXTS).to_str()


def test_view_is_a_span_of_the_text(modality: Text) -> None:
    modality.crop, modality.keep = 0.3, 1
    batch = modality.batch(TEXTS, np.array([0, 3]))
    view = modality.view(batch, generator=_generator())
    whole = batch["ids"][0][batch["mask"][0]].tolist()
    span = view["ids"][0][view["mask"][0]].tolist()
    assert 0.3 * len(whole) <= len(span) <= len(whole)
    assert any(whole[at : at + len(span)] == span for at in range(len(whole)))
    assert view["begins"][:, 0].all()


def test_view_keeps_a_share_of_the_words_whole_and_in_order(modality: Text) -> None:
    modality.keep = 0.4
    text = "storms bring unbelievably strong winds and unforeseeable rain to everyone"
    batch = modality.batch_of([text] * 20)
    view = modality.view(batch, generator=_generator())
    spoken = [modality.words_of(ids[mask]).split() for ids, mask in zip(view["ids"], view["mask"], strict=True)]
    assert {len(words) for words in spoken} == {4}
    assert all(words == [word for word in text.split() if word in words] for words in spoken)
    assert len({tuple(words) for words in spoken}) > 10


def test_views_of_one_seed_are_the_same_and_two_differ(modality: Text) -> None:
    batch = modality.batch(TEXTS, np.arange(4))
    pair = two_views(batch, modality, _generator(1))
    again = two_views(batch, modality, _generator(1))
    assert all(torch.equal(pair[name], again[name]) for name in pair)
    assert not torch.equal(pair["mask"][:4], pair["mask"][4:])


def test_whole_words_are_hidden() -> None:
    text = "storms bring unbelievably strong winds and unforeseeable rain to everyone"
    modality = Text().adapt(["a b", "c d"])  # words fall into their letters
    tokens = modality.tokens(modality.batch_of([text] * 50))
    _, hidden = hide(tokens, 0.15, _generator())
    shares = []
    for row in range(50):
        words = tokens.together[row]
        assert all(hidden[row][words == word].float().mean() in (0, 1) for word in words.unique())
        shares.append(hidden[row].float().mean())
    assert 0.13 < float(torch.stack(shares).mean()) < 0.3


def test_raw_vectors_are_alike_where_words_are_shared(modality: Text) -> None:
    flat = modality.flat(modality.batch_of(["rain and winds", "winds and rain", "xylophone quiz"]))
    assert torch.allclose(flat[0], flat[1])
    assert float(flat[0] @ flat[2]) < 0.5


def test_texts_are_shown_without_their_markup(modality: Text) -> None:
    shown = modality.show(np.array(["<b>x</b> & y", "word " * 500], object), np.arange(2))
    assert shown[0] == "<p>&lt;b&gt;x&lt;/b&gt; &amp; y</p>"
    assert shown[1].endswith("…</p>")
    assert len(shown[1]) < 420


def test_settings_make_it_again(modality: Text) -> None:
    again = make_modality("text", modality.settings, assets=modality.assets)
    assert again.settings == modality.settings
    assert torch.equal(again.batch_of(TEXTS)["ids"], modality.batch_of(TEXTS)["ids"])


def test_without_a_tokenizer_nothing_is_read() -> None:
    with pytest.raises(InputError, match="no tokenizer yet"):
        Text().batch(TEXTS, np.arange(2))


def test_encoder_is_saved_with_its_tokenizer(tmp_path) -> None:
    data = toy_texts(48)
    encoder = pretrain(data, "random")
    encoder.save_pretrained(tmp_path)
    assert (tmp_path / "tokenizer.json").is_file()
    assert np.allclose(Encoder.from_pretrained(tmp_path).embed(data).vectors, encoder.embed(data).vectors, atol=1e-6)
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(InputError, match=r"is not whole: tokenizer\.json is missing"):
        Encoder.from_pretrained(tmp_path)


@pytest.mark.parametrize("name", ["../elsewhere.json", "a" * 300, ".", 5])
def test_an_encoder_reads_no_file_outside_its_folder(tmp_path, name) -> None:
    (tmp_path / "elsewhere.json").write_text("{}")
    folder = tmp_path / "encoder"
    pretrain(toy_texts(48), "random").save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"assets": [name]}))
    with pytest.raises(InputError, match="is not whole"):
        Encoder.from_pretrained(folder)


def test_where_nothing_is_asked_for_word_vectors_are_trained_beside_counted_words() -> None:
    assert list(pretrain(toy_texts(), epochs=1).networks) == ["tfidf", "simclr"]
