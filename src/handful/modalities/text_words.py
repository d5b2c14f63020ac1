"""The words that carry each class: those that its texts use more often than all others do.

Monroe, Colaresi and Quinn, Fightin' Words (2008): log odds against the other classes, with a prior of all texts, over
their standard deviation. A word counts once a text, so that one text that repeats it carries nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from handful.data import Samples

_WORD = re.compile(r"[^\W\d_]{2,}")
_TEXTS = 20_000  # that are counted at most: the telling words of more are the same
_PRIOR = 500.0  # words that each class is thought to have said before, as all texts do; a tenth of all at most
_SURE = 1.96  # standard deviations above the other classes


def telling_words(
    texts: Samples | Sequence[str], codes: np.ndarray, n_classes: int, *, most: int = 8, seed: int = 0
) -> list[list[str]]:
    """Return for each of `n_classes` the words, `most` at most, that tell it from the others, the surest first.

    codes: [N] of the class of each text, -1 for none. A class that no word tells surely has none.
    """
    rows = np.flatnonzero(codes >= 0)
    rows = np.sort(np.random.default_rng(seed).permutation(rows)[:_TEXTS])
    numbers: dict[str, int] = {}
    found: list[int] = []
    of_class: list[int] = []
    for row in rows.tolist():
        words = dict.fromkeys(_WORD.findall(texts[row].casefold()))  # in their order, so that ties stay as they are
        found.extend(numbers.setdefault(word, len(numbers)) for word in words)
        of_class.extend([int(codes[row])] * len(words))
    counts = np.zeros((n_classes, len(numbers)))
    np.add.at(counts, (np.array(of_class, np.int64), np.array(found, np.int64)), 1)
    names = np.array(list(numbers), dtype=object)
    together = counts.sum(0)
    return [_surest(own, together - own, names, most) for own in counts]


def _surest(own: np.ndarray, others: np.ndarray, names: np.ndarray, most: int) -> list[str]:
    """Return the words of which a class has more, [V] of counts, than the others have."""
    if not own.sum() or not others.sum():
        return []
    together = own + others
    prior = together * min(0.1, _PRIOR / together.sum())
    lead = _log_odds(own, prior) - _log_odds(others, prior)
    score = lead / np.sqrt(1 / (own + prior) + 1 / (others + prior))
    order = np.argsort(-score, kind="stable")[:most]
    return [str(names[at]) for at in order if score[at] > _SURE and own[at] >= 2]


def _log_odds(counts: np.ndarray, prior: np.ndarray) -> np.ndarray:
    said = counts + prior
    return np.log(said / (counts.sum() + prior.sum() - said))
