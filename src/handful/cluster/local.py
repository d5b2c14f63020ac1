"""Nodes of a cluster started on this machine, which only those who know a token of this run can use.

Ray listens on all addresses of the machine, runs what it is sent, and asks for nothing unless it is told to: without
the token anyone who reaches this machine could run anything on it as this user.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ray

_core: Any = ray._raylet  # where its settings are kept
_STORE = 256 * 2**20  # bytes of shared memory of a node, of which these steps need little
_MODE, _TOKEN = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN"


@contextmanager
def started(count: int) -> Iterator[Any]:
    """Give `count` nodes on this machine, its processors shared among them."""
    from ray.cluster_utils import Cluster

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
    os.environ.setdefault("RAY_worker_niceness", "0")  # its default, 15, waits for whatever else runs here
    each: dict[str, Any] = {"num_cpus": max(1, (os.cpu_count() or 1) // count), "object_store_memory": _STORE}
    with _guarded():
        local = Cluster(initialize_head=True, head_node_args={**each, "include_dashboard": False})
        try:
            for _ in range(count - 1):
                local.add_node(**each)
            ray.init(address=local.address, log_to_driver=False)
            yield local
        finally:
            ray.shutdown()
            local.shutdown()


@contextmanager
def _guarded() -> Iterator[None]:
    """Let Ray ask for a token that this process and its children know, unless the user has set how it asks."""
    if _MODE in os.environ:
        yield
        return
    os.environ |= {_MODE: "token", _TOKEN: secrets.token_hex(32)}
    _read_settings()
    try:
        yield
    finally:
        for name in (_MODE, _TOKEN):
            del os.environ[name]
        _read_settings()


def _read_settings() -> None:
    _core.Config.initialize("")
    _core.AuthenticationTokenLoader.instance().reset_cache()
