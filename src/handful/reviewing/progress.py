"""How far the review is: the accuracy to be expected, what more labels would bring, and whether it is enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import betaincinv

ASKED = 0.95
LEAST_DECISIONS = 10
STEPS = (10, 50, 200)
USUAL_SLOPE = -0.4  # of the logarithm of the error over that of the labels
SLOPE_CASES = 4.0  # how many points of its own history the usual slope counts as
_Z = 1.645  # nine in ten of a normal distribution lie within so many deviations
_FEWEST_PRIOR_ROWS, _MOST_PRIOR_ROWS = 2.0, 20.0  # that what is expected without a check counts as


@dataclass(frozen=True)
class Progress:
    """low, high: hold the accuracy nine times in ten. below: rows whose label is less sure than was asked."""

    expected_accuracy: float | None
    low: float | None
    high: float | None
    asked_confidence: float
    below: int
    decisions: int
    enough: bool
    enough_why: str
    more: tuple[dict[str, float], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the figures by name."""
        return asdict(self)


def judge(
    expected: tuple[float, float, float] | None,
    *,
    below: int,
    open_rows: int,
    unreached: int,
    decisions: int,
    labels: int,
    asked: float,
    history: Sequence[tuple[int, float]],
    audited: tuple[int, int] = (0, 0),
) -> Progress:
    """Return how far the review is.

    expected: accuracy, low and high of the propagated labels; None where there are not yet two classes.
    labels: how many rows are known. history: (known rows, expected error) as the review went on. audited: of the rows
    drawn at random for a check, how many the labels of the others tell rightly now, and how many were looked at.
    """
    if expected is None:
        why = "Two classes are needed: label items of at least two."
        return Progress(None, None, None, asked, below, decisions, False, why)
    value, low, high = after_audit(expected, *audited)
    enough, why = _verdict(value, low, asked, decisions, open_rows, unreached)
    more = tuple(
        {"labels": step, "expected_accuracy": round(1 - _error_after(1 - value, labels, step, history), 4)}
        for step in STEPS
        if step < open_rows
    )
    return Progress(round(value, 4), round(low, 4), round(high, 4), asked, below, decisions, enough, why, more)


def _verdict(
    value: float, low: float, asked: float, decisions: int, open_rows: int, unreached: int
) -> tuple[bool, str]:
    if open_rows == 0 and unreached == 0:
        return True, "Every item carries a label that a person gave."
    if decisions < LEAST_DECISIONS:
        return False, f"{LEAST_DECISIONS - decisions} more decisions are needed before this can be told."
    if low >= asked:
        return True, (
            f"At least {_percent(low)} of the propagated labels should be right, nine times in ten: "
            f"{_percent(asked, 0)} were asked for. A random audit checks it."
        )
    if value >= asked:
        return False, (
            f"{_percent(value)} should be right, but it may be as few as {_percent(low)}: a random audit would tell."
        )
    return False, f"{_percent(value)} should be right, {_percent(asked, 0)} are asked for."


def _percent(share: float, digits: int = 1) -> str:
    """Return a share as the page writes it, rounded as the share that goes with it."""
    return f"{100 * round(share, 4):.{digits}f} %"


def _error_after(error: float, labels: int, more: int, history: Sequence[tuple[int, float]]) -> float:
    """Return the error to be expected after `more` labels, by the slope of the error so far."""
    counts, errors = np.array([point for point in history if point[0] > 0 and point[1] > 0] or [(1, 1)]).T
    x, y = np.log(counts), np.log(errors)
    spread = float(((x - x.mean()) ** 2).sum())
    slope = (SLOPE_CASES * USUAL_SLOPE + float(((x - x.mean()) * (y - y.mean())).sum())) / (SLOPE_CASES + spread)
    return error * (1 + more / max(labels, 1)) ** min(slope, 0.0)


def after_audit(expected: tuple[float, float, float], right: int, done: int) -> tuple[float, float, float]:
    """Return the expected accuracy and its interval (nine in ten) once `right` of `done` random rows proved right.

    What was expected counts as so many rows as would give its interval, 20 at most: a beta prior, updated by what was
    seen.
    """
    value, low, high = expected
    if not done:
        return expected
    variance = (max(high - low, 1e-3) / (2 * _Z)) ** 2
    rows = min(max(value * (1 - value) / variance - 1, _FEWEST_PRIOR_ROWS), _MOST_PRIOR_ROWS)
    hits, misses = value * rows + right + 0.5, (1 - value) * rows + done - right + 0.5
    low, high = betaincinv(hits, misses, [0.05, 0.95]).tolist()
    return hits / (hits + misses), low, high


def audit_result(right: int, done: int) -> dict[str, float] | None:
    """Return what a random check says: how many, the share that was right, and Wilson's interval (nine in ten)."""
    if not done:
        return None
    z, share = _Z, right / done
    centre = (share + z * z / (2 * done)) / (1 + z * z / done)
    half = z * float(np.sqrt(share * (1 - share) / done + z * z / (4 * done * done))) / (1 + z * z / done)
    return {
        "done": done,
        "right": right,
        "low": round(max(centre - half, 0), 4),
        "high": round(min(centre + half, 1), 4),
    }
