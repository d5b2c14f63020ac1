"""The whole path from a folder of pictures with an encoder that was trained elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pretrained_models import SIDE, save_image_model, save_sound_model
from sounds import write_sounds
from torch import nn

import handful
from handful import InputError
from handful.cli import main
from handful.modalities.encoder_reading import settle_reading


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of dark and light pictures of 40 pixels, two of each labelled in `labels.csv` beside it."""
    lines = ["id,label"]
    for code, name in enumerate(("dark", "light")):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for index in range(12):
            pixels = np.random.default_rng([code, index]).integers(0, 60, (40, 40, 3)) + 150 * code
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "photos" / name / f"{index}.png")
        lines += [f"{name}/{index}.png,{name}" for index in range(2)]
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    return tmp_path / "photos"


def test_label_reads_at_the_size_of_the_encoder(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = photos.parent
    model = save_image_model("vit", place / "vit")
    words = ["label", str(photos), "--labels", str(place / "labels.csv"), "--out", str(place / "run")]
    monkeypatch.setattr("sys.argv", ["handful", *words, "--encoder", str(model), "--pooling", "mean"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    data, run = (json.loads((place / "run" / name).read_text()) for name in ("data.json", "run.json"))
    assert data["settings"]["size"] == SIDE
    assert run["pretrain"]["options"]["pooling"] == "mean"
    assert "(pooling: mean)" in run["pretrain"]["verdict"]


def test_run_that_grew_embeds_what_is_new_with_the_module_given_again(photos: Path) -> None:
    options = {"labels": photos.parent / "labels.csv", "out": photos.parent / "run", "n_neighbors": 5}
    handful.label(photos, encoder=handful.wrap(nn.Flatten(), size=8), **options)
    Image.new("RGB", (40, 40), "white").save(photos / "light" / "new.png")
    run = handful.label(photos, encoder=handful.wrap(nn.Flatten(), size=8), **options)
    assert len(run.labels) == 25
    assert "kept" in run.record["pretrain"]["note"]


def test_what_is_asked_for_goes_before_what_suits_the_encoder(tmp_path: Path) -> None:
    model = save_image_model("vit", tmp_path)
    assert settle_reading(np.zeros((9, 8, 8)), None, model, {"size": 20}) == ("image", {"size": 20})
    assert settle_reading(np.zeros((9, 8, 8)), None, model, {}) == ("image", {"size": SIDE})


def test_sounds_are_read_at_the_rate_of_the_encoder(tmp_path: Path) -> None:
    write_sounds(tmp_path / "sounds", [f"{index}.wav" for index in range(12)])
    labels = {"0.wav": "low", "1.wav": "high"}
    model = save_sound_model("wav2vec2", tmp_path / "model")
    run = handful.label(tmp_path / "sounds", labels, out=tmp_path / "run", encoder=model, n_neighbors=3)
    assert run.data["settings"]["rate"] == 16_000
    assert len(run.labels) == 12


def test_model_of_sounds_is_refused_before_anything_is_written(photos: Path) -> None:
    model = save_sound_model("hubert", photos.parent / "hubert")
    with pytest.raises(InputError, match=r"encoder='.*hubert' is a hubert, which reads no images"):
        handful.label(photos, photos.parent / "labels.csv", out=photos.parent / "run", encoder=model)
    assert not (photos.parent / "run").exists()
