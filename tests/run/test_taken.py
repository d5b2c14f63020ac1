"""An encoder that was trained here before, taken as it is for other items of its kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_path import make_folder

import handful
from handful.errors import InputError


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of an encoder trained on pictures of 10 pixels."""
    folder = tmp_path_factory.mktemp("earlier")
    data = handful.read(make_folder(folder / "pictures"), size=10)
    handful.pretrain(data, "simclr", epochs=1, batch_size=16, out=folder / "run" / "encoder")
    return folder / "run"


@pytest.mark.parametrize("inner", ["", "encoder"])
def test_it_labels_other_items_read_as_it_reads(earlier: Path, tmp_path: Path, inner: str) -> None:
    source = make_folder(tmp_path / "new", first=100)
    labels = tmp_path / "labels.csv"
    labels.write_text(
        "id,label\n" + "".join(f"{name}{i}.png,{name}\n" for name in ("dark", "light") for i in (100, 101))
    )
    run = handful.label(source, labels, out=tmp_path / "run", encoder=str(earlier / inner), n_neighbors=5)
    assert len(run.labels) == 40
    assert run.data["settings"]["size"] == 10
    assert "taken as it is" in run.record["pretrain"]["verdict"]
    encoder = handful.Encoder.from_pretrained(earlier / "encoder")
    np.testing.assert_array_equal(run.embeddings.vectors, encoder.embed(encoder.read(source)).vectors)


def test_an_encoder_is_taken_as_it_was_given(earlier: Path, tmp_path: Path) -> None:
    encoder = handful.Encoder.from_pretrained(earlier / "encoder")
    data = encoder.read(make_folder(tmp_path / "new", first=200))
    taken = handful.pretrain(data, encoder=encoder)
    np.testing.assert_array_equal(taken.embed(data).vectors, encoder.embed(data).vectors)


def test_texts_are_read_with_the_words_that_it_learnt(tmp_path: Path) -> None:
    texts = [
        f"{word} {number} of many" for word in ("ships sail the sea", "trains run on rails") for number in range(30)
    ]
    first = handful.pretrain(handful.read(texts, modality="text"), "tfidf", out=tmp_path / "encoder")
    other = handful.read([f"{text} again" for text in texts], modality="text")
    taken = handful.pretrain(other, encoder=tmp_path / "encoder")
    np.testing.assert_array_equal(taken.embed(other).vectors, first.embed(other).vectors)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"epochs": 3}, "epochs=3 is for a training, and .*, which handful made, is taken as it is"),
        ({"method": "vicreg"}, "method='vicreg' is for a training"),
        ({"pooling": "cls"}, "pooling='cls' is for a training"),
    ],
)
def test_no_training_can_be_asked_of_it(earlier: Path, tmp_path: Path, asked: dict, sentence: str) -> None:
    data = handful.read(make_folder(tmp_path / "new"), size=10)
    with pytest.raises(InputError, match=sentence):
        handful.pretrain(data, encoder=earlier, **asked)


def test_other_data_is_refused(earlier: Path) -> None:
    with pytest.raises(InputError, match="the encoder reads image, the data is text"):
        handful.pretrain(handful.read(["one", "two", "three"], modality="text"), encoder=earlier)
