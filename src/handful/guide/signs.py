"""What the data says before anything is trained: figures of a small sample, taken by linear guesses.

A linear guess is a floor: what it can tell of the hidden part, or of the next, a network can tell as well.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from handful.data import Dataset
from handful.encoders.tokens import Tokens
from handful.guide.linear import guessed_share, kept_share, symbol_shares
from handful.modalities.contract import Batch, Modality
from handful.modalities.registry import make_modality

ROWS = 384
NEIGHBOURS = 10
PLACES = 8  # how many parts are hidden, one at a time
KEPT = 16  # numbers that the linear autoencoder may keep
FAR = 4  # steps
_PER_SAMPLE = 4  # starts drawn in one sample, at most, so that few samples do not stand for all


@dataclass(frozen=True)
class Signs:
    """What a sample of the data says without training. Shares are of 1; None where there is nothing to look at.

    items, refused, copies: how many were read, could not be, and are the same as another. classes, given, fewest: the
    classes named, the labels given, and those of the class with fewest. order: what comes after what within a sample,
    in words; parts: how many a sample has, the median; missing: the share of cells without a value.
    found: how often a view of a sample is nearer to it than to any other sample of the `looked_at` ones, and kept: how
    many of its 10 nearest neighbours the view has too; by chance these are 1 and 10 in `looked_at`.
    hidden, next, far: how much of what varies in a hidden part is told by the rest of its sample, in the next part by
    the two before it, and in the fourth; copied: in the next by the part before it as it is. Of symbols, the share of
    the uncertainty in nats that neighbours take away.
    kept_by_16: how much of what varies a linear autoencoder of 16 numbers (`width` are given) gives back of samples
    that it was not fitted on.
    """

    modality: str
    items: int
    refused: int
    copies: int
    classes: int
    given: int
    fewest: int
    order: str | None
    parts: int
    missing: float
    looked_at: int
    found: float
    kept: float
    hidden: float | None
    next: float | None
    far: float | None
    copied: float | None
    kept_by_16: float
    width: int

    def as_dict(self) -> dict[str, Any]:
        """Return the figures by name."""
        return asdict(self)

    def in_words(self) -> list[str]:
        """Return one line for each thing that was found."""
        lines = [f"{self.items} items of kind {self.modality}, {self.parts} parts each; {self._order_in_words()}"]
        lines += [f"{self.refused} could not be read"] if self.refused else []
        lines += [f"{self.copies} are the same as another"] if self.copies else []
        lines += [f"{self.missing:.1%} of the cells are missing"] if self.missing else []
        labels = f"{self.given} labels of {self.classes} classes, {self.fewest} of the class with fewest"
        lines.append(labels if self.given else "no labels given")
        lines.append(
            f"views: {self.found:.0%} are nearest to the sample they show and keep {self.kept:.0%} of its neighbours "
            f"(chance {NEIGHBOURS / max(self.looked_at, 1):.1%})"
        )
        told = {"a hidden part, told by the rest": self.hidden, "the next part, told by two before it": self.next}
        told |= {"the next part, copied from the one before": self.copied, f"the part {FAR} steps on": self.far}
        lines += [f"{what}: {share:.0%} of what varies" for what, share in told.items() if share is not None]
        lines.append(f"a linear autoencoder of {KEPT} numbers out of {self.width}: {self.kept_by_16:.0%}")
        return lines

    def _order_in_words(self) -> str:
        return "no order among them" if self.order is None else f"in order: {self.order}"


def read_signs(data: Dataset, *, seed: int = 0) -> Signs:
    """Return what at most 384 samples of `data` say; some seconds, nothing is trained."""
    modality = make_modality(data.modality, data.settings)
    if hasattr(modality, "adapt"):
        modality = modality.adapt(data.samples, seed=seed)
    rows = np.sort(np.random.default_rng(seed).permutation(len(data))[:ROWS])
    batch = modality.batch(data.samples, rows)
    tokens, flat = modality.tokens(batch), modality.flat(batch).double().numpy()
    found, kept = _views(modality, batch, seed)
    hidden, following = _told(tokens, modality.order is not None, np.random.default_rng(seed))
    labels = data.labels
    counts = np.zeros(0, int) if labels is None else np.bincount(labels.codes[labels.given])
    return Signs(
        modality=data.modality,
        items=len(data),
        refused=len(data.refused),
        copies=len(data) - len(np.unique(data.digests)),
        classes=len(counts),
        given=int(counts.sum()),
        fewest=int(counts.min(initial=np.iinfo(int).max)) if len(counts) else 0,
        order=modality.order,
        parts=int(tokens.present.sum(1).median()) if data.modality != "table" else tokens.present.shape[1],
        missing=float((~tokens.present).float().mean()) if data.modality == "table" else 0.0,
        looked_at=len(rows),
        found=found,
        kept=kept,
        hidden=hidden,
        next=following.get(1),
        far=following.get(FAR),
        copied=following.get(0),
        kept_by_16=kept_share(flat, KEPT),
        width=flat.shape[1],
    )


@torch.inference_mode()
def _views(modality: Modality, batch: Batch, seed: int) -> tuple[float, float]:
    """Return how often a view lies nearest to its sample, and which share of the sample's neighbours it keeps."""
    viewed = modality.view(batch, generator=torch.Generator().manual_seed(seed))
    samples, views = (_evened(modality.flat(one).double().numpy()) for one in (batch, viewed))
    between, among = views @ samples.T, samples @ samples.T
    found = float((between.argmax(1) == np.arange(len(samples))).mean())
    for likeness in (between, among):
        np.fill_diagonal(likeness, -np.inf)
    count = min(NEIGHBOURS, len(samples) - 1)
    mine, its = (np.argsort(-likeness, 1)[:, :count] for likeness in (among, between))
    return found, float(np.mean([np.isin(a, b).mean() for a, b in zip(mine, its, strict=True)])) if count else 0.0


