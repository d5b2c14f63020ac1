"""A gang of processes, one a machine, that run one function together and begin again where they were if one is lost."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from handful.cluster.mesh import Address, Mesh
from handful.errors import InputError

Work = Callable[..., Any]
MOST_LOSSES = 20
PAUSE = 2.0  # seconds until the cluster knows who is left


class Member:
    """One process of a gang."""

    def __init__(self, rank: int, size: int, secret: bytes, threads: int) -> None:
        os.environ["NUMBA_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(threads)
        self.mesh = Mesh(ray.util.get_node_ip_address(), rank, size, secret)

    def address(self) -> Address:
        """Return where the others find this process."""
        return self.mesh.address

    def run(self, addresses: list[Address], work: Work, arguments: tuple[Any, ...]) -> Any:
        """Return work(mesh, *arguments), once linked with the others."""
        self.mesh.connect(addresses)
        try:
            return work(self.mesh, *arguments)
        finally:
            self.mesh.close()


_REMOTE: Any = ray.remote(num_cpus=0, max_restarts=0)(Member)


def run_together(work: Work, arguments: tuple[Any, ...], *, journal: Path, say: Callable[[str], None]) -> list[Any]:
    """Return what work(mesh, *arguments) gives in each process of a gang, one on every node of the cluster.

    Where a node is lost the others begin again with those that are left, and go on by what stands in `journal`.
    Raises what `work` raises, and InputError where nodes are lost again and again.
    """
    for _ in range(MOST_LOSSES):
        journal.mkdir(parents=True, exist_ok=True)
        _sweep(journal)
        members: list[Any] = []
        lost: Exception
        try:
            members += _members()
            addresses = ray.get([member.address.remote() for member in members])
            answers = [member.run.remote(addresses, work, arguments) for member in members]
            try:
                return list(ray.get(answers))
            except ray.exceptions.RayTaskError as error:
                _raise_fault(answers)
                lost = error
        except (ray.exceptions.RayActorError, ray.exceptions.ActorUnschedulableError) as error:
            lost = error
        finally:
            for member in members:
                ray.kill(member)
        say("a machine was lost: the others go on where it was")
        time.sleep(PAUSE)
    raise InputError(f"machines of the cluster were lost {MOST_LOSSES} times in one step: the last time by {lost}")


def nodes() -> list[dict[str, Any]]:
    """Return the nodes of the cluster that are there."""
    return [node for node in ray.nodes() if node["Alive"]]


def _raise_fault(answers: list[Any]) -> None:
    """Raise what `work` raised in any process; the others only miss it, as they would miss one that was lost."""
    for answer in answers:
        try:
            ray.get(answer, timeout=PAUSE)
        except ray.exceptions.RayTaskError as error:
            if not isinstance(error.cause, EOFError | ConnectionError | BrokenPipeError):
                raise error.cause from None
        except ray.exceptions.RayError:  # lost, or not yet ended
            continue


def _members() -> list[Any]:
    there, secret = nodes(), secrets.token_bytes(32)
    return [
        _REMOTE.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)).remote(
            rank, len(there), secret, max(1, int(node["Resources"].get("CPU", 1)))
        )
        for rank, node in enumerate(there)
    ]


def _sweep(journal: Path) -> None:
    """Delete what a lost gang had not finished writing: the next one may have fewer processes."""
    for unfinished in journal.glob("part-*"):
        shutil.rmtree(unfinished)
