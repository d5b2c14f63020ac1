"""How well a training goes, told without labels: spread of the vectors, agreement of views, and a verdict in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from handful.data import Dataset, Samples
from handful.methods import Method
from handful.modalities.contract import Modality
from handful.training.embed import to_device

HEALTH_ROWS = 1024
COLLAPSED_RANK = 5.0  # fewer directions than this cannot tell ten classes apart
COLLAPSED_CONTRAST = 0.01  # half precision keeps three digits: what differs by less is noise


@dataclass(frozen=True)
class Health:
    """Figures of the vectors of a fixed sample of rows.

    contrast: standard deviation of the vectors over their root mean square length, before anything is centred: 0 where
    all samples have one vector. rank: RankMe, the exponential of the entropy of the singular values (Garrido et al. 2023), of at most `width`.
    spread: mean standard deviation of the coordinates of unit vectors times sqrt(width); 1 is even, 0 collapsed.
    alignment: mean squared distance of two views of one sample on the unit sphere; uniformity: log of the mean
    Gaussian potential of two samples (Wang and Isola 2020). Lower is better for both, -4 the least for uniformity.
    """

    contrast: float
    rank: float
    width: int
    spread: float
    alignment: float
    uniformity: float

    def as_dict(self) -> dict[str, float]:
        """Return the figures by name."""
        return asdict(self)

    @property
    def collapsed(self) -> bool:
        """Whether the vectors no longer tell samples apart."""
        return self.rank < min(COLLAPSED_RANK, self.width / 2) or self.contrast < COLLAPSED_CONTRAST


def measure(first: np.ndarray, second: np.ndarray) -> Health:
    """Return the health of the vectors [M, D] of two views of the same M samples."""
    deviation = np.sqrt(first.astype(np.float64).var(0).sum())
    length = np.sqrt(np.square(first, dtype=np.float64).sum(1).mean())
    first, second = _unit(first), _unit(second)
    width = first.shape[1]
    centred = first - first.mean(0)
    singular = np.linalg.svd(centred, compute_uv=False)
    share = singular / max(singular.sum(), 1e-12)
    rank = float(np.exp(-(share * np.log(share + 1e-12)).sum())) if singular.sum() > 1e-9 else 1.0
    squared = 2 - 2 * first @ first.T
    pairs = squared[np.triu_indices(len(first), 1)]
    return Health(
        contrast=float(deviation / max(length, 1e-12)),
        rank=rank,
        width=width,
        spread=float(first.std(0).mean() * np.sqrt(width)),
        alignment=float(np.square(first - second).sum(1).mean()),
        uniformity=float(np.log(np.exp(-2 * pairs).mean())),
    )


@torch.inference_mode()
def measure_network(
    network: nn.Module, modality: Modality, samples: Samples, rows: np.ndarray, *, seed: int = 0
) -> Health:
    """Return the health of a network on `rows`: its pooled vectors of the samples and of one view of each."""
    was_training = network.training
    network.eval()
    device = next(network.parameters(), torch.empty(0)).device
    generator = torch.Generator(device).manual_seed(seed)
    seen, viewed = [], []
    for start in range(0, len(rows), 256):
        batch = to_device(modality.batch(samples, rows[start : start + 256]), device)
        seen.append(network(batch).pooled.float().cpu().numpy())
        viewed.append(network(modality.view(batch, generator=generator)).pooled.float().cpu().numpy())
    network.train(was_training)
    return measure(np.concatenate(seen), np.concatenate(viewed))


@dataclass(frozen=True)
class Panel:
    """A fixed sample of rows on which a training is looked at, and what was there before it began."""

    modality: Modality
    samples: Samples
    rows: np.ndarray
    seed: int
    untrained: Health
    raw: Health

    @classmethod
    def of(cls, method: Method, data: Dataset, *, seed: int) -> Panel:
        """Return the panel of a training that is about to begin."""
        rows = np.sort(np.random.default_rng(seed).permutation(len(data))[:HEALTH_ROWS])
        untrained = measure_network(method.network, method.modality, data.samples, rows, seed=seed)
        return cls(method.modality, data.samples, rows, seed, untrained, raw_health(method.modality, data, rows))

    def look(self, network: nn.Module, epoch: int, losses: dict[str, float], before: list[float]) -> dict[str, Any]:
        """Return the line of an epoch: its number, losses, health and verdict; `before`: the losses of earlier ones."""
        health = measure_network(network, self.modality, self.samples, self.rows, seed=self.seed)
        verdict = judge(health, self.untrained, self.raw, [*before, losses["loss"]])
        return {"epoch": epoch, **losses, **health.as_dict(), "verdict": verdict}


def raw_health(modality: Modality, data: Dataset, rows: np.ndarray) -> Health:
    """Return the health of the raw input itself, its first 64 principal components."""
    generator = torch.Generator().manual_seed(0)
    batch = modality.batch(data.samples, rows)
    seen = modality.flat(batch).numpy()
    viewed = modality.flat(modality.view(batch, generator=generator)).numpy()
    mean = seen.mean(0)
    _, _, axes = np.linalg.svd(seen - mean, full_matrices=False)
    return measure((seen - mean) @ axes[:64].T, (viewed - mean) @ axes[:64].T)


def judge(now: Health, untrained: Health, raw: Health, losses: list[float]) -> str:
    """Return the verdict on a training in words, with what to do where it is not well."""
    rank = f"effective rank {now.rank:.0f} of {now.width} (untrained {untrained.rank:.0f}, raw input {raw.rank:.0f})"
    if now.collapsed:
        return f"collapsed: {rank}; use a lower learning rate, larger batches or stronger views."
    if now.rank < untrained.rank and now.rank < raw.rank:
        return f"narrow: {rank}; train longer, or compare with the encoder 'pca' before relying on it."
    if len(losses) >= 3 and losses[-3] - losses[-1] > 0.02 * abs(losses[-3]):
        return f"healthy and still improving: {rank}; the loss still falls, more epochs would help."
    if len(losses) >= 3:
        return f"healthy and done: {rank}; the loss has levelled off."
    return f"healthy: {rank}."


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Return rows centred and of length one: what the graph sees of them."""
    vectors = vectors.astype(np.float64)
    vectors = vectors - vectors.mean(0)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
