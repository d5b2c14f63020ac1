"""Which rule to use, without spare labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from handful.propagation.blend import Blend, mix
from handful.propagation.consensus import consensus
from handful.propagation.problem import Problem


@dataclass(frozen=True)
class Choice:
    """The rule that was chosen.

    rule: its name in `RULES`.
    reason: one sentence with the figures that decided.
    scores: [N, K] what the rule gives on the problem.
    """

    rule: str
    reason: str
    scores: np.ndarray


def choose_rule(problem: Problem) -> Choice:
    """Return `blend`, whose parts count by how many labels there are; `consensus` where class priors are to be met."""
    if problem.priors is not None:
        return Choice("consensus", "consensus meets the class priors that were given", consensus(problem))
    mixed = mix(problem)
    return Choice("blend", _in_words(problem, mixed), mixed.shares)


def _in_words(problem: Problem, mixed: Blend) -> str:
    """Return what counted how much, and why, in one sentence."""
    whole = sum(mixed.weights.values())
    parts = ", ".join(f"{name} {100 * weight / whole:.0f} %" for name, weight in mixed.weights.items())
    n = problem.n_given / problem.n_classes
    rate = 100 * problem.n_given / problem.rows.count
    words = f"with {n:.3g} labels a class on {rate:.2g} % of the rows the rules count {parts}"
    if mixed.agreement is None:
        return words
    kept = "is taken" if mixed.polished else f"is not taken (below {100 * mixed.wanted:.0f} %)"
    return f"{words}; what a head makes of the surest rows agrees on {100 * mixed.agreement:.0f} % and {kept}"
