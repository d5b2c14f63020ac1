"""Which rule to use, without spare labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from handful.propagation.blend import Blend, Mixture, mix
from handful.propagation.problem import Problem, RuleFunction
from handful.propagation.rules import RULES


@dataclass(frozen=True)
class Choice:
    """The rule that was chosen.

    rule: its name.
    reason: one sentence with the figures that decided.
    scores: [N, K] what the rule gives on the problem.
    judged: the rule in the form in which it is run again on pretended problems.
    """

    rule: str
    reason: str
    scores: np.ndarray
    judged: RuleFunction


def choose_rule(problem: Problem, mixture: Mixture | None = None) -> Choice:
    """Return `blend`; `consensus` where class priors are to be met.

    mixture: what the parts of the blend have proved, from an earlier answer; None to find it.
    """
    if problem.priors is not None:
        return take_rule(problem, "consensus", "consensus meets the class priors that were given")
    mixed = mix(problem, mixture)
    return Choice("blend", _in_words(problem, mixed), mixed.shares, mixed.mixture)


def take_rule(problem: Problem, rule: str | RuleFunction, reason: str) -> Choice:
    """Return a rule that was named in `RULES`, or given as a function, as if it had been chosen."""
    if rule == "blend":
        return replace(choose_rule(replace(problem, priors=None)), reason=reason)
    if isinstance(rule, str):
        name, function = rule, RULES[rule]
    else:
        name, function = getattr(rule, "__name__", "given function"), rule
    return Choice(name, reason, problem.rows.once(partial(function, problem)), function)


def _in_words(problem: Problem, mixed: Blend) -> str:
    """Return what counted how much, and why, in one sentence."""
    parts = ", ".join(f"{name} {100 * weight:.0f} %" for name, weight in mixed.mixture.weights(problem).items())
    n = problem.n_given / problem.n_classes
    rate = 100 * problem.n_given / problem.rows.count
    words = f"with {n:.3g} labels a class on {rate:.2g} % of the rows"
    if n > 1:
        words += ", and by what they foretell of each third of them,"
    words = f"{words} the rules count {parts}"
    if mixed.agreement is None:
        return words
    kept = "is taken" if mixed.polished else f"is not taken (below {100 * mixed.wanted:.0f} %)"
    return f"{words}; what a head makes of the surest rows agrees on {100 * mixed.agreement:.0f} % and {kept}"
