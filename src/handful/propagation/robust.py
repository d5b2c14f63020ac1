"""A rule for given labels of which some are wrong."""

from __future__ import annotations

import numpy as np

from handful.propagation.consensus import settle
from handful.propagation.linear import poisson
from handful.propagation.problem import Problem


def robust(problem: Problem) -> np.ndarray:
    """Return what rounds of agreement make of Poisson learning's shares, with no given label held.

    Poisson learning is a sum over the given rows, in which a wrong one is outweighed by the right ones around it;
    rules that clamp the given labels hand the surroundings of a wrong one over to it. A given label then counts as far
    as its neighbourhood bears it out: the answer at a given row may differ from what was given.
    """
    return settle(problem, poisson(problem), pull=0.5, hold=False)
