"""Clean copies of samples, from an encoder that was trained with the method "denoising"."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from handful.data import Dataset
from handful.encoders.autoencoder import Restorer
from handful.errors import InputError
from handful.training.embed import Progress, batches_of, to_device
from handful.training.encoder import Encoder


@torch.inference_mode()
def denoise(
    encoder: Encoder,
    data: Dataset,
    *,
    rows: np.ndarray | None = None,
    batch_size: int = 256,
    progress: Progress | None = None,
) -> Any:
    """Return clean copies of `data`, or of `rows` only, of the scale of batches (images [N, C, H, W] in [-1, 1]).

    Raises InputError where the encoder was trained with another method, or reads other data.
    """
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


@torch.inference_mode()
def clean_batch(encoder: Encoder, restorer: Restorer, batch: torch.Tensor) -> torch.Tensor:
    """Return the clean copy of one batch."""
    device = next(restorer.parameters()).device
    returned = restorer.reconstruct(to_device(batch, device))
    return encoder.modality.from_tokens(returned, like=batch).float().cpu()


def find_restorer(encoder: Encoder) -> Restorer:
    """Return the network that cleans. Raises InputError where the encoder has none, or reads symbols."""
    for network in encoder.networks.values():
        if isinstance(network, Restorer):
            if network.kind.symbolic:
                raise InputError(f"{encoder.modality.name} is made of symbols, which have no clean copy: use 'masked'.")
            return network
    raise InputError(
        f"an encoder of {', '.join(encoder.networks)} gives nothing back in full resolution: "
        "pretrain with method 'denoising'."
    )
