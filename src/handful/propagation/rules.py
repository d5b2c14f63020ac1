"""All rules by name: each takes a Problem and returns scores [N, K].

Scores are never negative; their rows sum to one where a label reaches and to zero elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping

from handful.propagation.blend import blend
from handful.propagation.consensus import consensus
from handful.propagation.heads import head, head_spread, spread_head
from handful.propagation.linear import laplace, poisson, propagation, pwll, spreading
from handful.propagation.priors import balanced
from handful.propagation.problem import Problem, RuleFunction
from handful.propagation.robust import robust

__all__ = [
    "MEET_PRIORS",
    "NEED_VECTORS",
    "RULES",
    "Problem",
    "RuleFunction",
    "balanced",
    "blend",
    "consensus",
    "head",
    "head_spread",
    "laplace",
    "poisson",
    "propagation",
    "pwll",
    "robust",
    "spread_head",
    "spreading",
]

RULES: Mapping[str, RuleFunction] = {
    "spreading": spreading,
    "propagation": propagation,
    "laplace": laplace,
    "poisson": poisson,
    "pwll": pwll,
    "blend": blend,
    "consensus": consensus,
    "balanced": balanced,
    "robust": robust,
    "head": head,
    "head_spread": head_spread,
    "spread_head": spread_head,
}

NEED_VECTORS = frozenset({"head", "head_spread", "spread_head"})
"""The rules that read the vectors the graph was made from."""

MEET_PRIORS = frozenset({"consensus", "balanced", "spread_head"})
"""The rules whose classes are pulled to given priors."""
