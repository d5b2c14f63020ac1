"""Rules of different tempers as one answer, weighed by how many labels there are and by what they foretell.

No rule is the best throughout. `consensus` leads where labels are few among many rows, `laplace` where they are dense,
a head where a class has several or where neighbours mix the classes, and they err in different rows: the weighted
geometric mean of their shares is behind the best of them by less than any choice among them that was tried
(benchmarks/LOG.md). How many labels there are says what to expect of each; rows left out of the given ones tell more
as they grow in number.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from handful.propagation.consensus import consensus, settle
from handful.propagation.heads import head, spread_answer, teach_head
from handful.propagation.linear import laplace
from handful.propagation.problem import Problem, as_shares
from handful.propagation.stacking import LEAST_SHARE, fit_weights

PARTS = ("consensus", "laplace", "head_spread", "head")
DENSE = 0.01  # given rows among all at which laplace counts in full
UNSPREAD = 0.3  # what a head counts by itself, of what it counts spread over the graph: that is mostly better
LEAST_WEIGHT = 0.005  # a part that counts less is not asked
LEAST_AGREEMENT = 0.96
FEW_ROWS = 250  # a class; more of them teach a better head, so that less agreement will do:
LESS_A_DOUBLING = 0.01  # for each doubling beyond, up to
MOST_DOUBLINGS = 3


@dataclass(frozen=True)
class Mixture:
    """A rule: the parts as one answer without the polish, which costs half and changes few rows.

    proved: what each part counts beside what is expected of it: 1 as expected.
    """

    proved: Mapping[str, float]

    def weights(self, problem: Problem) -> dict[str, float]:
        """Return what each part counts on the problem, summing to one."""
        weights = {name: weight * self.proved.get(name, 1.0) for name, weight in weigh(problem).items()}
        return {name: weight / sum(weights.values()) for name, weight in weights.items()}

    def __call__(self, problem: Problem) -> np.ndarray:
        """Return the shares [N, K]."""
        asked = {name: weight for name, weight in self.weights(problem).items() if weight >= LEAST_WEIGHT}
        return _mean(problem, ((said, asked[name]) for name, said in ask(problem, asked)))


def ask(problem: Problem, names: Collection[str]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the parts of these names, each with its shares [N, K]; the head that two of them need is taught once."""
    if "consensus" in names:
        yield "consensus", consensus(problem)
    if "laplace" in names:
        yield "laplace", laplace(problem)
    if {"head", "head_spread"}.isdisjoint(names):
        return
    taught = head(problem)
    if "head" in names:
        yield "head", taught
    if "head_spread" in names:
        yield "head_spread", spread_answer(problem, taught)


def prove(problem: Problem) -> Mixture:
    """Return the parts with what the given rows of the problem prove of them."""
    expected = weigh(problem)
    found = fit_weights(problem, ask, expected)
    return Mixture({name: found[name] * sum(expected.values()) / expected[name] for name in expected})


@dataclass(frozen=True)
class Blend:
    """What `mix` made.

    shares: [N, K] the answer.
    mixture: what the parts have proved.
    agreement: the share of the rows to be found on which the polished answer is the same, None where the graph
        carries no vectors or no row is to be found.
    wanted: the agreement from which on `shares` are the polished ones.
    """

    shares: np.ndarray
    mixture: Mixture
    agreement: float | None
    wanted: float

    @property
    def polished(self) -> bool:
        """Whether `shares` are the polished ones."""
        return self.agreement is not None and self.agreement >= self.wanted


def blend(problem: Problem) -> np.ndarray:
    """Return the shares [N, K] of `mix`."""
    return mix(problem).shares


def mix(problem: Problem, mixture: Mixture | None = None) -> Blend:
    """Return the parts as one answer, polished by a head and rounds of agreement where they leave it nearly as it is.

    A head is taught the surest rows of the answer, its own answer is spread, both are taken together and settled as in
    `consensus`. On classes that a plane can part this mends rows that the graph has wrong; on others it would overturn
    what the graph knows, and shows it: there the two differ on many rows, and the first answer stays.

    mixture: what the parts have proved, from an earlier answer; None to find it.
    """
    mixture = mixture or prove(problem)
    shares = mixture(problem)
    rows = np.flatnonzero(problem.reached & (problem.codes < 0))
    doublings = np.log2(problem.rows.count / problem.n_classes / FEW_ROWS)
    wanted = LEAST_AGREEMENT - LESS_A_DOUBLING * float(np.clip(doublings, 0, MOST_DOUBLINGS))
    if problem.graph.vectors is None or not problem.rows.total(len(rows)):
        return Blend(shares, mixture, None, wanted)
    both = _mean(problem, [(shares, 1.0), (teach_head(problem, shares), 1.0)])
    polished = settle(problem, both)
    agreement = float(problem.mean(polished[rows].argmax(axis=1) == shares[rows].argmax(axis=1)))
    return Blend(polished if agreement >= wanted else shares, mixture, agreement, wanted)


def weigh(problem: Problem) -> dict[str, float]:
    """Return what each part is expected to count, for n given rows a class and a share `rate` of given rows among all.

    With dense = min(1, sqrt(rate / DENSE)): consensus 1 / (1 + (n - 1) dense), laplace `dense`, head_spread
    (1 - 1 / n) dense, head `UNSPREAD` of that, and neither without vectors.
    """
    n = max(1.0, problem.n_given / problem.n_classes)
    dense = min(1.0, float(np.sqrt(problem.n_given / problem.rows.count / DENSE)))
    weights = {"consensus": 1 / (1 + (n - 1) * dense), "laplace": dense}
    if problem.graph.vectors is not None and n > 1:
        weights["head_spread"] = (1 - 1 / n) * dense
        weights["head"] = UNSPREAD * weights["head_spread"]
    return weights


def _mean(problem: Problem, parts: Iterable[tuple[np.ndarray, float]]) -> np.ndarray:
    """Return the weighted geometric mean of shares [N, K], one at a time: each is as large as the answer."""
    logs, whole = np.zeros((len(problem.codes), problem.n_classes)), 0.0
    for shares, weight in parts:
        logs += weight * np.log(shares + LEAST_SHARE)
        whole += weight
    return as_shares(np.exp(logs / whole) * problem.present[problem.components], problem)
