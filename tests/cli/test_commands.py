"""Each command of the path in its own process, as people call it."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def handful(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line and return how it ended."""
    code = "import sys; sys.argv[0] = 'handful'; from handful.cli import main; main()"
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with `photos/` (two kinds of pictures in class sub-folders) and `labels.csv`."""
    lines = ["id,label"]
    for code, name in enumerate(("dark", "light")):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for index in range(20):
            rng = np.random.default_rng([code, index])
            pixels = (rng.integers(0, 60, (12, 12)) + 150 * code).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{index}.png")
        lines += [f"{name}/{index}.png,{name}" for index in range(2)]
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    return tmp_path


def test_help_lists_the_steps_in_order_and_is_quick(tmp_path: Path) -> None:
    began = time.monotonic()
    told = handful("--help", cwd=tmp_path)
    assert time.monotonic() - began < 2
    found = [told.stdout.index(f"\n  {name} ") for name in ("label", "pretrain", "embed", "propagate", "report")]
    assert told.returncode == 0
    assert found == sorted(found)


def test_label_does_the_whole_path(place: Path) -> None:
    told = handful(
        "label", "photos", "--labels", "labels.csv", "--out", "run", "--method", "untrained", "--json", cwd=place
    )
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["items"] == 40
    assert "Expected to be right" in told.stderr
    with (place / "run" / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert np.mean([row["label"] == row["id"].split("/")[0] for row in rows]) > 0.9
    assert (place / "run" / "report.html").stat().st_size > 1000


def test_each_step_alone_on_one_run_folder(place: Path) -> None:
    steps = [
        ("pretrain", "photos", "--out", "run", "--method", "pca"),
        ("embed", "run"),
        ("propagate", "run", "--labels", "labels.csv"),
        ("report", "run", "--truth", "folders"),
        ("suggest", "run", "-n", 3),
        ("evaluate", "run", "--truth", "folders", "--labels-per-class", "1", "--trials", 2, "--json"),
    ]
    ended = [handful(*step, cwd=place) for step in steps]
    assert [told.returncode for told in ended] == [0] * len(steps), [told.stderr for told in ended]
    assert len(ended[4].stdout.split()) == 3
    assert json.loads(ended[5].stdout)["lines"][0]["accuracy"] > 0.9


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("label", "nowhere", "--labels", "labels.csv", "--out", "run"), "nowhere"),
        (
            ("label", "photos", "--labels", "labels.csv", "--out", "run", "--method", "simclrr"),
            "Did you mean 'simclr'?",
        ),
        (("label", "photos", "--labels", "labels.csv", "--out", "run", "--rule", "poison"), "Did you mean 'poisson'?"),
        (("label", "photos", "--labels", "labels.csv", "--out", "labels.csv"), "labels.csv is a file"),
        (("label", "photos", "--labels", "labels.csv", "--out", "photos"), "not empty and not a run folder"),
        (("label", "photos", "--labels", "labels.csv", "--out", "run", "--priors", "half"), "is not JSON"),
        (("label", "photos", "--labels", "labels.csv", "--out", "run", "--patience", "0"), "patience must be"),
        (("label", "photos", "--labels", "labels.csv", "--out", "run", "--tracker", "tensorbord"), "tensorboard"),
        (("embed", "photos"), "is not a run folder"),
        (("report", "nowhere"), "is not a run folder"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_two(place: Path, words: tuple[str, ...], sentence: str) -> None:
    told = handful(*words, cwd=place)
    assert told.returncode == 2
    assert sentence in told.stderr
    assert "Traceback" not in told.stderr
    assert len(told.stderr.strip().splitlines()) == 1
    assert not (place / "run" / "labels.csv").exists()
