"""The embedding of a data set: ids, vectors and which columns came from which block."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from torch import nn

from handful.data import Samples
from handful.errors import InputError
from handful.modalities.contract import Modality

BATCH_SIZE = 512
VALUES_AT_ONCE = 2**24
"""Numbers in a batch that is embedded, 64 MB: of photos of 224 pixels 512 would take 300 MB, and what is made of them
several times as much."""
Progress = Callable[[int, int], None]  # rows done, rows in all


@dataclass(frozen=True)
class Embeddings:
    """What an encoder makes of a data set.

    ids: [N] the items' ids; vectors: [N, D] float32, every block's rows of length one.
    blocks: the columns of each block by name; a single encoder has one.
    counts: how much each block counts in a graph, by name; one where it is not named.
    """

    ids: np.ndarray
    vectors: np.ndarray
    blocks: Mapping[str, slice] = field(default_factory=dict)
    counts: Mapping[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def load(cls, folder: str | Path) -> Embeddings:
        """Return the embeddings of a run folder, memory-mapped. Raises InputError where there are none."""
        path = Path(folder) / "embeddings.npy"
        if not path.is_file():
            raise InputError(f"{path} is missing: run `handful embed` on this run folder first.")
        table = pq.read_table(path.with_name("ids.parquet"))
        ids = np.array(table.column("id").to_pylist(), dtype=str)
        blocks = json.loads(table.schema.metadata[b"blocks"])
        counts = json.loads(table.schema.metadata.get(b"counts", b"{}"))
        vectors = np.load(path, mmap_mode="r", allow_pickle=False)
        return cls(ids, vectors, {name: slice(*ends) for name, ends in blocks.items()}, counts)

    @property
    def scales(self) -> np.ndarray | None:
        """[D] what the columns are multiplied by so that every block counts what it should in a product of rows; None
        where all count alike."""
        if not self.counts:
            return None
        scales = np.ones(self.vectors.shape[1], dtype=np.float32)
        for name, columns in self.blocks.items():
            scales[columns] = math.sqrt(self.counts.get(name, 1.0))
        return scales

    def block(self, name: str) -> np.ndarray:
        """Return the vectors [N, d] of one block."""
        if name not in self.blocks:
            raise InputError(f"{name!r} is not a block of these embeddings: they hold {', '.join(self.blocks)}.")
        return self.vectors[:, self.blocks[name]]


def batches_of(rows: np.ndarray, batch_size: int) -> Iterator[np.ndarray]:
    """Yield `rows` in order, `batch_size` at a time."""
    for start in range(0, len(rows), batch_size):
        yield rows[start : start + batch_size]


@torch.inference_mode()
def pooled_vectors(
    network: nn.Module,
    modality: Modality,
    samples: Samples,
    rows: np.ndarray,
    *,
    batch_size: int = BATCH_SIZE,
    progress: Progress | None = None,
) -> np.ndarray:
    """Return the pooled vectors [len(rows), D] float32 of `rows`, in evaluation mode, whatever mode it was in."""
    was_training = network.training
    network.eval()
    found: np.ndarray | None = None
    done = 0
    device = device_of(network)
    for chosen in batches_of(rows, fitting_batch(samples, batch_size)):
        batch = modality.batch(samples, chosen)
        vectors = network(to_device(batch, device)).pooled.float().cpu().numpy()
        if found is None:
            found = np.empty((len(rows), vectors.shape[1]), dtype=np.float32)
        found[done : done + len(vectors)] = vectors
        done += len(vectors)
        if progress is not None:
            progress(done, len(rows))
    network.train(was_training)
    if found is None:
        raise InputError("there are no rows to embed.")
    return found


def fitting_batch(samples: Samples, batch_size: int = BATCH_SIZE) -> int:
    """Return how many of large samples are embedded at a time, at most `batch_size`: of unequal ones as many as if all
    were as large as the largest."""
    return max(1, min(batch_size, VALUES_AT_ONCE // values_in(samples)))


def values_in(samples: Samples) -> int:
    """Return how many values a sample has, the largest where they differ; 1 where that is not known."""
    return max(1, getattr(samples, "largest", None) or math.prod(getattr(samples, "shape", (1,))[1:]))


def lay_out(module: nn.Module) -> None:
    """Put channels last in the weights of `module`: half the time of convolutions in bfloat16 on a CPU.

    A module with weights of five axes (clips) is left as it is: torch has no such layout for them.
    """
    if all(weight.ndim < 5 for weight in module.parameters()):
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def device_of(module: nn.Module) -> torch.device:
    """Return the device that `module` lies on: that of its first parameter or buffer."""
    return next(chain(module.parameters(), module.buffers()), torch.empty(0)).device


def to_device(batch: object, device: torch.device) -> object:
    """Return a batch (a tensor or a dict of tensors) on `device`."""
    if isinstance(batch, Mapping):
        return {name: to_device(part, device) for name, part in batch.items()}
    if not isinstance(batch, torch.Tensor) or batch.device == device:
        return batch
    # A copy from pinned memory runs beside the work on the device; torch keeps that memory until it is done.
    return (batch.pin_memory() if device.type == "cuda" else batch).to(device, non_blocking=True)
