"""A finished run, made once for all tests of faults: two sorts of pictures, four labels."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import handful

VARYING = {"run.json", "config.json", "README.md", ".lock", "report.html", "map.npy"}
"""Files that say how long something took or where it lies, and those of the report."""
Label = Callable[[], handful.Run]


def write_pictures(folder: Path, count: int = 12) -> Path:
    folder.mkdir()
    for code, name in enumerate(("dark", "light")):
        for index in range(count):
            pixels = np.random.default_rng([code, index]).integers(0, 90, (8, 8)) + 110 * code
            Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{name}{index:02d}.png")
    return folder


def results(run: Path) -> dict[str, str]:
    """Return the digest of each file of a result."""
    files = [path for path in run.rglob("*") if path.is_file() and path.name not in VARYING]
    return {str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures/, labels.csv, and run/ as `handful label` leaves it."""
    folder = tmp_path_factory.mktemp("finished")
    write_pictures(folder / "pictures")
    rows = "".join(f"{name}{n:02d}.png,{name}\n" for name in ("dark", "light") for n in (0, 1))
    (folder / "labels.csv").write_text(f"id,label\n{rows}")
    before = os.environ.get("HANDFUL_CACHE")
    os.environ["HANDFUL_CACHE"] = str(folder / "cache")
    try:
        label_in(folder)()
    finally:
        os.environ["HANDFUL_CACHE"] = before or ""
    return folder


def label_in(folder: Path, out: Path | None = None) -> Label:
    """Return the call that labels the pictures of a folder into its run, or into `out`."""
    return lambda: handful.label(
        folder / "pictures", folder / "labels.csv", out=out or folder / "run", method="pca", n_neighbors=4
    )


@pytest.fixture
def place(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished folder, to break."""
    shutil.copytree(finished, tmp_path / "place")
    return tmp_path / "place"
