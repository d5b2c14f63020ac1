"""Compiled kernels that release the interpreter, run over blocks of rows in a few threads.

Blocks depend on the number of rows only, so that what a kernel returns does not depend on the number of threads.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

_LEAST_BLOCK = 4096  # rows: below it starting a thread costs more than the work
_MOST_BLOCKS = 64


def thread_count() -> int:
    """Return the number of threads to use: NUMBA_NUM_THREADS or OMP_NUM_THREADS, else the processors at hand."""
    for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        value = os.environ.get(name, "")
        if value.isdigit() and int(value) > 0:
            return int(value)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@lru_cache(maxsize=4)
def _pool(process: int, threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="handful")


def row_blocks(n: int) -> list[tuple[int, int]]:
    """Return (start, stop) of consecutive blocks over `n` rows."""
    size = max(_LEAST_BLOCK, -(-n // _MOST_BLOCKS))
    return [(start, min(start + size, n)) for start in range(0, n, size)]


def in_threads(function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Return function(*task) of each task, in the order of the tasks."""
    tasks = list(tasks)
    threads = min(thread_count(), len(tasks))
    if threads <= 1:
        return [function(*task) for task in tasks]
    pool = _pool(os.getpid(), thread_count())  # a forked child has none of its parent's threads
    return list(pool.map(lambda task: function(*task), tasks))


_kept = threading.local()


def scratch(name: str, shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """Return an array of this thread for short use, its content arbitrary; the next call by that name reuses it.

    Memory fresh from the system costs more than a product of blocks that is written to it.
    """
    size = prod(shape)
    buffers = vars(_kept).setdefault("buffers", {})
    buffer = buffers.get((name, dtype))
    if buffer is None or len(buffer) < size or len(buffer) > 4 * max(size, 2**16):
        buffer = buffers[name, dtype] = np.empty(size, dtype)
    return buffer[:size].reshape(shape)
