"""What of an installation works."""

from __future__ import annotations

from pathlib import Path

import pytest

from handful.guide.installed import KINDS, _fault, examine
from handful.modalities.registry import _HOME


def test_every_kind_of_data_is_looked_at() -> None:
    assert set(KINDS) == set(_HOME)
    assert {*KINDS, "core", "cpu", "cache"} <= {one.name for one in examine()}


def test_a_package_that_is_not_there_is_named_and_one_that_is_has_no_fault() -> None:
    assert _fault("no_such_package_as_this") == "no_such_package_as_this missing"
    assert _fault("json") is None


def test_a_cache_that_is_a_file_is_told_with_what_mends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HANDFUL_CACHE", str(tmp_path / "file" / "cache"))
    cache = next(one for one in examine() if one.name == "cache")
    assert not cache.works
    assert "HANDFUL_CACHE" in cache.mend
