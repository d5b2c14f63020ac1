"""Short trial runs of candidates with an equal budget of time, scored without labels and by the given ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from handful.data import Dataset, Labels
from handful.errors import InputError
from handful.graph import Graph
from handful.propagation import propagate
from handful.run.steps import link
from handful.training.embed import Embeddings
from handful.training.encoder import Encoder
from handful.training.health import effective_rank
from handful.training.pretrain import pretrain

MOST_ROWS, FEWEST_ROWS = 2000, 256
ROWS_PER_SECOND = 60  # of a candidate's share of the time: a few epochs of a small network on one processor
NEIGHBOURS = 10
MOST_EPOCHS = 60
USUAL, AHEAD = "auto", 1.0  # what is taken unless another is so many standard deviations ahead of it
FOLDS = 20  # of the given labels; as many as there are where they are fewer: leave-one-out


@dataclass(frozen=True)
class Trial:
    """One candidate: epochs it had, seconds it took, and the figures of its vectors; shares are of 1.

    rank: the effective rank of the vectors. agreement: the share of a sample's 10 nearest neighbours that the other
    candidates have too, in the mean over them: what representations agree on that err differently is likely true.
    right: the share of given labels found again when they are held out, None where a class has fewer than two.
    lead: by how many standard deviations more of them were found again than by `auto`, label by label (McNemar 1947:
    found by one of the two only), None where that cannot be told.
    failed: why it could not be tried.
    """

    method: str
    epochs: int
    seconds: float
    rank: float | None = None
    agreement: float | None = None
    right: float | None = None
    lead: float | None = None
    failed: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the figures by name."""
        return asdict(self)


def run_trials(
    data: Dataset,
    methods: Sequence[str],
    *,
    seconds: float,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> list[Trial]:
    """Return a trial of each of `methods` on the same 256 to 2,000 rows, the best first.

    seconds: for all of them; each has the same share, counted in whole epochs and in one epoch at least, so that a slow
    network on a slow machine takes longer.
    They are ranked by the labels found again where that can be judged, else by agreement. What is not ahead of `auto`
    by more than chance stands behind it: a few labels tell little, and blocks side by side seldom fail.
    """
    each = seconds / len(methods)
    part = _part(data, int(np.clip(ROWS_PER_SECOND * each, FEWEST_ROWS, MOST_ROWS)), seed)
    done: list[Trial] = []
    made: dict[str, Embeddings] = {}
    for method in methods:
        if progress is not None:
            progress(f"trying {method} on {len(part)} items")
        began = time.monotonic()
        try:
            epochs, encoder = _train(part, method, each, seed)
        except InputError as error:
            done.append(Trial(method, 0, time.monotonic() - began, failed=str(error)))
            continue
        made[method] = encoder.embed(part)
        done.append(Trial(method, epochs, time.monotonic() - began, rank=effective_rank(made[method].vectors)))
    return rank_trials(judge_trials(done, made, part.labels, seed=seed))


def _part(data: Dataset, most: int, seed: int) -> Dataset:
    """Return at most `most` rows of `data` as a data set: given labels, at most half of it, and others at random."""
    given = np.zeros(0, int) if data.labels is None else np.flatnonzero(data.labels.given)
    rng = np.random.default_rng(seed)
    given = rng.permutation(given)[: most // 2]
    rest = rng.permutation(np.setdiff1d(np.arange(len(data)), given))[: most - len(given)]
    rows = np.sort(np.concatenate([given, rest]))
    return replace(
        data,
        ids=data.ids[rows],
        samples=_Rows(data.samples, rows),
        digests=data.digests[rows],
        fingerprint=f"{data.fingerprint}-{seed}-{len(rows)}",
        labels=None if data.labels is None else data.labels.take(rows),
    )


class _Rows:
    """Some rows of samples, read as samples are; what else the samples know is theirs."""

    def __init__(self, samples: Any, rows: np.ndarray) -> None:
        self._samples, self._rows = samples, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, rows: Any) -> Any:
        chosen = self._rows[rows]
        return self._samples[int(chosen) if np.ndim(chosen) == 0 else chosen]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._samples, name)


