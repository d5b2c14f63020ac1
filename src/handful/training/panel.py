"""The rows on which a training is looked at after each epoch, and what is compared with what was there before."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from handful.data import Dataset, Samples
from handful.encoders.untrained import RawInput
from handful.methods import Method
from handful.modalities.contract import Modality
from handful.training.embed import batches_of, device_of, pooled_vectors, to_device
from handful.training.foresight import judge_foresight, measure_foresight
from handful.training.health import Health, judge, measure

HEALTH_ROWS = 1024
MOST_GROUPS = 50
RAW_COMPONENTS = 64
Autocast = Callable[[], AbstractContextManager[Any]]


@dataclass(frozen=True)
class Panel:
    """A fixed sample of rows on which a training is looked at, and what was there before it began.

    views: whether the method asks for two views of a sample to be alike, so that their distance is looked at too.
    autocast: the precision of the training. origin: of the network, "pretrained" where it was trained elsewhere.
    """

    modality: Modality
    samples: Samples
    rows: np.ndarray
    groups: np.ndarray | None
    seed: int
    untrained: Health
    raw: Health
    views: bool = False
    autocast: Autocast = nullcontext
    origin: str = "trained"

    @classmethod
    def of(
        cls,
        method: Method,
        data: Dataset,
        *,
        seed: int,
        autocast: Autocast = nullcontext,
        origin: str = "trained",
    ) -> Panel:
        """Return the panel of a training that is about to begin."""
        rows = np.sort(np.random.default_rng(seed).permutation(len(data))[:HEALTH_ROWS])
        groups = independent_groups(method.modality, data.samples, rows, seed=seed)
        how: dict[str, Any] = {"groups": groups, "views": method.aligns_views, "seed": seed, "autocast": autocast}
        how["origin"] = origin
        untrained = measure_network(method.network, method.modality, data.samples, rows, **how)
        raw = raw_health(method.modality, data.samples, rows, groups=groups)
        return cls(
            method.modality, data.samples, rows, groups, seed, untrained, raw, method.aligns_views, autocast, origin
        )

    def look(
        self, method: Method, epoch: int, losses: dict[str, float], history: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """Return the line of an epoch: its number, losses, health and verdict; `history`: the lines before it."""
        health = measure_network(
            method.network,
            self.modality,
            self.samples,
            self.rows,
            groups=self.groups,
            views=self.views,
            seed=self.seed,
            autocast=self.autocast,
            origin=self.origin,
        )
        by_epoch = [*(line["loss"] for line in history), losses["loss"]]
        foresight = measure_foresight(method, self.samples, self.rows, autocast=self.autocast)
        if foresight is not None:
            told = {"error": foresight.error, "naive_error": foresight.naive}
            verdict = judge_foresight(foresight, health, by_epoch)
            return {"epoch": epoch, **losses, **told, **health.as_dict(), "verdict": verdict}
        past = [line["agreement"] for line in history if "agreement" in line]
        verdict = judge(health, self.untrained, self.raw, by_epoch, past)
        return {"epoch": epoch, **losses, **health.as_dict(), "verdict": verdict}


@torch.inference_mode()
def measure_network(
    network: nn.Module,
    modality: Modality,
    samples: Samples,
    rows: np.ndarray,
    *,
    groups: np.ndarray | None = None,
    views: bool = True,
    seed: int = 0,
    autocast: Autocast = nullcontext,
    origin: str = "trained",
) -> Health:
    """Return the health of a network on `rows`: its pooled vectors of the samples and, if wanted, of a view of each."""
    was_training = network.training
    network.eval()
    device = device_of(network)
    generator = torch.Generator(device).manual_seed(seed)
    seen, viewed = [], []
    for chosen in batches_of(rows, 256):
        batch = to_device(modality.batch(samples, chosen), device)
        view = modality.view(batch, generator=generator) if views else None
        with autocast():
            seen.append(network(batch).pooled.float().cpu().numpy())
            if view is not None:
                viewed.append(network(view).pooled.float().cpu().numpy())
    network.train(was_training)
    return measure(np.concatenate(seen), np.concatenate(viewed) if views else None, groups=groups, origin=origin)


def raw_health(modality: Modality, samples: Samples, rows: np.ndarray, *, groups: np.ndarray | None = None) -> Health:
    """Return the health of the raw input itself, its first 64 principal components."""
    seen = modality.flat(modality.batch(samples, rows)).numpy().astype(np.float64)
    seen -= seen.mean(0)
    if len(seen) < seen.shape[1]:  # the components from the smaller of the two products
        variances, sides = np.linalg.eigh(seen @ seen.T)
        components = sides[:, -RAW_COMPONENTS:] * np.sqrt(variances[-RAW_COMPONENTS:].clip(0))
    else:
        components = seen @ np.linalg.eigh(seen.T @ seen)[1][:, -RAW_COMPONENTS:]
    return measure(components.astype(np.float32), groups=groups, origin="floor")


def independent_groups(modality: Modality, samples: Samples, rows: np.ndarray, *, seed: int) -> np.ndarray | None:
    """Return a group [M] for each row, found by an untrained encoder other than the input itself.

    What two views of the data agree on that err differently is likely true (Blum and Mitchell 1998); so neighbours
    that share such a group more often are better neighbours. None where the kind of data has no such encoder.
    """
    from sklearn.cluster import KMeans

    judges = [net for net in modality.floors().values() if not isinstance(net, RawInput) and not hasattr(net, "fit")]
    n_groups = min(MOST_GROUPS, len(rows) // 20)
    if not judges or n_groups < 2:
        return None
    vectors = torch.from_numpy(pooled_vectors(judges[-1], modality, samples, rows))
    unit = F.normalize(vectors - vectors.mean(0), dim=1).numpy()
    with warnings.catch_warnings(action="ignore"):  # fewer distinct rows than groups
        return KMeans(n_groups, n_init=1, max_iter=30, random_state=seed).fit_predict(unit)
