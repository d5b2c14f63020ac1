"""Every reader of files: good files are read, damaged ones are refused in a sentence, whatever the damage."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from readers import READERS, read

CRASHES = Path(__file__).parent / "crashes"
KEPT = sorted(path for path in CRASHES.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", READERS)
def test_good_files_are_read(name: str, tmp_path: Path) -> None:
    told = [read(name, seed, tmp_path / "x") for seed in READERS[name].seeds()]
    assert told[-1] is None or name == "run.json"  # whose summary needs labels


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_once_made_a_reader_fail_is_told(path: Path, tmp_path: Path) -> None:
    told = read(path.parent.name, path.read_bytes(), tmp_path / "x")
    assert told is None or len(told) > 10


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_are_refused_in_a_sentence(name: str, tmp_path: Path, data: st.DataObject) -> None:
    seeds = READERS[name].seeds()
    content = bytearray(seeds[data.draw(st.integers(0, len(seeds) - 1))])
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
        content[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    content = content[:cut] if data.draw(st.booleans()) else content
    told = read(name, bytes(content), tmp_path / "x")
    assert told is None or len(told) > 10
