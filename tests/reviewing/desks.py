"""Runs to review: pictures of three kinds, two hundred of them, as files and as a run folder that is made once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from starlette.testclient import TestClient

from handful.reviewing.app import Review, make_app
from handful.reviewing.guard import Guard
from handful.reviewing.serve import at_the_desk
from handful.run.folder import Run, open_run
from handful.run.start import run_for_review

KINDS = ("across", "down", "plain")
COUNT = 60


def truth(row: int) -> str:
    """Return what a picture shows."""
    return KINDS[row % 3]


def write_photos(folder: Path) -> Path:
    """Write pictures of a bright bar across or down, or of none."""
    folder.mkdir(parents=True)
    draw = np.random.default_rng(0)
    for row in range(COUNT):
        pixels = draw.normal(60, 8, (12, 12))
        if truth(row) == "across":
            pixels[4:7] += 120
        if truth(row) == "down":
            pixels[:, 4:7] += 120
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{row:03d}.png")
    return folder


def make_photo_run(folder: Path) -> Run:
    """Return a run of these pictures without any label, in `folder`, beside them."""
    return run_for_review(write_photos(folder / "photos"), out=folder / "run", method="pca", n_neighbors=5)


def copy_run(made: Path, to: Path) -> Run:
    """Return a copy of a run, which may be changed; the pictures stay where they were."""
    shutil.copytree(made / "run", to)
    return open_run(to)


@contextmanager
def asked(run: Run, *people: str, asked: float = 0.95) -> Iterator[tuple[Review, list[TestClient]]]:
    """Give the review of a run and a client for each person."""
    with at_the_desk(run, asked=asked) as review:
        names = people or ("ann",)
        guarded = Guard(make_app(review), people={name: name for name in names}, hosts=["testserver"])
        clients = [TestClient(guarded, headers={"Authorization": f"Bearer {name}"}) for name in names]
        yield review, clients


def settled(review: Review) -> None:
    """Let the answer follow the decisions, now."""
    review.desk.renew()
