"""The whole path on a folder of pictures, as a person runs it, and what happens when it is run again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.csv as pacsv
import pytest
from PIL import Image

import handful
from handful.run import open_run

CLASSES = ("dark", "light")


def make_folder(folder: Path, count: int = 20, *, first: int = 0) -> Path:
    """Write `count` dark and `count` light noisy pictures."""
    folder.mkdir(exist_ok=True)
    for code, name in enumerate(CLASSES):
        for index in range(first, first + count):
            rng = np.random.default_rng([code, index])
            pixels = rng.integers(0, 60, (12, 12)) + 150 * code
            Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{name}{index:02d}.png")
    return folder


def write_labels(path: Path) -> Path:
    path.write_text("id,label\n" + "".join(f"{name}{i:02d}.png,{name}\n" for name in CLASSES for i in (0, 1)))
    return path


@pytest.fixture
def run(tmp_path: Path) -> handful.Run:
    source = make_folder(tmp_path / "pictures")
    labels = write_labels(tmp_path / "labels.csv")
    return handful.label(source, labels, out=tmp_path / "run", method="simclr", epochs=2, batch_size=16, n_neighbors=5)


def test_every_item_gets_its_label(run: handful.Run) -> None:
    table = run.labels
    right = [
        label == id[: len(label)] for id, label in zip(*(table[c].to_pylist() for c in ("id", "label")), strict=True)
    ]
    assert len(right) == 40
    assert np.mean(right) > 0.9
    assert table["source"].to_pylist().count("given") == 4


def test_the_folder_holds_what_the_design_names(run: handful.Run) -> None:
    names = {path.name for path in run.folder.iterdir()}
    named = {"data.json", "encoder", "health.json", "embeddings.npy", "ids.parquet", "graph.npz", "labels.parquet"}
    assert named | {"labels.csv", "label_issues.csv", "run.json"} <= names
    assert not [name for name in names if name.endswith(".tmp")]
    assert pacsv.read_csv(run.folder / "labels.csv").num_rows == 40


def test_the_same_call_again_gives_the_same_answer(run: handful.Run, tmp_path: Path) -> None:
    before = run.labels
    again = handful.label(
        tmp_path / "pictures",
        tmp_path / "labels.csv",
        out=run.folder,
        method="simclr",
        epochs=2,
        batch_size=16,
        n_neighbors=5,
    )
    assert again.labels.equals(before)


def test_gradients_count_four_times_what_pixels_do(tmp_path: Path) -> None:
    source, labels = make_folder(tmp_path / "pictures"), write_labels(tmp_path / "labels.csv")
    run = handful.label(source, labels, out=tmp_path / "run", method="untrained", n_neighbors=5)
    assert open_run(run.folder).embeddings.counts == {"pca": 0.25, "gradients": 1.0}
    vectors, blocks = run.graph.vectors, run.embeddings.blocks
    pixels, gradients = (np.linalg.norm(vectors[:, blocks[name]], axis=1) for name in ("pca", "gradients"))
    np.testing.assert_allclose(gradients / pixels, 2.0, rtol=1e-3)


def test_of_texts_what_is_learnt_counts_twice_what_words_in_common_do() -> None:
    data = handful.read([f"{word} number {n}" for n in range(10) for word in ("apple", "brick")], modality="text")
    assert handful.pretrain(data, epochs=1).embed(data).counts == {"tfidf": 0.5, "simclr": 1.0}


def test_what_is_joined_by_name_counts_alike_unless_the_kind_knows_all_of_it(tmp_path: Path) -> None:
    data = handful.read(make_folder(tmp_path / "pictures"), modality="image")
    assert handful.pretrain(data, "gradients+random").counts == {}
    assert handful.pretrain(data, "gradients+pca").counts == {"gradients": 1.0, "pca": 0.25}


def test_a_grown_folder_embeds_only_what_is_new(run: handful.Run, tmp_path: Path) -> None:
    before = np.array(run.embeddings.vectors)
    weights = (run.encoder_folder / "model.safetensors").read_bytes()
    make_folder(tmp_path / "pictures", 3, first=20)
    grown = handful.label(
        tmp_path / "pictures",
        tmp_path / "labels.csv",
        out=run.folder,
        method="simclr",
        epochs=2,
        batch_size=16,
        n_neighbors=5,
    )
    assert (run.encoder_folder / "model.safetensors").read_bytes() == weights
    assert len(grown.labels) == 46
    assert np.isin(before[:, 0], grown.embeddings.vectors[:, 0]).all()
    assert "kept, trained on 40 of 46" in grown.record["pretrain"]["note"]


def test_another_data_set_in_the_same_folder_is_refused(run: handful.Run, tmp_path: Path) -> None:
    other = make_folder(tmp_path / "other", first=50)
    labels = tmp_path / "other.csv"
    labels.write_text("id,label\ndark50.png,a\nlight50.png,b\n")
    with pytest.raises(handful.InputError, match="holds another data set"):
        handful.label(other, labels, out=run.folder, method="untrained")


def test_a_folder_of_another_version_is_refused(run: handful.Run) -> None:
    run.note(format=99)
    with pytest.raises(handful.InputError, match="was written in format 99"):
        open_run(run.folder)


def test_suggestions_are_items_without_a_label(run: handful.Run) -> None:
    named = handful.suggest(run, 5)
    given = {
        id
        for id, source in zip(run.labels["id"].to_pylist(), run.labels["source"].to_pylist(), strict=True)
        if source == "given"
    }
    assert len(set(named)) == 5
    assert not given & set(named)


def test_too_few_items_for_the_neighbours_are_said_before_anything_is_written(tmp_path: Path) -> None:
    source = make_folder(tmp_path / "few", 3)
    labels = write_labels(tmp_path / "labels.csv")
    with pytest.raises(handful.InputError, match="n_neighbors=10 needs more than 10 items"):
        handful.label(source, labels, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
