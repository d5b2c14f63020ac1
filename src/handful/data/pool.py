"""Work on items in threads, in order, a bounded number of blocks at a time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def n_workers() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_blocks(work: Callable[[T], R], blocks: Iterable[T], *, threads: int | None = None) -> Iterator[R]:
    """Yield `work` of each block, in order; at most two blocks a thread are held at a time.

    threads: by default as many as there are processors. Threads, because decoders release the interpreter's lock, and
    processes would need a guarded main module.
    """
    threads = threads or n_workers()
    with ThreadPoolExecutor(threads) as pool:
        pending: deque[Future[R]] = deque()
        try:
            for block in blocks:
                pending.append(pool.submit(work, block))
                if len(pending) >= 2 * threads:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:  # on an error or Ctrl-C what has not begun is dropped
            for future in pending:
                future.cancel()
