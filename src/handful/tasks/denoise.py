"""Clean copies of samples, from an encoder that was trained with the method "denoising"."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from handful.data import Dataset
from handful.encoders.autoencoder import Restorer
from handful.errors import InputError
from handful.tasks.outputs import output_paths
from handful.training.embed import Progress, batches_of, device_of, to_device
from handful.training.encoder import Encoder, find_encoder

ROWS_AT_A_TIME = 1024


@torch.inference_mode()
def denoise(
    encoder: Encoder | Any,
    data: Dataset,
    *,
    rows: np.ndarray | None = None,
    batch_size: int = 256,
    progress: Progress | None = None,
) -> Any:
    """Return clean copies of `data`, or of `rows` only, of the scale of batches (images [N, C, H, W] in [-1, 1]).

    encoder: an Encoder, a run, or a folder of either. data: read as the encoder reads (`encoder.read`).
    Raises InputError where the encoder was trained with another method, or reads other data.
    """
    encoder = find_encoder(encoder)
    restorer = find_restorer(encoder)
    encoder.check_reads(data)
    rows = np.arange(len(data)) if rows is None else np.asarray(rows)
    cleaned = []
    for chosen in batches_of(rows, batch_size):
        batch = encoder.modality.batch(data.samples, chosen)
        cleaned.append(clean_batch(encoder, restorer, batch).numpy())
        if progress is not None:
            progress(sum(len(part) for part in cleaned), len(rows))
    if not cleaned:
        raise InputError("there are no rows to clean.")
    return np.concatenate(cleaned)


def write_clean(encoder: Encoder, data: Dataset, out: str | Path, *, progress: Progress | None = None) -> list[Path]:
    """Write a clean copy of every item of `data` to the folder `out`, under the item's id, and return the paths.

    Raises InputError where the encoder cleans nothing, or data of a kind that has no files of its own.
    """
    write: Callable[..., Path] | None = getattr(encoder.modality, "write", None)
    if write is None:
        raise InputError(f"clean copies of {encoder.modality.name} have no file form: use handful.denoise in Python.")
    find_restorer(encoder)
    paths = output_paths(data.ids, Path(out))
    written: list[Path] = []
    for rows in batches_of(np.arange(len(data)), ROWS_AT_A_TIME):
        copies = denoise(encoder, data, rows=rows)
        written += [write(copy, paths[row]) for row, copy in zip(rows.tolist(), copies, strict=True)]
        if progress is not None:
            progress(len(written), len(data))
    return written


@torch.inference_mode()
def clean_batch(encoder: Encoder, restorer: Restorer, batch: torch.Tensor) -> torch.Tensor:
    """Return the clean copy of one batch."""
    device = device_of(restorer)
    returned = restorer.reconstruct(to_device(batch, device))
    return encoder.modality.from_tokens(returned, like=batch).float().cpu()


def find_restorer(encoder: Encoder) -> Restorer:
    """Return the network that cleans. Raises InputError where the encoder has none, or reads symbols."""
    if encoder.modality.name in ("audio", "series"):
        raise InputError(f"clean copies are made of images, and this encoder reads {encoder.modality.name}.")
    for network in encoder.networks.values():
        if isinstance(network, Restorer):
            if network.kind.symbolic:
                raise InputError(f"{encoder.modality.name} is made of symbols, which have no clean copy: use 'masked'.")
            return network
    raise InputError(
        f"an encoder of {', '.join(encoder.networks)} gives nothing back in full resolution: "
        "pretrain with method 'denoising'."
    )
