"""Texts that are nearly the same: they leak from given rows to scored ones, so they have to be known.

Texts are compared by their runs of three words, through MinHash signatures (Broder 1997); a group is what is linked by
pairs above the threshold.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from handful.data import Samples
from handful.errors import InputError

_WORD = re.compile(r"\w+")
_RUN = 3  # words
_BANDS, _ROWS = 16, 4  # a pair of likeness s is compared with probability 1 - (1 - s^4)^16: .999 at .8, .64 at .5
_PRIME = np.uint64((1 << 61) - 1)
_MOST = 50  # texts of one bucket that are compared with its first: boilerplate would make all pairs


def find_near_duplicates(texts: Samples | Sequence[str], *, least: float = 0.8, seed: int = 0) -> list[np.ndarray]:
    """Return the groups of rows whose texts share at least `least` of their runs of three words, largest first.

    least: intersection over union of the runs of two texts, above 0 and at most 1; case and punctuation do not count.
    Pairs are found with a probability of .999 where they share .8, of .64 where they share .5, and never wrongly.
    """
    if not 0 < least <= 1:
        raise InputError(f"least must be a share above 0 and at most 1, got {least!r}.")
    runs = [_runs(texts[row]) for row in range(len(texts))]
    filled = np.array([row for row, found in enumerate(runs) if len(found)], dtype=np.int64)
    if len(filled) < 2:
        return []
    signatures = _sign([runs[row] for row in filled], seed)
    pairs = {(filled[a], filled[b]) for a, b in _candidates(signatures)}
    alike = np.array([(a, b) for a, b in sorted(pairs) if _likeness(runs[a], runs[b]) >= least], dtype=np.int64)
    if not len(alike):
        return []
    links = sparse.coo_array((np.ones(len(alike)), (alike[:, 0], alike[:, 1])), shape=(len(texts),) * 2)
    group = csgraph.connected_components(links, directed=False)[1]
    order = np.argsort(group, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
    return sorted((rows for rows in groups if len(rows) > 1), key=lambda rows: (-len(rows), rows[0]))


def _runs(text: str) -> np.ndarray:
    """Return the different runs of three words of a text as sorted numbers; of a shorter text all its words."""
    words = _WORD.findall(text.casefold())
    runs = [" ".join(words[at : at + _RUN]) for at in range(max(1, len(words) - _RUN + 1))] if words else []
    marks = [int.from_bytes(hashlib.blake2b(run.encode(), digest_size=7).digest()) for run in runs]
    return np.unique(np.array(marks, dtype=np.uint64))


def _sign(runs: list[np.ndarray], seed: int) -> np.ndarray:
    """Return MinHash signatures [N, bands * rows]: the least of each text's runs under as many random orders."""
    draw = np.random.default_rng(seed)
    masks = draw.integers(0, 1 << 61, _BANDS * _ROWS, dtype=np.uint64)
    odd = draw.integers(0, 1 << 60, _BANDS * _ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    starts = np.concatenate([[0], np.cumsum([len(found) for found in runs])[:-1]])
    together = np.concatenate(runs)
    orders = (((together ^ mask) * factor) >> np.uint64(3) for mask, factor in zip(masks, odd, strict=True))
    return np.stack([np.minimum.reduceat(order % _PRIME, starts) for order in orders], axis=1)


def _candidates(signatures: np.ndarray) -> set[tuple[int, int]]:
    """Return the pairs of rows, the lower first, that have a band of their signatures in common."""
    found: set[tuple[int, int]] = set()
    for band in np.split(signatures, _BANDS, axis=1):
        _, bucket = np.unique(band, axis=0, return_inverse=True)
        order = np.argsort(bucket.ravel(), kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(bucket.ravel()[order])) + 1):
            if len(rows) > 1:
                found.update((int(rows[0]), int(row)) for row in rows[1:])
                near = rows[:_MOST].tolist()
                found.update((a, b) for at, a in enumerate(near) for b in near[at + 1 :])
    return found


def _likeness(first: np.ndarray, second: np.ndarray) -> float:
    shared = len(np.intersect1d(first, second, assume_unique=True))
    return shared / (len(first) + len(second) - shared)
