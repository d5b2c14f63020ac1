"""The rules that are linear in the labels: one solve on the graph, then the largest share.

Each takes a Problem and returns scores [N, K]: none negative, rows that sum to one where a label reaches and to zero
elsewhere.
"""

from __future__ import annotations

import numpy as np

from handful.propagation.diffusion import extend_harmonically, measure_reach, pour_sources, spread_mass
from handful.propagation.problem import Problem, as_shares, as_soft_shares

_BEFORE_SOFTMAX = 1e-6
"""The tolerance of a solve whose answer is sharpened by a softmax: it made errors up to ten times as large, and two
answers within the usual tolerance, as of one machine and of several, differed by 3e-5."""


def spreading(problem: Problem, *, alpha: float = 0.99) -> np.ndarray:
    """Return the shares of (I - alpha S)^-1 Y, S = D^-1/2 W D^-1/2.

    alpha: the part of a row's score that comes from its neighbours, above 0 and below 1.

    Zhou, Bousquet, Lal, Weston and Schölkopf, Learning with local and global consistency, 2004.
    """
    return as_shares(spread_mass(problem, alpha=alpha).x, problem)


def propagation(problem: Problem) -> np.ndarray:
    """Return the harmonic extension of the given labels: each other row has the mean of its neighbours.

    Zhu and Ghahramani, Learning from labeled and unlabeled data with label propagation, 2002.
    """
    return as_shares(extend_harmonically(problem).x, problem)


def laplace(problem: Problem) -> np.ndarray:
    """Return the softmax of the harmonic extension less each class's mean over the reached rows.

    Without the shift one class swallows nearly all rows when labels are few: far from them the extension is flat,
    and its level is all that tells the classes apart.
    """
    harmonic = extend_harmonically(problem, tol=_BEFORE_SOFTMAX).x
    return as_soft_shares(harmonic - problem.mean(harmonic[problem.reached]), problem)


def poisson(problem: Problem) -> np.ndarray:
    """Return the softmax of u with L u = sum over given rows j of (y_j - mean of y) delta_j.

    Calder, Cook, Thorpe and Slepcev, Poisson learning: graph based semi-supervised learning at very low label rates,
    2020.
    """
    return as_soft_shares(pour_sources(problem, tol=_BEFORE_SOFTMAX).x, problem)


def pwll(problem: Problem, *, floor: float = 1e-5) -> np.ndarray:
    """Return the harmonic extension on the weights g_i w_ij g_j, g high near given rows.

    g grows towards a given row as fast as a harmonic function forgets it, so that one label reaches far.

    floor: the least g as a share of the largest.

    Miller and Calder, Poisson reweighted Laplacian uncertainty sampling for graph-based active learning, 2023.
    """
    return as_shares(extend_harmonically(problem, reach=measure_reach(problem, floor=floor)).x, problem)
