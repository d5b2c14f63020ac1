"""What the search and the propagation take on many machines: messages and bytes, memory, hours.

Messages and bytes are counted from what the processes send each other (`graph.neighbours`, `graph.conjugate`). Seconds
are those of the largest runs measured on three nodes (benchmarks/RESULTS.md), rows of 64 numbers: ten million for the
search, a million for the steps of a solve and their number. Memory is counted from the arrays; that of the solve times
how much more a process grew by from 400,000 rows to a million. Beyond 4,000,000 rows a machine, rules that solve
without a shift (`laplace`, `poisson`, `pwll`) keep a factor and its correction besides, half a kB a row. The share of
border rows depends on the data: those were round clusters in 64 dimensions, which cut badly.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2

from handful.graph.neighbours import PARTITIONS, ROUNDS, SPARE
from handful.graph.solver import columns_at_a_time

_LANES = 4  # columns of a solve are padded to a multiple of it
_SHARED = 1.55e-4  # seconds of a processor a row in the search, at 64 numbers a row, which the machines share
_REPEATED = 0.10e-4  # and those that each of them spends
_STEP = 1.0e-6  # seconds of a processor a row and a step, at 12 columns
_STEPS = 670  # of all solves of `laplace`, of its calibration and of the doubtful labels, at 1,000,000 rows
_BORDERS = 0.23  # border rows a row held, for each doubling of the machines
_BACK, _CELLS = 44, 20  # bytes a row in the search: who lists it, and which cell it is in
_SOLVE_GREW = 1.95  # what a process grew by, over what is counted: buffers, copies, mapped pages
_ARRAYS = 10  # float64 numbers a row and a column while a machine solves, the factor of its own rows among them


@dataclass(frozen=True)
class Cost:
    """messages, sent: by each machine, the second in bytes; memory in bytes; seconds of the clock."""

    head_memory: float
    search_memory: float
    search_sent: float
    search_seconds: float
    step_messages: float
    step_sent: float
    step_seconds: float
    propagation_memory: float
    propagation_seconds: float

    @property
    def hours(self) -> float:
        """Hours of both steps."""
        return (self.search_seconds + self.propagation_seconds) / 3600


def estimate(
    rows: int,
    machines: int,
    *,
    width: int = 64,
    classes: int = 10,
    n_neighbors: int = 10,
    entries: float = 17.2,
    borders: float | None = None,
    processors: int = 8,
    bandwidth: float = 1.25e9,
    latency: float = 1e-4,
) -> Cost:
    """Return what `machines` of so many `processors` take for `rows` of `width` numbers.

    entries: edges a row of the graph, in both directions. borders: rows of others that a machine is linked with, a row
    that it holds; by default what was measured for so many machines. bandwidth in bytes a second, latency in seconds.
    """
    held, others, columns = rows / machines, machines - 1, _LANES * ceil(classes / _LANES)
    borders = _BORDERS * log2(machines) if borders is None else borders
    places = n_neighbors + SPARE
    listed = PARTITIONS * (8 * places + 8) + ROUNDS * (9 * places + 4) + 8 * places + 4  # bytes a row, all spreads
    search_sent = held * others * listed
    at_a_time = min(columns, columns_at_a_time(int(held)))
    groups = ceil(columns / at_a_time)
    step_messages = others * (4 + 1 / 8) * groups  # three sums, the borders, at every eighth step a look at the clock
    step_sent = 8 * columns * (held * borders + others * 3)
    step_seconds = held * _STEP * columns / 12 / processors + step_messages * latency + step_sent / bandwidth
    graph = entries * 8 + 8
    return Cost(
        head_memory=rows * (4 * width + graph + 8 * n_neighbors + 8 * (classes + 3) * 2),
        search_memory=rows * (4 * width + 4) + rows * (9 * places + _BACK + _CELLS) + held * 9 * places,
        search_sent=search_sent,
        search_seconds=(held * _SHARED / processors + rows * _REPEATED) * width / 64 + search_sent / bandwidth,
        step_messages=step_messages,
        step_sent=step_sent,
        step_seconds=step_seconds,
        propagation_memory=_SOLVE_GREW * held * (graph + 4 * width + 8 * at_a_time * (_ARRAYS + borders)),
        propagation_seconds=_STEPS * step_seconds,
    )
