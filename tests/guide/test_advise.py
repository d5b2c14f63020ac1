"""Advice: what the data says, which family is named, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from toy import TOYS

import handful
from handful.errors import InputError
from handful.guide import read_signs
from handful.guide.families import GOALS
from handful.methods import FAMILIES


@pytest.mark.parametrize("kind", TOYS)
def test_every_kind_of_data_gets_four_families_with_reasons(kind: str) -> None:
    found = handful.advise(TOYS[kind]())
    assert {one.family for one in found.families} == set(FAMILIES)
    assert all(one.preferred_because or one.not_recommended_because for one in found.families)
    assert json.loads(json.dumps(found.as_dict()))["family"] == found.family
    assert found.family in found.in_words()


def test_signs_are_the_same_each_time_and_shares_are_shares() -> None:
    signs = read_signs(TOYS["series"]())
    assert signs == read_signs(TOYS["series"]())
    shares = [signs.found, signs.kept, signs.hidden, signs.next, signs.far, signs.copied, signs.kept_by_16]
    assert all(0 <= share <= 1 for share in shares)
    assert signs.next > signs.copied


def test_a_moving_square_is_told_by_the_frames_before_it() -> None:
    signs = read_signs(TOYS["video"](64))
    assert signs.next > 0.5
    assert signs.copied < 0.1


def test_predictive_is_impossible_for_rows_and_last() -> None:
    last = handful.advise(TOYS["table"]()).families[-1]
    assert last.family == "predictive"
    assert not last.possible


def test_label_into_the_folder_of_an_advice_takes_its_method_and_the_report_says_why(tmp_path: Path) -> None:
    data = TOYS["image"]()
    truth = np.arange(len(data)) % 2  # bars stand or lie
    given = [str(truth[row]) if row < 12 else None for row in range(len(data))]
    found = handful.advise(data, given, goal="anomalies", out=tmp_path / "run")
    assert found.method == "autoencoder"
    assert json.loads((tmp_path / "run" / "advice.json").read_text())["method"] == "autoencoder"
    run = handful.label(data, given, out=tmp_path / "run", epochs=1)
    assert list(run.encoder.networks) == ["autoencoder"]
    assert "The method autoencoder was advised: " in handful.report(run, data=data).read_text()
    other = handful.label(data, given, out=tmp_path / "run", method="pca")
    assert list(other.encoder.networks) == ["pca"]
    assert "was advised" not in handful.report(other, data=data).read_text()


@pytest.mark.parametrize(
    ("kind", "goal", "family", "method"),
    [
        ("image", "labels", "contrastive", "auto"),
        ("image", "denoise", "autoencoding", "denoising"),
        ("image", "generate", "autoencoding", "vae"),
        ("series", "predict", "predictive", "forecast"),
        ("table", "fill", "masked", "masked"),
        ("table", "anomalies", "autoencoding", "autoencoder"),
    ],
)
def test_the_goal_decides_the_family(kind: str, goal: str, family: str, method: str) -> None:
    found = handful.advise(TOYS[kind](), goal=goal)
    assert (found.family, found.method) == (family, method)


def test_missing_cells_copies_and_labels_are_counted() -> None:
    cells = np.random.default_rng(0).normal(size=(60, 9))
    cells[:30, 0] = np.nan
    cells[1] = cells[0]
    labels = np.where(np.arange(60) < 5, np.arange(60) % 2, -1)
    signs = handful.advise(cells, labels, modality="table").signs
    assert signs.missing == pytest.approx(30 / 540)
    assert (signs.copies, signs.classes, signs.given, signs.fewest) == (1, 2, 5, 2)


def test_trials_find_the_labels_again_and_name_the_winner() -> None:
    data = TOYS["table"](64)
    told = handful.advise(data, np.where(np.arange(64) < 12, np.arange(64) % 2, -1), measure=0.02)
    assert {one.method for one in told.trials} == {"pca", "simclr", "masked", "autoencoder", "auto"}
    assert told.method == told.trials[0].method
    assert told.trials[0].right == max(one.right for one in told.trials) > 0.7
    assert all(0 <= one.agreement <= 1 for one in told.trials)
    assert told.method in told.in_words()


def test_trials_without_labels_are_ranked_by_agreement() -> None:
    agreed = [one.agreement for one in handful.advise(TOYS["table"](64), measure=0.02).trials]
    assert agreed == sorted(agreed, reverse=True)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"goal": "label"}, "Did you mean 'labels'"), ({"measure": 0}, "minutes above 0"), ({"measure": "2"}, "minutes")],
)
def test_bad_options_are_told_in_one_sentence(options: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        handful.advise(TOYS["table"](), **options)
    assert len(GOALS) >= 7


def test_too_few_items_are_told() -> None:
    with pytest.raises(InputError, match="at least 8 are needed"):
        handful.advise(TOYS["table"](5))
