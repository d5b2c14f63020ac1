"""The same seed gives the same labels: on the next run to the bit, and on one thread and on two."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from conftest import results
from threadpoolctl import threadpool_limits

import handful


def label(place: Path, out: str) -> handful.Run:
    return handful.label(
        place / "pictures",
        place / "labels.csv",
        out=place / out,
        method="gradients+simclr",
        epochs=2,
        batch_size=16,
        n_neighbors=4,
        seed=5,
    )


def labels_on(threads: int, place: Path, monkeypatch: pytest.MonkeyPatch) -> pa.Table:
    before = torch.get_num_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", str(threads))  # what the compiled kernels go by
    torch.set_num_threads(threads)
    try:
        with threadpool_limits(threads):
            return label(place, f"on-{threads}").labels
    finally:
        torch.set_num_threads(before)


def test_the_next_run_gives_the_same_bits(place: Path) -> None:
    first, second = (results(label(place, name).folder) for name in ("first", "second"))
    assert first == second
    assert len(first) >= 9


def test_one_thread_and_two_give_the_same_labels(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = (labels_on(threads, place, monkeypatch) for threads in (1, 2))
    assert one["label"].equals(two["label"])
    assert np.allclose(one["confidence"].to_numpy(), two["confidence"].to_numpy(), atol=1e-3)
