"""Class priors: how they come in, and the rules that meet them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from handful.errors import InputError, did_you_mean
from handful.propagation.consensus import consensus
from handful.propagation.problem import Problem


def balanced(problem: Problem) -> np.ndarray:
    """Return `consensus` with the classes pulled to their priors.

    Without priors in the problem the classes are pulled to the shares they have among the given rows.
    """
    if problem.priors is None:
        problem = replace(problem, priors=problem.mean(problem.one_hot))
    return consensus(problem)


def encode_priors(priors: Mapping[Any, float] | Sequence[float] | np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the share of each class [K], in the order of `classes` [K].

    priors: shares in the order of `classes`, or a mapping from class to share.

    Raises InputError where a class is missing or unknown, a share is negative or not finite, or they do not sum to 1.
    """
    listed = classes.tolist()
    if isinstance(priors, Mapping):
        for name in priors:
            if name not in listed:
                raise InputError(
                    f"priors name the class {name!r}, which no given label has: the classes are "
                    f"{_in_words(listed)}.{did_you_mean(name, map(str, listed))}"
                )
        missing = [name for name in listed if name not in priors]
        if missing:
            raise InputError(f"priors must name every class, but {_in_words(missing)} is missing.")
        values = [priors[name] for name in listed]
    else:
        values = list(priors)
    if len(values) != len(listed):
        raise InputError(
            f"priors must have one share for each of the {len(listed)} classes {_in_words(listed)}, got {len(values)}."
        )
    return _checked_shares(values, listed)


def _checked_shares(values: list[Any], classes: list[Any]) -> np.ndarray:
    try:
        shares = np.array([float(value) for value in values])
    except (TypeError, ValueError):
        raise InputError(f"priors must be numbers, one share a class, got {values!r}.") from None
    for share, name in zip(shares, classes, strict=True):
        if not (np.isfinite(share) and share > 0):
            raise InputError(f"the prior of class {name!r} must be above 0, got {share:g}: it has a given label.")
    if abs(shares.sum() - 1) > 1e-3:
        raise InputError(f"priors must sum to 1, got a sum of {shares.sum():g}: divide each by it.")
    return shares / shares.sum()


def _in_words(names: list[Any]) -> str:
    return ", ".join(repr(name) for name in names[:10]) + (", ..." if len(names) > 10 else "")
