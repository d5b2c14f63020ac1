import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

from handful.graph.neighbours import (
    approximate_neighbours,
    exact_neighbours,
    exact_neighbours_on_gpu,
    measure_recall,
    nearest_to,
)

_DIGEST = """
import hashlib, numpy as np
from handful.graph.neighbours import approximate_neighbours
points = np.random.default_rng(0).normal(size=(9000, 6)).astype(np.float32)
print(hashlib.sha256(approximate_neighbours(points, 5, seed=3).rows.tobytes()).hexdigest())
"""


def _brute(points, k):
    squared = ((points[:, None].astype(np.float64) - points[None]) ** 2).sum(axis=2)
    np.fill_diagonal(squared, np.inf)
    rows = np.argsort(squared, axis=1, kind="stable")[:, :k]
    return rows, np.take_along_axis(squared, rows, axis=1)


@pytest.mark.parametrize(("n", "d", "k"), [(2, 1, 1), (40, 3, 39), (1300, 8, 6)])
def test_exact_search_equals_brute_force(n, d, k):
    points = np.random.default_rng(n).normal(size=(n, d)).astype(np.float32)
    rows, squared = _brute(points, k)
    found = exact_neighbours(points, k)
    np.testing.assert_array_equal(found.rows, rows)
    np.testing.assert_allclose(found.squared, squared, rtol=1e-4)


def test_exact_search_ranks_rows_that_lie_close_and_far_from_the_origin():
    points = (1000 + 1e-2 * np.random.default_rng(1).normal(size=(300, 4))).astype(np.float32)
    rows, _ = _brute(points, 3)
    assert (exact_neighbours(points, 3).rows == rows).mean() > 0.98


def test_equal_distances_go_to_the_lower_row():
    points = np.array([[0.0], [1.0], [-1.0], [1.0], [-1.0]], np.float32)
    np.testing.assert_array_equal(exact_neighbours(points, 3).rows[0], [1, 2, 3])


def test_gpu_path_equals_the_exact_one():
    points = np.random.default_rng(2).normal(size=(700, 5)).astype(np.float32)
    scale = np.linspace(0.5, 2, 700).astype(np.float32)
    found = exact_neighbours_on_gpu(points, 4, scale=scale, device="cpu")
    np.testing.assert_array_equal(found.rows, exact_neighbours(points, 4, scale=scale).rows)


def test_approximate_search_finds_nearly_all_and_says_how_many():
    centres = np.random.default_rng(3).normal(size=(40, 12)) * 2
    points = (np.repeat(centres, 150, axis=0) + np.random.default_rng(4).normal(size=(6000, 12))).astype(np.float32)
    found, true = approximate_neighbours(points, 8), exact_neighbours(points, 8)
    recall = np.mean([np.isin(a, b).mean() for a, b in zip(true.rows, found.rows, strict=True)])
    assert recall > 0.9
    assert abs(recall - found.recall) < 0.03


def test_approximate_distances_are_those_of_the_rows_found():
    points = np.random.default_rng(5).normal(size=(3000, 4)).astype(np.float32)
    found = approximate_neighbours(points, 5)
    np.testing.assert_allclose(found.squared, ((points[:, None] - points[found.rows]) ** 2).sum(axis=2), rtol=1e-4)
    assert (np.diff(found.squared, axis=1) >= 0).all()
    assert all(len(set(row) | {i}) == 6 for i, row in enumerate(found.rows.tolist()))


def test_approximate_search_depends_on_the_seed_and_not_on_the_threads():
    digests = []
    for threads in ("1", "3"):
        environment = os.environ | {"NUMBA_NUM_THREADS": threads}
        run = subprocess.run(
            [sys.executable, "-c", _DIGEST], env=environment, capture_output=True, text=True, check=True
        )
        digests.append(run.stdout)
    assert digests[0] == digests[1]
    points = np.random.default_rng(0).normal(size=(3000, 9)).astype(np.float32)
    assert (approximate_neighbours(points, 5, seed=0).rows != approximate_neighbours(points, 5, seed=1).rows).any()


def test_recall_is_one_for_true_lists_and_zero_for_wrong_ones():
    points = np.arange(400, dtype=np.float32)[:, None] ** 1.5
    scale, rows = np.ones(400, np.float32), exact_neighbours(points, 2).rows
    assert measure_recall(points, scale, rows, 0) == 1
    assert measure_recall(points, scale, (rows + 200) % 400, 0) == 0


def test_rows_asked_for_alone_get_the_lists_they_have_among_all():
    points = np.random.default_rng(6).normal(size=(2500, 5)).astype(np.float32)
    asked = np.array([3, 999, 1000, 2499], np.int32)
    found = nearest_to(points, np.ones(2500, np.float32), asked, 4)
    np.testing.assert_array_equal(found.rows, exact_neighbours(points, 4).rows[asked])


class _Threads:
    """A team of threads: what each gathers is what the others gathered at the same call."""

    def __init__(self, rank, size, barrier, table):
        self.rank, self.size, self._barrier, self._table = rank, size, barrier, table

    def gather(self, values):
        self._table[self.rank] = values.reshape(-1).copy()
        self._barrier.wait(60)
        found = list(self._table)
        self._barrier.wait(60)
        return found


def _in_team(size, search):
    """Return what search(team) gives in each of `size` threads."""
    barrier, table = threading.Barrier(size), [None] * size
    with ThreadPoolExecutor(size) as pool:
        return list(pool.map(lambda rank: search(_Threads(rank, size, barrier, table)), range(size)))


@pytest.mark.parametrize("search", [exact_neighbours, partial(approximate_neighbours, seed=3)])
def test_every_process_of_a_team_has_the_bits_of_one_alone(search, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    points = np.random.default_rng(8).normal(size=(9000, 6)).astype(np.float32)
    scale = np.linspace(0.5, 2, 9000).astype(np.float32)
    alone = search(points, 5, scale=scale)
    for found in _in_team(3, lambda team: search(points, 5, scale=scale, team=team)):
        np.testing.assert_array_equal(found.rows, alone.rows)
        np.testing.assert_array_equal(found.squared, alone.squared)
        assert found.recall == alone.recall


class _Kept:
    """Keeps the state after step `at`, and gives it to whoever begins."""

    def __init__(self, at):
        self.at, self.state = at, None

    def load(self):
        return self.state

    def keep(self, steps, state):
        if steps == self.at:
            self.state = {name: np.copy(value) for name, value in state.items()}


@pytest.mark.parametrize("at", [2, 6, 8])
def test_a_search_that_was_broken_off_goes_on_to_the_same_bits(at):
    points = np.random.default_rng(8).normal(size=(3000, 6)).astype(np.float32)
    kept = _Kept(at)
    whole = approximate_neighbours(points, 5, kept=kept)
    assert int(kept.state["done"]) == at
    told = []
    found = approximate_neighbours(points, 5, kept=kept, progress=lambda done, of: told.append(done))
    assert len(told) == 9 - at
    np.testing.assert_array_equal(found.rows, whole.rows)
    np.testing.assert_array_equal(found.squared, whole.squared)
