"""How the columns of a table become numbers of one scale: what is learnt of each, kept as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

KNOTS = 65
CODE = 16  # numbers that a category is told by
TAIL = 0.005  # at either end: what lies beyond does not count for the spread
FURTHEST = 5.0  # spreads: beyond it a value says no more to a network
_RARE = 0.5  # rows: how often a category never seen counts


@dataclass(frozen=True)
class ColumnScale:
    """What is learnt of one column.

    centre, spread: of numbers, the mean and standard deviation of the middle 99 %. knots: values at even quantiles.
    missing: the share of missing cells. counts: of a category, how often each code occurs, most frequent first; n: of
    rows. cycles: of a date, the lengths in days of the cycles that it goes through: a day, a week.
    """

    centre: float
    spread: float
    knots: tuple[float, ...]
    missing: float
    codes: tuple[float, ...]
    counts: tuple[int, ...]
    n: int
    cycles: tuple[float, ...] = ()

    def scaled(self, values: np.ndarray) -> np.ndarray:
        """Return numbers [N] less the centre, over the spread; 0 where missing."""
        return np.nan_to_num(np.clip((values - self.centre) / self.spread, -FURTHEST, FURTHEST))

    def ranked(self, values: np.ndarray) -> np.ndarray:
        """Return numbers [N] as their quantile from -1.73 to 1.73, of a standard deviation of 1; 0 where missing.

        Equal knots stand for one value: it gets the middle of its quantiles.
        """
        knots = np.array(self.knots)
        below, above = np.searchsorted(knots, values, "left"), np.searchsorted(knots, values, "right")
        between = np.interp(values, knots, np.arange(len(knots)))
        place = np.where(above - below > 1, (below + above - 1) / 2, between)
        return np.nan_to_num(np.where(np.isnan(values), np.nan, (2 * place / (len(knots) - 1) - 1) * np.sqrt(3)))

    def phases(self, days: np.ndarray) -> np.ndarray:
        """Return where dates [N] stand in their cycles, as points on circles [N, 2 * cycles]; NaN where missing."""
        angles = 2 * np.pi * days[:, None] / np.array(self.cycles)
        return np.concatenate([np.cos(angles), np.sin(angles)], 1)

    def rarity(self, codes: np.ndarray) -> np.ndarray:
        """Return minus the logarithm of how often categories [N] occur, NaN where missing."""
        order = np.argsort(self.codes)
        known = np.array(self.codes)[order]
        place = np.minimum(np.searchsorted(known, codes), len(known) - 1)
        count = np.where(known[place] == codes, np.array(self.counts)[order][place], _RARE)
        return np.where(np.isnan(codes), np.nan, -np.log(count / self.n))


def fit_scales(values: np.ndarray, kinds: Sequence[str]) -> tuple[ColumnScale, ...]:
    """Return what is learnt of the columns of `values` [N, C]."""
    return tuple(_fit_one(values[:, place], kind) for place, kind in enumerate(kinds))


def scales_to_json(scales: Sequence[ColumnScale]) -> str:
    """Return scales as JSON."""
    return json.dumps([asdict(scale) for scale in scales])


def scales_from_json(text: str) -> tuple[ColumnScale, ...]:
    """Return the scales that `scales_to_json` wrote."""
    made = []
    for one in json.loads(text):
        own: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in one.items()}
        made.append(ColumnScale(**own))
    return tuple(made)


def codes_of(values: np.ndarray, scale: ColumnScale) -> np.ndarray:
    """Return categories [N] as vectors [N, 16] of +1 and -1, 0 where missing.

    The 15 most frequent get rows of a Hadamard matrix, all equally far apart; the others the bits of their digest,
    nearly so. A category never seen gets its bits as well.
    """
    frequent = np.array(scale.codes[: CODE - 1])
    bits = (np.nan_to_num(values).astype(np.int64)[:, None] >> np.arange(CODE)) & 1
    vectors = 2.0 * bits - 1
    for place, code in enumerate(frequent):
        vectors[values == code] = _HADAMARD[place + 1]
    vectors[np.isnan(values)] = 0
    return vectors


def _fit_one(values: np.ndarray, kind: str) -> ColumnScale:
    present = values[~np.isnan(values)]
    missing = 1 - len(present) / len(values)
    if not len(present):
        return ColumnScale(0.0, 1.0, (0.0, 0.0), missing, (), (), len(values))
    if kind == "category":
        codes, counts = np.unique(present, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        return ColumnScale(
            0.0, 1.0, (0.0, 0.0), missing, tuple(codes[order].tolist()), tuple(counts[order].tolist()), len(values)
        )
    low, high = np.quantile(present, [TAIL, 1 - TAIL])
    inner = np.clip(present, low, high)
    spread = float(inner.std()) or float(present.std()) or 1.0
    knots = np.quantile(present, np.linspace(0, 1, KNOTS))
    cycles = _cycles(present) if kind == "date" else ()
    return ColumnScale(float(inner.mean()), spread, tuple(knots.tolist()), missing, (), (), len(values), cycles)


def _cycles(days: np.ndarray) -> tuple[float, ...]:
    """Return a day where times of day are told, and a week where two of them are seen."""
    found = (1.0,) if (days != np.floor(days)).any() else ()
    return (*found, 7.0) if np.ptp(days) > 14 else found


def _hadamard(size: int) -> np.ndarray:
    matrix = np.ones((1, 1))
    while len(matrix) < size:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix


_HADAMARD = _hadamard(CODE)