def _train(part: Dataset, method: str, seconds: float, seed: int) -> tuple[int, Encoder]:
    """Return the epochs and the encoder of a training of about `seconds`: one epoch tells how many there are."""
    began = time.monotonic()
    encoder = pretrain(part, method, epochs=1, seed=seed)
    if not encoder.record["history"]:
        return 0, encoder
    took = time.monotonic() - began
    epochs = int(min(MOST_EPOCHS, (seconds - took) / took))
    return (epochs, pretrain(part, method, epochs=epochs, seed=seed)) if epochs > 1 else (1, encoder)


def judge_trials(
    trials: Sequence[Trial], made: Mapping[str, Embeddings], labels: Labels | None, *, seed: int = 0
) -> list[Trial]:
    """Return the trials with the figures of their embeddings, which are of the same rows; failed ones as they are."""
    nearest = {name: _neighbours(found.vectors) for name, found in made.items()}
    hits: dict[str, np.ndarray | None] = {}
    for name, found in made.items():
        graph = link(found, n_neighbors=min(NEIGHBOURS, len(found) - 1), seed=seed)
        hits[name] = _found_again(graph, labels, seed)
    return [
        replace(
            trial,
            agreement=_agreement(trial.method, nearest),
            right=_share(hits[trial.method]),
            lead=_lead(hits[trial.method], hits.get(USUAL)),
        )
        if trial.method in made
        else trial
        for trial in trials
    ]


def _share(hits: np.ndarray | None) -> float | None:
    return None if hits is None else float(hits.mean())


def _lead(hits: np.ndarray | None, usual: np.ndarray | None) -> float | None:
    """Return by how many standard deviations more labels are among `hits` [m] than among the `usual` ones [m]."""
    if hits is None or usual is None:
        return None
    gained, lost = int((hits & ~usual).sum()), int((usual & ~hits).sum())
    return (gained - lost) / max(gained + lost, 1) ** 0.5


def _agreement(method: str, nearest: Mapping[str, np.ndarray]) -> float | None:
    """Return the share of neighbours [M, 10] that the other candidates have too, in the mean over these."""
    others = [found for name, found in nearest.items() if name != method]
    if not others:
        return None
    mine = nearest[method]
    shared = [(mine[:, :, None] == other[:, None]).any(2).mean() for other in others]
    return float(np.mean(shared))


def _neighbours(vectors: np.ndarray) -> np.ndarray:
    """Return the nearest rows of each row [M, 10]."""
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -np.inf)
    count = min(NEIGHBOURS, len(vectors) - 1)
    return np.argpartition(-likeness, count - 1, axis=1)[:, :count]


def _found_again(graph: Graph, labels: Labels | None, seed: int) -> np.ndarray | None:
    """Return of each given label [m] whether the others find it again, None where a class has fewer than two."""
    if labels is None or not labels.given.any():
        return None
    given = np.random.default_rng(seed).permutation(np.flatnonzero(labels.given))
    if np.bincount(labels.codes[given], minlength=len(labels.classes)).min() < 2:
        return None
    right = np.zeros(len(labels.codes), bool)
    for fold in np.array_split(given, min(len(given), FOLDS)):
        codes = labels.codes.copy()
        codes[fold] = -1
        answer = propagate(graph, Labels(labels.classes, codes), "pwll", seed=seed)
        right[fold] = (answer.probabilities[fold].argmax(1) == labels.codes[fold]) & answer.reached[fold]
    return right[given]


def rank_trials(trials: Sequence[Trial]) -> list[Trial]:
    """Return the trials: those ahead of `auto`, itself, the others; among them first what finds most labels again, then
    what agrees most with the others."""

    def worth(trial: Trial) -> tuple[float, float, float]:
        ahead = 0.0 if trial.lead is None or trial.method == USUAL else 1.0 if trial.lead > AHEAD else -1.0
        return (ahead, -1.0 if trial.right is None else trial.right, trial.agreement or 0.0)

    return sorted(trials, key=lambda trial: (trial.failed is not None, *(-value for value in worth(trial))))
