"""What every test stands on: a cache of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small tensors on a busy machine: threads cost more than they give


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder that no other test sees, named by HANDFUL_CACHE."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("HANDFUL_CACHE", str(folder))
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file in one process where several share the work, and those of a cluster all in one."""
    for item in items:
        folder = item.path.parent.name
        item.add_marker(pytest.mark.xdist_group("cluster" if folder == "cluster" else str(item.path)))
