"""How well a training goes, told without labels: spread of the vectors, agreement of views, and a verdict in words."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from handful.data import Dataset, Samples
from handful.methods import Method
from handful.modalities.contract import Modality
from handful.training.embed import pooled_vectors, to_device

HEALTH_ROWS = 1024
MOST_GROUPS = 50
COLLAPSED_RANK = 5.0  # fewer directions than this cannot tell ten classes apart
COLLAPSED_CONTRAST = 0.01  # half precision keeps three digits: what differs by less is noise


@dataclass(frozen=True)
class Health:
    """Figures of the vectors of a fixed sample of rows.

    contrast: standard deviation of the vectors over their root mean square length, before anything is centred: 0 where
    all samples have one vector. rank: RankMe, the exponential of the entropy of the singular values (Garrido et al.
    2023), of at most `width`.
    spread: mean standard deviation of the coordinates of unit vectors times sqrt(width); 1 is even, 0 collapsed.
    alignment: mean squared distance of two views of one sample on the unit sphere; uniformity: log of the mean
    Gaussian potential of two samples (Wang and Isola 2020). Lower is better for both, -4 the least for uniformity.
    agreement: the share of nearest neighbours that share a group which another, untrained view of the data finds.
    """

    contrast: float
    rank: float
    width: int
    spread: float
    alignment: float
    uniformity: float
    agreement: float | None = None

    def as_dict(self) -> dict[str, float]:
        """Return the figures by name, without those that could not be taken."""
        return {name: figure for name, figure in asdict(self).items() if figure is not None}

    @property
    def collapsed(self) -> bool:
        """Whether the vectors no longer tell samples apart."""
        return self.rank < min(COLLAPSED_RANK, self.width / 2) or self.contrast < COLLAPSED_CONTRAST


def measure(first: np.ndarray, second: np.ndarray, groups: np.ndarray | None = None) -> Health:
    """Return the health of the vectors [M, D] of two views of the same M samples, in `groups` [M] if known."""
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
        agreement=None if groups is None else agreement(first, groups),
    )


@torch.inference_mode()
def measure_network(
    network: nn.Module,
    modality: Modality,
    samples: Samples,
    rows: np.ndarray,
    *,
    groups: np.ndarray | None = None,
    seed: int = 0,
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
    return measure(np.concatenate(seen), np.concatenate(viewed), groups)


@dataclass(frozen=True)
class Panel:
    """A fixed sample of rows on which a training is looked at, and what was there before it began."""

    modality: Modality
    samples: Samples
    rows: np.ndarray
    groups: np.ndarray | None
    seed: int
    untrained: Health
    raw: Health

    @classmethod
    def of(cls, method: Method, data: Dataset, *, seed: int) -> Panel:
        """Return the panel of a training that is about to begin."""
        rows = np.sort(np.random.default_rng(seed).permutation(len(data))[:HEALTH_ROWS])
        groups = independent_groups(method.modality, data.samples, rows, seed=seed)
        untrained = measure_network(method.network, method.modality, data.samples, rows, groups=groups, seed=seed)
        raw = raw_health(method.modality, data, rows, groups=groups)
        return cls(method.modality, data.samples, rows, groups, seed, untrained, raw)

    def look(self, network: nn.Module, epoch: int, losses: dict[str, float], before: list[float]) -> dict[str, Any]:
        """Return the line of an epoch: its number, losses, health and verdict; `before`: the losses of earlier ones."""
        health = measure_network(network, self.modality, self.samples, self.rows, groups=self.groups, seed=self.seed)
        verdict = judge(health, self.untrained, self.raw, [*before, losses["loss"]])
        return {"epoch": epoch, **losses, **health.as_dict(), "verdict": verdict}


def raw_health(modality: Modality, data: Dataset, rows: np.ndarray, *, groups: np.ndarray | None = None) -> Health:
    """Return the health of the raw input itself, its first 64 principal components."""
    generator = torch.Generator().manual_seed(0)
    batch = modality.batch(data.samples, rows)
    seen = modality.flat(batch).numpy()
    viewed = modality.flat(modality.view(batch, generator=generator)).numpy()
    mean = seen.mean(0)
    _, _, axes = np.linalg.svd(seen - mean, full_matrices=False)
    return measure((seen - mean) @ axes[:64].T, (viewed - mean) @ axes[:64].T, groups)


def judge(now: Health, untrained: Health, raw: Health, losses: list[float]) -> str:
    """Return the verdict on a training in words, with what to do where it is not well; `losses` by epoch."""
    rank = f"effective rank {now.rank:.0f} of {now.width} (untrained {untrained.rank:.0f}, raw input {raw.rank:.0f})"
    if now.collapsed:
        return f"collapsed: {rank}; use a lower learning rate, larger batches or stronger views."
    falling = len(losses) >= 3 and losses[-3] - losses[-1] > 0.02 * abs(losses[-3])
    if now.agreement is not None and raw.agreement is not None and now.agreement < raw.agreement:
        state = "still improving, and so far no better than PCA" if falling or len(losses) < 3 else "no better than PCA"
        remedy = "train longer" if falling or len(losses) < 3 else "use milder views or another method"
        return (
            f"{state}: {now.agreement:.0%} of neighbours share a group that an independent view of the data finds, "
            f"{raw.agreement:.0%} of those of the raw input; {remedy}, or set 'pca' beside it. {rank.capitalize()}."
        )
    if now.rank < untrained.rank and now.rank < raw.rank:
        return f"narrow: {rank}; train longer, or compare with the encoder 'pca' before relying on it."
    if falling:
        return f"healthy and still improving: {rank}; the loss still falls, more epochs would help."
    if len(losses) >= 3:
        return f"healthy and done: {rank}; the loss has levelled off."
    return f"healthy: {rank}."


def independent_groups(modality: Modality, samples: Samples, rows: np.ndarray, *, seed: int) -> np.ndarray | None:
    """Return a group [M] for each row, found by an untrained encoder that is neither the trained one nor PCA.

    What two views of the data agree on that err differently is likely true (Blum and Mitchell 1998); so neighbours
    that share such a group more often are better neighbours. None where the kind of data has no such encoder.
    """
    from sklearn.cluster import KMeans

    judges = [net for name, net in modality.floors().items() if name != "pca" and not hasattr(net, "fit")]
    n_groups = min(MOST_GROUPS, len(rows) // 20)
    if not judges or n_groups < 2:
        return None
    vectors = _unit(pooled_vectors(judges[-1], modality, samples, rows))
    with warnings.catch_warnings(action="ignore"):  # fewer distinct rows than groups
        return KMeans(n_groups, n_init=1, max_iter=30, random_state=seed).fit_predict(vectors)


def agreement(unit: np.ndarray, groups: np.ndarray, *, n_neighbors: int = 10) -> float:
    """Return how many of the nearest neighbours of unit vectors [M, D] share the group [M] of their row, 0 to 1."""
    likeness = unit @ unit.T
    np.fill_diagonal(likeness, -np.inf)
    nearest = np.argpartition(-likeness, min(n_neighbors, len(unit) - 2), axis=1)[:, :n_neighbors]
    return float((groups[nearest] == groups[:, None]).mean())


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Return rows centred and of length one: what the graph sees of them."""
    vectors = vectors.astype(np.float64)
    vectors = vectors - vectors.mean(0)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
