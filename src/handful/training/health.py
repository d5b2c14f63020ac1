"""How well a training goes, told without labels: figures of the vectors, and a verdict in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch

from handful.training.finish import fit_finish

COLLAPSED_RANK = 5.0  # fewer directions than this cannot tell ten classes apart
COLLAPSED_CONTRAST = 0.01  # half precision keeps three digits: what differs by less is noise
NOTICEABLE = 0.01  # of agreement: about two standard errors of 1,024 rows with 10 neighbours each
CLEARLY = 0.05
"""Of agreement: a network this little below the raw input may be the better one. The view that judges looks at places,
as pixels do: SimCLR and VICReg lay .01 to .04 below on 2,000 to 70,000 images of Fashion-MNIST, where by true classes
(of 60,000, kNN) they are 1.1 and 1.5 points above principal components."""
FALLING = 0.02  # share of the loss lost in two epochs


@dataclass(frozen=True)
class Health:
    """Figures of the vectors of a fixed sample of rows.

    contrast: standard deviation of the vectors over their root mean square length, before anything is centred: 0 where
    all samples have one vector. rank: RankMe, the exponential of the entropy of the singular values (Garrido et al.
    2023), of at most `width`.
    spread: mean standard deviation of the coordinates of unit vectors times sqrt(width); 1 is even, 0 collapsed.
    uniformity: log of the mean Gaussian potential of two samples on the unit sphere, -4 the least; alignment: mean
    squared distance of two views of one sample there, None where the method does not ask for likeness of views (Wang
    and Isola 2020). Lower is better for both.
    agreement: the share of nearest neighbours, of the vectors as they are compared later, that share a group which
    another, untrained view of the data finds; None where there is no such view.
    """

    contrast: float
    rank: float
    width: int
    spread: float
    uniformity: float
    alignment: float | None = None
    agreement: float | None = None

    def as_dict(self) -> dict[str, float]:
        """Return the figures by name, without those that could not be taken."""
        return {name: figure for name, figure in asdict(self).items() if figure is not None}

    @property
    def collapsed(self) -> bool:
        """Whether the vectors no longer tell samples apart."""
        return self.rank < min(COLLAPSED_RANK, self.width / 2) or self.contrast < COLLAPSED_CONTRAST


def measure(
    vectors: np.ndarray,
    viewed: np.ndarray | None = None,
    *,
    groups: np.ndarray | None = None,
    origin: str = "trained",
) -> Health:
    """Return the health of the vectors [M, D] of M samples.

    viewed: [M, D] vectors of another view of each. groups: [M] of an independent view of the data. origin: of the
    network, which decides how its vectors are finished before neighbours are looked for.
    """
    deviation = np.sqrt(vectors.astype(np.float64).var(0).sum())
    length = np.sqrt(np.square(vectors, dtype=np.float64).sum(1).mean())
    unit = _unit(vectors)
    width = unit.shape[1]
    return Health(
        contrast=float(deviation / max(length, 1e-12)),
        rank=effective_rank(unit),
        width=width,
        spread=float(unit.std(0).mean() * np.sqrt(width)),
        uniformity=float(np.log(np.exp(-2 * (2 - 2 * unit @ unit.T)[np.triu_indices(len(unit), 1)]).mean())),
        alignment=None if viewed is None else float(np.square(unit - _unit(viewed)).sum(1).mean()),
        agreement=None if groups is None else _finished_agreement(vectors, groups, origin),
    )


def effective_rank(vectors: np.ndarray) -> float:
    """Return the exponential of the entropy of the singular values of vectors [M, D], centred."""
    centred = vectors - vectors.mean(0)
    small = centred @ centred.T if len(centred) < centred.shape[1] else centred.T @ centred
    singular = np.sqrt(np.linalg.eigvalsh(small).clip(0))  # of the smaller product: a tenth of the time of an SVD
    if singular.sum() <= 1e-9:
        return 1.0
    share = singular / singular.sum()
    return float(np.exp(-(share * np.log(share + 1e-12)).sum()))


def agreement(unit: np.ndarray, groups: np.ndarray, *, n_neighbors: int = 10) -> float:
    """Return how many of the nearest neighbours of unit vectors [M, D] share the group [M] of their row, 0 to 1."""
    likeness = unit @ unit.T
    np.fill_diagonal(likeness, -np.inf)
    nearest = np.argpartition(-likeness, min(n_neighbors, len(unit) - 2), axis=1)[:, :n_neighbors]
    return float((groups[nearest] == groups[:, None]).mean())


def judge(now: Health, untrained: Health, raw: Health, losses: Sequence[float], past: Sequence[float] = ()) -> str:
    """Return the verdict on a training in words, with what to do where it is not well.

    losses: by epoch, the present one last; past: the agreement of the epochs before it.
    """
    rank = f"effective rank {now.rank:.0f} of {now.width} (untrained {untrained.rank:.0f}, raw input {raw.rank:.0f})"
    if now.collapsed:
        return f"collapsed: {rank}; use a lower learning rate, larger batches or stronger views."
    improving = is_improving(now, losses, past)
    if now.agreement is not None and raw.agreement is not None:
        behind = _behind(now.agreement, untrained.agreement, raw.agreement, past, improving)
        if behind is not None:
            return f"{behind} {rank.capitalize()}."
    elif now.rank < untrained.rank and now.rank < raw.rank:
        return f"narrow: {rank}; train longer, or compare with the encoder 'pca' before relying on it."
    if len(losses) < 3:
        return f"healthy: {rank}."
    if improving:
        return f"healthy and still improving: {rank}; more epochs would help."
    return f"healthy and done: {rank}; neither the loss nor the neighbours get better."


def is_improving(now: Health, losses: Sequence[float], past: Sequence[float]) -> bool:
    """Tell whether, over two epochs, the loss fell or the neighbours got better by what can be noticed."""
    if len(losses) < 3:
        return False
    rose = now.agreement is not None and len(past) >= 2 and now.agreement - past[-2] > NOTICEABLE
    return rose or losses[-3] - losses[-1] > FALLING * abs(losses[-3])


def _behind(now: float, untrained: float | None, raw: float, past: Sequence[float], improving: bool) -> str | None:
    """Return what the neighbours are not better than, and the remedy; None where they are the best so far."""
    share = f"{now:.0%} of neighbours share a group that an independent view of the data finds"
    best = max(past, default=now)
    undone = untrained is not None and now - untrained <= NOTICEABLE
    if undone and best - now > NOTICEABLE and best > raw:
        epoch = list(past).index(best) + 1
        return f"past its best: {share}, {best:.0%} after epoch {epoch}; keep that epoch, or lower the learning rate."
    if now >= raw - CLEARLY:
        return None
    young = improving or len(past) < 2
    state = "still improving, and so far no better than PCA" if young else "no better than PCA"
    if untrained is not None and now < untrained - NOTICEABLE and not young:
        state = "no better than PCA or the untrained network"
    remedy = "train longer" if young else "use milder views or another method"
    told = f"{state}: {share}, {raw:.0%} of those of the raw input; {remedy}, or set 'pca' beside it."
    return told if young else f"{told} With labels `handful evaluate` tells for sure."


def _finished_agreement(vectors: np.ndarray, groups: np.ndarray, origin: str) -> float:
    """Return the agreement of vectors as they are compared later; that of chance where all are equal."""
    if not np.ptp(vectors, axis=0).any():
        return float(np.square(np.bincount(groups) / len(groups)).sum())
    finish = fit_finish(vectors, origin)
    return agreement(finish(torch.from_numpy(vectors)).numpy(), groups)


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Return rows centred and of length one."""
    vectors = vectors.astype(np.float64)
    vectors = vectors - vectors.mean(0)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
