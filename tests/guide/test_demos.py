"""The data sets that the demonstration makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import handful
from handful.errors import InputError
from handful.guide.demos import DEMOS, make_demo
from handful.modalities.registry import _HOME


def test_there_is_one_for_each_kind_of_data() -> None:
    assert set(DEMOS) == set(_HOME)


@pytest.mark.parametrize("kind", DEMOS)
def test_it_is_read_whole_and_says_whether_it_is_real(kind: str, tmp_path: Path) -> None:
    made = make_demo(kind, tmp_path / "files")
    data = handful.read(made.source, modality=kind)
    assert len(data) == len(made.truth)
    assert np.unique(made.truth, return_counts=True)[1].min() > 2 * made.per_class
    assert ("real" in made.words) or ("MADE" in made.words)


def test_an_unknown_kind_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Did you mean 'image'"):
        make_demo("imge", tmp_path)
