from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from handful.graph import team
from handful.graph.neighbours import approximate_neighbours, exact_neighbours


class Together:
    """A team whose processes are threads of this one."""

    def __init__(self, rank: int, size: int, barrier: threading.Barrier, table: list[np.ndarray]) -> None:
        self.rank, self.size, self._barrier, self._table = rank, size, barrier, table

    def gather(self, values: np.ndarray) -> list[np.ndarray]:
        self._table[self.rank] = np.ascontiguousarray(values).reshape(-1)
        self._barrier.wait()
        found = list(self._table)
        self._barrier.wait()
        return found


def _in_a_team(size: int, work):
    barrier, table = threading.Barrier(size, timeout=60), [np.empty(0)] * size

    def run(rank: int):
        try:
            return work(Together(rank, size, barrier, table))
        except BaseException:
            barrier.abort()
            raise

    with ThreadPoolExecutor(size) as threads:
        return list(threads.map(run, range(size)))


@pytest.mark.parametrize("at_a_time", [7, 1 << 18])
@pytest.mark.parametrize("search", [exact_neighbours, approximate_neighbours])
def test_every_process_of_a_team_has_the_lists_of_one(search, at_a_time, monkeypatch):
    monkeypatch.setattr(team, "_AT_A_TIME", at_a_time)
    points = np.random.default_rng(0).normal(size=(1500, 8)).astype(np.float32)
    alone = search(points, 5)
    for found in _in_a_team(3, lambda members: search(points, 5, team=members)):
        np.testing.assert_array_equal(found.rows, alone.rows)
        np.testing.assert_array_equal(found.squared, alone.squared)


def test_a_process_without_rows_still_takes_those_of_others(monkeypatch):
    monkeypatch.setattr(team, "_AT_A_TIME", 2)

    def work(members):
        rows = np.arange(5) if members.rank else np.empty(0, int)
        array = np.zeros((5, 2))
        team.spread(members, rows, (array, np.full((len(rows), 2), 3.0)))
        return array

    for array in _in_a_team(2, work):
        np.testing.assert_array_equal(array, 3)
