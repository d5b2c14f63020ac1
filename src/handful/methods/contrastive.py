"""Contrastive methods: the target is another view of the same sample."""

from __future__ import annotations

import copy
import math

import torch
from torch import nn
from torch.nn import functional as F

from handful.encoders.regions import maps_in_regions
from handful.encoders.synchronised import BatchNorm, gather_rows, process_count
from handful.methods.method import Loss, Method
from handful.methods.pretext import two_views
from handful.modalities.contract import Batch, Modality


class _Contrastive(Method):
    """What the contrastive methods share. The loss takes the mean of all places, which a crop leaves much as it was;
    what embeds pictures of one frame are the means of their regions, which know where things are."""

    compares_samples = True
    aligns_views = True
    only_embeds = True

    def __init__(self, backbone: nn.Module, modality: Modality) -> None:
        super().__init__(backbone, modality)
        self.whole = maps_in_regions(backbone, modality)

    @property
    def network(self) -> nn.Module:
        return self.backbone if self.whole is None else self.whole

    @property
    def begins_coarse(self) -> bool:
        """A view is the same thing at half the resolution, to a network that reads any size (progressive resizing;
        the rest of the training, at full resolution, undoes what differs: Touvron et al. 2019)."""
        return bool(getattr(self.backbone, "any_size", False)) and hasattr(self.modality, "coarse")


class SimCLR(_Contrastive):
    """Pulls two views of a sample together and pushes all other samples of the batch away (Chen et al. 2020).

    projection: width of the space in which the loss is taken; temperature: how sharply near negatives are pushed.
    """

    def __init__(
        self, backbone: nn.Module, modality: Modality, *, projection: int = 128, temperature: float = 0.2
    ) -> None:
        super().__init__(backbone, modality)
        self.temperature = temperature
        self.projector = projector(self.backbone.width, projection)

    def forward(self, batch: Batch, generator: torch.Generator) -> Loss:
        views = two_views(batch, self.modality, generator)
        first, second = self.projector(self.backbone(views).pooled).chunk(2)
        total = nt_xent(gather_rows(first), gather_rows(second), temperature=self.temperature)
        return Loss(total, {"nt_xent": total.detach()})


class MoCo(_Contrastive):
    """Finds the vector that a slowly following teacher gives another view, among those of the batch (MoCo v3, Chen,
    Xie and He 2021).

    momentum: how much of itself the teacher keeps at each step, rising to 1 along a cosine.
    """

    def __init__(
        self,
        backbone: nn.Module,
        modality: Modality,
        *,
        projection: int = 128,
        temperature: float = 0.2,
        momentum: float = 0.99,
    ) -> None:
        super().__init__(backbone, modality)
        self.temperature, self.momentum = temperature, momentum
        self.projector = projector(self.backbone.width, projection)
        self.predictor = projector(projection, projection, hidden=2 * self.backbone.width)
        self.teacher = copy.deepcopy(nn.ModuleList([self.backbone, self.projector])).requires_grad_(False)

    def forward(self, batch: Batch, generator: torch.Generator) -> Loss:
        views = two_views(batch, self.modality, generator)
        queries = self.predictor(self.projector(self.backbone(views).pooled))
        with torch.no_grad():
            backbone, head = self.teacher
            keys = head(backbone(views).pooled)
        first, second = (gather_rows(part) for part in queries.chunk(2))
        first_key, second_key = (gather_rows(part) for part in keys.chunk(2))
        total = info_nce(first, second_key, temperature=self.temperature)
        total = total + info_nce(second, first_key, temperature=self.temperature)
        return Loss(total, {"info_nce": total.detach()})

    @torch.no_grad()
    def after_step(self, progress: float) -> None:
        """Let the teacher follow."""
        share = (1 - self.momentum) * 0.5 * (1 + math.cos(math.pi * progress))
        student = nn.ModuleList([self.backbone, self.projector])
        torch._foreach_lerp_(list(self.teacher.parameters()), list(student.parameters()), share)


class VICReg(_Contrastive):
    """Keeps two views of a sample close, every coordinate spread and no two coordinates alike (Bardes, Ponce and
    LeCun 2022).

    projection: width of the space in which the loss is taken, wider than the vectors.
    """

    def __init__(
        self,
        backbone: nn.Module,
        modality: Modality,
        *,
        projection: int = 512,
        invariance: float = 25.0,
        variance: float = 25.0,
        covariance: float = 1.0,
    ) -> None:
        super().__init__(backbone, modality)
        self.weights = {"invariance": invariance, "variance": variance, "covariance": covariance}
        self.expander = expander(self.backbone.width, projection)

    def forward(self, batch: Batch, generator: torch.Generator) -> Loss:
        views = two_views(batch, self.modality, generator)
        first, second = (gather_rows(part).float() for part in self.expander(self.backbone(views).pooled).chunk(2))
        parts = {
            "invariance": F.mse_loss(first, second),
            "variance": (spread_hinge(first) + spread_hinge(second)) / 2,
            "covariance": off_diagonal_covariance(first) + off_diagonal_covariance(second),
        }
        total = torch.stack([self.weights[name] * part for name, part in parts.items()]).sum()
        return Loss(total, {name: part.detach() for name, part in parts.items()})


