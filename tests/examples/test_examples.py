"""Every example runs, on little of its data, and ends in a figure that is better than chance."""

from __future__ import annotations

import importlib.util
import inspect
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
BETTER_THAN = {
    "cpc_audio": 0.5,  # share of neighbours of the same sort; chance is a quarter
    "image_denoising": 1.0,  # decibels gained in ten epochs of 500 pictures
    "masked_patches": -9.0,  # one epoch is behind the mean patch
    "masked_words": 0.1,  # nats that hidden words get likelier by, from the first epoch to the third
    "moco_classification": 0.3,  # share right of ten classes
    "photos_propagation": 0.3,  # share right of two to six photos
    "retrieval": 0.5,
    "segment_patches": 0.4,  # overlap
    "simclr_classification": 0.3,
    "song_similarity": 0.5,
    "text_propagation": 0.0,  # how much surer of the sentence like the others than of the strange one
    "vae_digits": 0.3,
}
"""What a quick run returns must lie above."""

BELOW = {"sensor_forecast": 3.0, "video_next_frame": 3.0}  # error over that of a copy
OTHERS = {"card_anomalies", "which_family"}
NEEDS = {
    "cpc_audio": "soundfile",
    "song_similarity": "soundfile",
    "video_next_frame": "av",
    "which_family": "soundfile",
}
NEEDS |= {"masked_words": "tokenizers", "text_propagation": "tokenizers"}


def run_example(name: str, folder: Path) -> Any:
    """Return what a quick run of an example returns; what it writes goes to `folder`."""
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    takes = inspect.signature(module.main).parameters
    written = {"out": folder / f"{name}.mp4" if "video" in name else folder / f"{name}.png"} if "out" in takes else {}
    return module.main(**({"quick": True} if "quick" in takes else {"n": 2000}), **written)


@pytest.mark.parametrize("name", sorted(BETTER_THAN))
def test_an_example_is_better_than_chance(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_example(name, tmp_path) > BETTER_THAN[name]
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("name", sorted(BELOW))
def test_an_example_errs_little(name: str, tmp_path: Path) -> None:
    assert 0 < run_example(name, tmp_path) < BELOW[name]


def test_the_guide_names_a_family_for_each_kind(tmp_path: Path) -> None:
    families = run_example("which_family", tmp_path)
    assert families["image"] == "contrastive"
    assert families["table"] != "predictive"


def test_frauds_stand_out_and_known_ones_help(tmp_path: Path) -> None:
    figures = run_example("card_anomalies", tmp_path)
    assert figures["without labels"] > 0.1  # one row in a hundred is a fraud
    assert figures["five frauds known"] > figures["without labels"]


def test_examples_are_short_and_all_run_here() -> None:
    lines = {path.stem: len(path.read_text().splitlines()) for path in EXAMPLES.glob("*.py")}
    assert set(lines) == {*BETTER_THAN, *BELOW, *OTHERS}
    assert max(lines.values()) <= 40
    assert len(lines) >= 14
