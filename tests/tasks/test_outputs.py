"""Where what is made of each item is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from handful.errors import InputError
from handful.tasks.outputs import output_paths


def _as_png(ids: list[str]) -> list[str]:
    return [str(path.with_suffix(".png")) for path in output_paths(np.array(ids), Path("out"))]


def test_the_ending_gives_way_and_the_rest_of_the_id_stays() -> None:
    assert _as_png(["cat/17.jpg", "0", "a.b.jpeg"]) == ["out/cat/17.png", "out/0.png", "out/a.b.png"]


def test_ids_that_differ_in_their_ending_alone_keep_it() -> None:
    assert _as_png(["a.jpg", "a.png", "b.jpg"]) == ["out/a.jpg.png", "out/a.png.png", "out/b.png"]


@pytest.mark.parametrize("name", ["../a.png", "/etc/a.png", "b/../../a.png"])
def test_an_id_that_leads_out_of_the_folder_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="leads out of out: rename it"):
        output_paths(np.array([name]), Path("out"))
