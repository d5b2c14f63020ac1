"""One run for all tests of the review; each takes a copy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from desks import copy_run, make_photo_run

from handful.run.folder import Run


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds the pictures and their run."""
    folder = tmp_path_factory.mktemp("made")
    before = os.environ.get("HANDFUL_CACHE")
    os.environ["HANDFUL_CACHE"] = str(tmp_path_factory.mktemp("cache-of-made"))
    try:
        make_photo_run(folder)
    finally:
        os.environ.pop("HANDFUL_CACHE")
        if before is not None:
            os.environ["HANDFUL_CACHE"] = before
    return folder


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Run:
    """A copy of the run."""
    return copy_run(made, tmp_path / "run")