class SIGReg(_Contrastive):
    """Predicts one view of a sample from the other and holds all vectors to a standard normal distribution (LeJEPA,
    Balestriero and LeCun 2025): no teacher, no negatives, one knob.

    normality: the knob, the share of the loss that asks for normality; directions: random ones, drawn at each step,
    along which it is tested.
    """

    def __init__(
        self,
        backbone: nn.Module,
        modality: Modality,
        *,
        projection: int = 64,
        normality: float = 0.05,
        directions: int = 256,
    ) -> None:
        super().__init__(backbone, modality)
        self.normality, self.directions = normality, directions
        self.projector = expander(self.backbone.width, projection)

    def forward(self, batch: Batch, generator: torch.Generator) -> Loss:
        views = two_views(batch, self.modality, generator)
        first, second = (gather_rows(part).float() for part in self.projector(self.backbone(views).pooled).chunk(2))
        prediction = (first - second).square().mean() / 4  # each view's mean squared distance to the mean of both
        axes = random_directions(first.shape[1], self.directions, like=first, generator=generator)
        normality = (epps_pulley(first @ axes).mean() + epps_pulley(second @ axes).mean()) / 2
        total = (1 - self.normality) * prediction + self.normality * normality
        return Loss(total, {"prediction": prediction.detach(), "normality": normality.detach()})


def projector(width: int, projection: int, *, hidden: int | None = None) -> nn.Sequential:
    """Return the two-layer head of SimCLR, with batch norm after each layer as in its later versions."""
    hidden = hidden or 2 * width
    return nn.Sequential(
        nn.Linear(width, hidden, bias=False),
        BatchNorm(hidden),
        nn.ReLU(),
        nn.Linear(hidden, projection, bias=False),
        BatchNorm(projection, affine=False),
    )


def expander(width: int, projection: int) -> nn.Sequential:
    """Return the three-layer head of VICReg, whose last layer is free: the loss itself sets its scale."""
    hidden = max(2 * width, projection)
    return nn.Sequential(
        nn.Linear(width, hidden, bias=False),
        BatchNorm(hidden),
        nn.ReLU(),
        nn.Linear(hidden, hidden, bias=False),
        BatchNorm(hidden),
        nn.ReLU(),
        nn.Linear(hidden, projection),
    )


def nt_xent(first: torch.Tensor, second: torch.Tensor, *, temperature: float) -> torch.Tensor:
    """Return the normalised temperature-scaled cross entropy of paired rows [B, D] and [B, D] (SimCLR, equation 1).

    Each of the 2B rows has its partner as the right answer among the 2B - 1 others.
    """
    rows = F.normalize(torch.cat([first, second]).float(), dim=1)  # [2B, D]
    likeness = rows @ rows.T / temperature
    likeness.fill_diagonal_(-torch.inf)
    partner = torch.arange(len(rows), device=rows.device).roll(len(first))
    return F.cross_entropy(likeness, partner)


def info_nce(queries: torch.Tensor, keys: torch.Tensor, *, temperature: float) -> torch.Tensor:
    """Return the cross entropy of finding row i of `keys` [B, D] for row i of `queries` [B, D], times twice the
    temperature (MoCo v3, algorithm 1)."""
    likeness = F.normalize(queries.float(), dim=1) @ F.normalize(keys.float(), dim=1).T / temperature
    return 2 * temperature * F.cross_entropy(likeness, torch.arange(len(queries), device=queries.device))


def spread_hinge(rows: torch.Tensor) -> torch.Tensor:
    """Return by how much the standard deviations of the columns of [B, D] fall short of 1 (VICReg, equation 1)."""
    return F.relu(1 - (rows.var(0) + 1e-4).sqrt()).mean()


def off_diagonal_covariance(rows: torch.Tensor) -> torch.Tensor:
    """Return the sum of the squared covariances of different columns of [B, D], over D (VICReg, equation 4)."""
    centred = rows - rows.mean(0)
    covariance = centred.T @ centred / (len(rows) - 1)
    return (covariance.square().sum() - covariance.diagonal().square().sum()) / rows.shape[1]


def random_directions(width: int, count: int, *, like: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return `count` random directions of length one as columns [width, count], the same in every process."""
    axes = torch.randn(width, count, generator=generator, device=like.device, dtype=like.dtype)
    if process_count() > 1:
        torch.distributed.broadcast(axes, 0)
    return F.normalize(axes, dim=0)


def epps_pulley(columns: torch.Tensor, *, knots: int = 17, reach: float = 5.0) -> torch.Tensor:
    """Return how far each column of [B, M] is from standard normal, [M]: the statistic of Epps and Pulley (1983).

    B times the integral over t of the squared distance between the column's empirical characteristic function and
    exp(-t^2 / 2), weighted by exp(-t^2 / 2), by the trapezoidal rule on `knots` points of 0..reach. The integrand is
    even in t, so half of it is computed and doubled.
    """
    t = torch.linspace(0, reach, knots, device=columns.device, dtype=columns.dtype)
    normal = (-t.square() / 2).exp()
    angle = columns[..., None] * t  # [B, M, knots]
    squared = (angle.cos().mean(0) - normal).square() + angle.sin().mean(0).square()  # [M, knots]
    return 2 * len(columns) * torch.trapezoid(squared * normal, t, dim=-1)