def _evened(vectors: np.ndarray) -> np.ndarray:
    centred = vectors - vectors.mean(0)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)


def _told(tokens: Tokens, ordered: bool, rng: np.random.Generator) -> tuple[float | None, dict[int, float]]:
    """Return how much of a hidden part the rest tells, and by steps ahead how much of a later part; 0 is a copy."""
    present = tokens.present.numpy()
    if tokens.values.ndim == 2:
        hidden, following = symbol_shares(tokens.values.numpy(), present)
        return hidden, {1: following}
    values = tokens.values.double().numpy() * present[..., None]
    context = _hidden_share(values, present, rng)
    if not ordered:
        return context, {}
    steps = values.reshape(len(values), -1, tokens.step * values.shape[2])
    whole = np.all(present.reshape(len(values), -1, tokens.step), axis=2)
    return context, _following(steps, np.asarray(whole), rng)


def _hidden_share(values: np.ndarray, present: np.ndarray, rng: np.random.Generator) -> float | None:
    """Return the share of the variance of one part at a time that the rest of its sample tells."""
    usual = np.flatnonzero(present.mean(0) >= 0.5)
    if present.shape[1] < 2 or not len(usual) or len(values) < 8:
        return None
    whole = np.einsum("ilp,jlp->ij", values, values, optimize=True)
    shares = []
    for place in rng.permutation(usual)[:PLACES]:
        rows, part = present[:, place], values[:, place]
        gram = (whole - part @ part.T)[np.ix_(rows, rows)]
        shares.append(guessed_share(gram, part[rows]))
    return float(np.mean(shares))


def _following(steps: np.ndarray, present: np.ndarray, rng: np.random.Generator) -> dict[int, float]:
    """Return by steps ahead how much of a later step the two before it tell; 0 for the copy of the last of them.

    steps: [N, T, P], present: [N, T].
    """
    found = {}
    for ahead in (1, FAR):
        rows, starts = _starts(present, 1 + ahead, rng)
        if len(rows) < 8:
            continue
        before, last, after = (steps[rows, starts + k] for k in (0, 1, 1 + ahead))
        features = np.concatenate([before, last], 1)
        found[ahead] = guessed_share(features @ features.T, after)
        if ahead == 1:
            varies = np.square(after - after.mean(0)).sum()
            found[0] = max(0.0, 1 - float(np.square(after - last).sum() / max(varies, 1e-12)))
    return found


def _starts(present: np.ndarray, reach: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and places [M] with `reach` present steps after them, a few of each sample."""
    if present.shape[1] <= reach:
        return np.zeros(0, int), np.zeros(0, int)
    whole = present[:, :-reach] & present[:, 1 : present.shape[1] - reach + 1] & present[:, reach:]
    drawn = np.where(whole, rng.random(whole.shape), -1)
    each = int(np.clip(ROWS // len(present), 1, _PER_SAMPLE))
    places = np.argsort(-drawn, 1)[:, :each]
    rows = np.repeat(np.arange(len(present)), places.shape[1])
    good = drawn[rows, places.ravel()] >= 0
    return rows[good], places.ravel()[good]
