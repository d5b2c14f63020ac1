"""Rules that err in different rows, heard together."""

from __future__ import annotations

import numpy as np

from handful.propagation.consensus import consensus
from handful.propagation.heads import head_spread, spread_head
from handful.propagation.linear import laplace
from handful.propagation.problem import Problem, as_shares

LEAST_SHARE = 1e-3  # no rule alone rules a class out


def jury(problem: Problem) -> np.ndarray:
    """Return the geometric mean of the shares of consensus, laplace and, where the graph has vectors, both with a head.

    Which of them is best turns with the vectors and with the number of labels, by up to ten points; their mean is
    within one or two of the best nearly everywhere, and often above it (benchmarks/LOG.md).
    """
    settled = consensus(problem)
    shares = [settled, laplace(problem)]
    if problem.graph.vectors is not None:
        shares += [head_spread(problem), spread_head(problem, first=settled)]
    logs = np.mean([np.log(share + LEAST_SHARE) for share in shares], axis=0)
    return as_shares(np.exp(logs) * problem.present[problem.components], problem)
