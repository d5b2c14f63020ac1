"""Samples embedded by a pool of encoders, one on every node, or on each of its GPUs."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import ray
import torch
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from handful.cluster.gang import MOST_LOSSES, PAUSE, nodes
from handful.data import Listed
from handful.errors import InputError
from handful.training.embed import pooled_vectors
from handful.training.encoder import Encoder

_AT_EACH = 2  # batches that lie at an encoder: the next one is sent while it works on the last
_ON_THE_WAY = 8  # for each encoder, with those that are done and wait for one before them


class Member:
    """One encoder of a pool, loaded from a folder that its machine sees too."""

    def __init__(self, folder: Path, threads: int) -> None:
        torch.set_num_threads(threads)
        self.folder = folder
        self.encoder: Encoder | None = None

    def embed(self, samples: Any) -> np.ndarray:
        """Return the vectors [B, D] of the samples of one batch."""
        self.encoder = encoder = self.encoder or Encoder.from_pretrained(self.folder)
        taken = Listed(samples) if isinstance(samples, list) else samples
        return pooled_vectors(encoder, encoder.modality, taken, np.arange(len(taken)), batch_size=len(taken))


_REMOTE: Any = ray.remote(num_cpus=0, max_restarts=0)(Member)


@dataclass
class _Batch:
    """A batch on its way: the encoder it lies at, what its vectors [B, D] come in, and these once they are there."""

    samples: Any
    member: Any
    answer: Any
    vectors: np.ndarray | None = None


class Pool:
    """Encoders on all nodes that are there, loaded from `folder`; what lies at a lost one is given to the others."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self.folder, self._say = folder, say
        self._members = _start(folder)
        self._waiting: deque[_Batch] = deque()
        self._losses = 0

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        for member in self._members:
            ray.kill(member)

    def embed(self, batches: Iterable[Any]) -> Iterator[np.ndarray]:
        """Yield the vectors [B, D] of each of `batches` of samples, in their order.

        Raises what an encoder raises, and InputError where machines are lost again and again.
        """
        for samples in batches:
            while (member := self._free()) is None:
                yield from self._done()
            self._waiting.append(_Batch(samples, member, member.embed.remote(samples)))
        while self._waiting:
            yield from self._done()

    def _free(self) -> Any | None:
        """Return the encoder with the fewest batches, None where all have enough."""
        if len(self._waiting) >= _ON_THE_WAY * len(self._members):
            return None
        loads = [self._load(member) for member in self._members]
        return self._members[int(np.argmin(loads))] if min(loads) < _AT_EACH else None

    def _load(self, member: Any) -> int:
        return sum(batch.member is member and batch.vectors is None for batch in self._waiting)

    def _done(self) -> Iterator[np.ndarray]:
        """Wait for a batch, and yield the vectors of those that are done and have none before them."""
        unmade = {batch.answer: batch for batch in self._waiting if batch.vectors is None}
        for answer in ray.wait(list(unmade), num_returns=1)[0]:
            try:
                unmade[answer].vectors = ray.get(answer)
            except ray.exceptions.RayTaskError as error:
                raise error.cause from None
            except (ray.exceptions.RayActorError, ray.exceptions.ActorUnschedulableError) as error:
                self._go_on_without(unmade[answer].member, error)
        while self._waiting and (vectors := self._waiting[0].vectors) is not None:
            self._waiting.popleft()
            yield vectors

    def _go_on_without(self, lost: Any, error: Exception) -> None:
        """Give what lay at the `lost` encoder to the others, or to new ones where it was the last."""
        self._losses += 1
        if self._losses >= MOST_LOSSES:
            raise InputError(f"machines of the cluster were lost {MOST_LOSSES} times in one step: the last by {error}")
        self._say("a machine was lost: the others go on with its items")
        self._members.remove(lost)
        if not self._members:
            time.sleep(PAUSE)
            self._members = _start(self.folder)
        for batch in self._waiting:
            if batch.member is lost and batch.vectors is None:
                batch.member = min(self._members, key=self._load)
                batch.answer = batch.member.embed.remote(batch.samples)


def _start(folder: Path) -> list[Any]:
    """Return encoders, on each node one for each of its GPUs, or one for all of its processors."""
    members = []
    for node in nodes():
        gpus, cpus = (int(node["Resources"].get(kind, 0)) for kind in ("GPU", "CPU"))
        here = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        remote = _REMOTE.options(scheduling_strategy=here, num_gpus=1 if gpus else 0)
        members += [remote.remote(folder, max(1, cpus // max(gpus, 1))) for _ in range(max(gpus, 1))]
    return members
