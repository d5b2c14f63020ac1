"""What a run is good for besides labels, as people call it: similar, denoise, segment, fill."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from toy import toy_images, toy_texts

from handful.cli import main


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `photos/`, `texts.csv`, a new photo, and runs of both, trained for a moment."""
    folder = tmp_path_factory.mktemp("place")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDFUL_CACHE", str(folder / "cache"))
        patch.chdir(folder)
        for row, pixels in enumerate(toy_images(24).samples):
            path = folder / ("photos" if row < 23 else ".") / f"kind{row % 2}" / f"{row}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.moveaxis(pixels, 0, -1)).save(path)
        lines = [f"{row},{words}" for row, words in enumerate(toy_texts(32).samples)]
        (folder / "texts.csv").write_text("id,text\n" + "\n".join(lines))
        short = ("--epochs", 1, "--batch-size", 8, "--precision", "no")
        for source, run, method in (
            ("photos", "cleaner", "denoising"),
            ("photos", "floors", "untrained"),
            ("texts.csv", "filler", "masked"),
            ("texts.csv", "words", "tfidf"),
        ):
            assert call("pretrain", source, "--out", run, "--method", method, *short) == 0
            assert call("embed", run) == 0
    return folder


def call(*words: object) -> int:
    """Run the command line in this process and return its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["handful", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
    return int(end.value.code or 0)


@pytest.fixture(autouse=True)
def _there(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)


def test_similar_lists_ids_of_the_run_the_most_alike_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("similar", "floors", "kind0/4.png", "-n", 5, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found) == 5
    assert all((Path("photos") / line["id"]).is_file() and line["id"] != "kind0/4.png" for line in found)
    assert [line["likeness"] for line in found] == sorted((line["likeness"] for line in found), reverse=True)


def test_similar_takes_a_file_that_is_not_in_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("similar", "floors", "photos/kind0/4.png", "-n", 1) == 0
    name, likeness = capsys.readouterr().out.split()
    assert (name, float(likeness)) == ("kind0/4.png", pytest.approx(1, abs=1e-3))
    assert call("similar", "floors", "kind1/23.png", "-n", 3) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_similar_takes_a_text_of_several_words(capsys: pytest.CaptureFixture[str]) -> None:
    told = Path("texts.csv").read_text().splitlines()[8].split(",")
    assert call("similar", "words", told[1], "-n", 1) == 0
    assert capsys.readouterr().out.split()[0] == told[0]


def test_denoise_writes_a_copy_under_each_id(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("denoise", "photos", "--run", "cleaner", "--out", "clean") == 0
    written = sorted(str(path.relative_to("clean")) for path in Path("clean").rglob("*.png"))
    assert written == sorted(str(path.relative_to("photos")) for path in Path("photos").rglob("*.png"))
    assert capsys.readouterr().out.strip() == "clean"
    with Image.open(Path("clean") / written[0]) as copy, Image.open(Path("photos") / written[0]) as photo:
        assert copy.size == photo.size
        assert np.abs(np.asarray(copy, float) - np.asarray(photo, float)).mean() < 60


def test_segment_writes_a_class_for_every_pixel(capsys: pytest.CaptureFixture[str]) -> None:
    with Image.open("photos/kind0/4.png") as photo:
        bright = np.asarray(photo.convert("L"), float)
    marks = np.zeros(bright.shape, np.uint8)
    marks[bright > np.quantile(bright, 0.95)], marks[bright < np.quantile(bright, 0.5)] = 2, 1
    Path("marks/kind0").mkdir(parents=True)
    Image.fromarray(marks).save("marks/kind0/4.png")
    assert call("segment", "photos", "--run", "floors", "--scribbles", "marks", "--out", "masks") == 0
    with Image.open("masks/kind0/4.png") as mask:
        found = np.asarray(mask)
    assert (found[marks > 0] == marks[marks > 0]).all()
    assert set(np.unique(found)) == {1, 2}
    assert len(list(Path("masks").rglob("*.png"))) == 23


def test_fill_prints_the_text_and_the_words_of_each_gap(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("fill", "filler", "wind and [MASK] snow", "-n", 2, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert "[MASK]" not in found["text"]
    assert [len(gap) for gap in found["guesses"]] == [2]


BAD = {
    "unknown id": (("similar", "floors", "kind0/44.png"), "'kind0/44.png' is neither the id of an item nor a file"),
    "not an image": (("similar", "floors", "texts.csv"), "texts.csv is not an image"),
    "none asked for": (("similar", "floors", "kind0/4.png", "-n", "0"), "n must be a number of at least 1"),
    "no such block": (("similar", "floors", "kind0/4.png", "--block", "pcb"), "'pcb' is not a block"),
    "no run": (("similar", "photos", "x"), "photos is not a run folder"),
    "encoder that cleans nothing": (
        ("denoise", "photos", "--run", "floors", "--out", "new"),
        "gives nothing back in full resolution: pretrain with method 'denoising'",
    ),
    "no encoder": (("denoise", "photos", "--run", "empty", "--out", "new"), "run `handful pretrain` on this run"),
    "texts to clean": (("denoise", "texts.csv", "--run", "words", "--out", "new"), "gives nothing back"),
    "no source": (("denoise", "nowhere", "--run", "cleaner", "--out", "new"), "nowhere does not exist"),
    "no gap": (("fill", "filler", "wind and snow"), "the text must have a gap written as [MASK]"),
    "encoder that fills nothing": (("fill", "words", "a [MASK]"), "has not learnt to fill gaps"),
    "images have no words": (("fill", "floors", "a [MASK]"), "this encoder reads image"),
    "no marks": (
        ("segment", "photos", "--run", "floors", "--scribbles", "clean", "--out", "new"),
        "clean marks none of the 23 photos",
    ),
    "marks in colour": (
        ("segment", "photos", "--run", "floors", "--scribbles", "photos", "--out", "new"),
        "holds colours (RGB), not class numbers",
    ),
    "marks on texts": (
        ("segment", "texts.csv", "--run", "words", "--scribbles", "photos", "--out", "new"),
        "scribbles are drawn on images, the data is text",
    ),
}


@pytest.mark.parametrize("fault", BAD)
def test_bad_input_of_a_task_is_one_sentence_and_exit_two(fault: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("clean").mkdir(exist_ok=True)
    for path in Path("clean").rglob("*.png"):
        path.unlink()
    Path("empty").mkdir(exist_ok=True)
    Path("empty/run.json").write_text(Path("floors/run.json").read_text())
    words, sentence = BAD[fault]
    assert call(*words) == 2
    told = capsys.readouterr()
    assert sentence in told.err
    assert len(told.err.strip().splitlines()) == 1
    assert not told.out
    assert not Path("new").exists()
