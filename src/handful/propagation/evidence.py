"""Signs of how often a rule is right, row by row, read from the graph and the given labels alone.

No single sign will do. A rule gets its own answer back too often, because predicted labels are smoother on the graph
than true ones. Two rules that judge by different means agree on what both get wrong. Two halves of the given labels
disagree about as often as either errs (Jiang et al., Assessing generalization of SGD via disagreement, 2022), if the
rule is neither too smooth nor too rough. The given rows that a half left out are judged by true labels, but are few.
`learnt` holds how much each sign has been worth on many data sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors

from handful.propagation.blend import Mixture, blend
from handful.propagation.consensus import consensus
from handful.propagation.heads import head, head_spread, spread_head
from handful.propagation.linear import pwll
from handful.propagation.priors import balanced
from handful.propagation.problem import Problem, RuleFunction
from handful.propagation.redraw import Redraw, predicted_codes, redraw, split_given
from handful.propagation.robust import robust

GRAPH_KIN = (consensus, balanced, robust)
HEAD_KIN = (head, head_spread, spread_head)
N_REDRAWS = 3
N_SPLITS = 3
MOST_TAUGHT = 20_000
MOST_MEASURED = 1000
EVEN_TRIALS = 20  # held-out rows at which the trust in them is one half


@dataclass(frozen=True)
class Evidence:
    """Signs for the M rows that a label reaches and that carry none.

    rows: [M] the rows.
    signs: name -> [M]; signs of the whole problem are the same for each row.
    """

    rows: np.ndarray
    signs: dict[str, np.ndarray]

    def table(self, names: Sequence[str]) -> np.ndarray:
        """Return [M, len(names)] the signs of these names side by side."""
        return np.stack([self.signs[name] for name in names], axis=1)


def gather_evidence(problem: Problem, scores: np.ndarray, rule: RuleFunction, *, rng: np.random.Generator) -> Evidence:
    """Return the signs of how often `scores` [N, K] of `rule` on `problem` are right."""
    codes = predicted_codes(problem, scores)
    rows = np.flatnonzero(problem.reached & (problem.codes < 0))
    signs = _redraw_signs(problem, scores, codes, rows, redraw(problem, codes, rule, n=N_REDRAWS, rng=rng))
    signs |= _shape_signs(problem, codes, rows) | _kin_signs(problem, codes, rows, rule)
    signs |= _vector_signs(problem, codes, rows, rule)
    signs |= _halves_signs(problem, rows, rule, rng)
    return Evidence(rows, {name: np.broadcast_to(np.asarray(sign, float), rows.shape) for name, sign in signs.items()})


def excess_logit(share: float | np.ndarray, n_classes: int) -> np.ndarray:
    """Return the log odds of the part of `share` that is not chance among `n_classes`, kept between -3.9 and 3.9."""
    excess = np.clip((np.asarray(share) - 1 / n_classes) / (1 - 1 / n_classes), 0.02, 0.98)
    return np.log(excess / (1 - excess))


def neighbour_agreement(problem: Problem, codes: np.ndarray) -> np.ndarray:
    """Return [N] the share of each row's weight on rows of the same class in `codes` [N]; 0 without neighbours."""
    weights = problem.graph.weights
    same = problem.rows.with_borders(codes)[weights.indices] == np.repeat(codes, np.diff(weights.indptr))
    agreeing = np.add.reduceat(np.append(weights.data * same, 0), weights.indptr[:-1])
    agreeing[np.diff(weights.indptr) == 0] = 0
    return agreeing / np.where(problem.graph.degrees > 0, problem.graph.degrees, 1)


def _redraw_signs(
    problem: Problem, scores: np.ndarray, codes: np.ndarray, rows: np.ndarray, redraws: Iterable[Redraw]
) -> dict[str, float | np.ndarray]:
    met, regained = np.zeros(len(codes)), np.zeros(len(codes))
    join, total = problem.rows.join, problem.rows.total
    features, targets, stability = [], [], []
    for again in redraws:
        met[again.judged] += 1
        regained[again.judged] += again.regained
        features.append(join(again.judged, _local_features(problem, again.scores, again.judged)))
        targets.append(join(again.judged, again.regained))
        stability.append(problem.mean(again.regained) if total(len(again.judged)) else 1.0)
    chance = _learn_regained(np.concatenate(features), np.concatenate(targets), _local_features(problem, scores, rows))
    return {
        "regained": np.log(chance / (1 - chance)),
        "regained_share": (regained / np.maximum(met, 1))[rows],
        "stability": excess_logit(float(np.mean(stability)), problem.n_classes),
    }


def _local_features(problem: Problem, scores: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return [M, 2] the log ratio of the two highest scores of each row, and its agreement with its neighbours."""
    ranked = np.partition(scores[rows], -2, axis=1)
    ratio = np.log((ranked[:, -1] + 1e-9) / (ranked[:, -2] + 1e-9))
    return np.stack([ratio, neighbour_agreement(problem, scores.argmax(axis=1))[rows]], axis=1)


def _learn_regained(features: np.ndarray, regained: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return [M] the chance that rows with the features `wanted` [M, 2] get their pretended truth back."""
    step = max(1, len(features) // MOST_TAUGHT)
    features, regained = features[::step], regained[::step]
    if len(np.unique(regained)) < 2:
        return np.full(len(wanted), 0.98 if len(regained) == 0 or regained[0] else 0.02)
    centre, scale = features.mean(axis=0), features.std(axis=0) + 1e-9
    model = LogisticRegression().fit((features - centre) / scale, regained)
    return np.clip(model.predict_proba((wanted - centre) / scale)[:, 1], 0.02, 0.98)


def _shape_signs(problem: Problem, codes: np.ndarray, rows: np.ndarray) -> dict[str, float | np.ndarray]:
    """Return how smooth the answer is on the graph, how even its classes are, and how many labels it had."""
    degrees = problem.graph.degrees
    total, join = problem.rows.total, problem.rows.join
    smooth = float(total(neighbour_agreement(problem, codes) @ degrees) / max(total(degrees.sum()), 1e-12))
    shares = total(np.bincount(codes[rows], minlength=problem.n_classes)) / max(total(len(rows)), 1)
    entropy = -(shares * np.log(np.maximum(shares, 1e-12))).sum()
    typical = max(float(np.median(join(np.arange(len(degrees)), degrees))), 1e-12)
    return {
        "degree": np.log(np.maximum(degrees[rows], 1e-3 * typical) / typical),
        "smoothness": excess_logit(smooth, problem.n_classes),
        "balance": entropy / np.log(problem.n_classes),
        "log_labels": np.log(problem.n_given / problem.n_classes),
        "log_classes": np.log(problem.n_classes),
    }


def _kin_signs(
    problem: Problem, codes: np.ndarray, rows: np.ndarray, rule: RuleFunction
) -> dict[str, float | np.ndarray]:
    """Return the agreement with a rule of the same means and another temper (of consensus with PWLL), and the kind.

    Each kind of rule flatters itself in its own way.
    """
    kin = pwll if rule in GRAPH_KIN or _is_blend(rule) else consensus
    agrees = problem.rows.once(partial(kin, problem))[rows].argmax(axis=1) == codes[rows]
    share = float(problem.mean(agrees)) if problem.rows.total(len(rows)) else 1.0
    kinds = {"is_blend": _is_blend(rule), "is_settled": rule in GRAPH_KIN, "is_head": rule is head}
    kinds |= {"is_head_spread": rule is head_spread, "is_spread_head": rule is spread_head}
    return {"kin_agrees": agrees, "kinship": excess_logit(share, problem.n_classes)} | {
        name: float(kind) for name, kind in kinds.items()
    }


def _is_blend(rule: RuleFunction) -> bool:
    return rule is blend or isinstance(rule, Mixture)


def _vector_signs(
    problem: Problem, codes: np.ndarray, rows: np.ndarray, rule: RuleFunction
) -> dict[str, float | np.ndarray]:
    """Return the agreement with a rule that judges by other means (a head's with the graph, the graph's with a head),
    and the logarithm of the dimension of the vectors; empty where the graph has none."""
    if problem.graph.vectors is None:
        return {}
    partner = pwll if rule in HEAD_KIN else head
    agrees = problem.rows.once(partial(partner, problem))[rows].argmax(axis=1) == codes[rows]
    share = float(problem.mean(agrees)) if problem.rows.total(len(rows)) else 1.0
    return {
        "partner_agrees": agrees,
        "partnership": excess_logit(share, problem.n_classes),
        "dimension": np.log(intrinsic_dimension(_some_vectors(problem))),
    }


def _some_vectors(problem: Problem) -> np.ndarray:
    """Return the vectors of `MOST_MEASURED` rows at most, the same rows on one machine and on many."""
    assert problem.graph.vectors is not None
    count = problem.rows.count
    some = np.sort(np.random.default_rng(0).choice(count, min(count, MOST_MEASURED), replace=False))
    return problem.rows.collect(some, problem.graph.vectors).astype(np.float32)


def intrinsic_dimension(vectors: np.ndarray, n_neighbors: int = 10) -> float:
    """Return how many dimensions the rows of `vectors` [N, D] spread into around each of them, at least one.

    Levina and Bickel's estimate of most likelihood (2004), its inverse averaged over the rows (MacKay and Ghahramani,
    2005). Of rows that are alike one counts. Many dimensions with few labels are what images, texts and sounds have,
    and a rule does better there than its agreements say; tables of a few columns are the other way round.
    """
    vectors = np.unique(vectors, axis=0)
    k = min(n_neighbors, len(vectors) - 1)
    if k < 2:
        return 1.0
    near, _ = NearestNeighbors(n_neighbors=k).fit(vectors).kneighbors()
    inverse = np.log(near[:, -1:] / np.maximum(near[:, :-1], 1e-12)).mean()
    return float(max(1 / max(inverse, 1e-3), 1.0))


def _halves_signs(
    problem: Problem, rows: np.ndarray, rule: RuleFunction, rng: np.random.Generator
) -> dict[str, float | np.ndarray]:
    """Return how two halves of the given labels agree, and how far each is right on the given rows of the other.

    The mean over `N_SPLITS` splits, as many as `learnt` was taught with. Empty where no class has two given rows.
    """
    agrees, hits = np.zeros(len(rows)), []
    for _ in range(N_SPLITS):
        halves = split_given(problem, rng)
        if halves is None:
            return {}
        once = problem.rows.once
        first, second = (np.where(half.reached, once(partial(rule, half)).argmax(axis=1), -1) for half in halves)
        agrees += (first[rows] == second[rows]) / N_SPLITS
        for half, answer in zip(halves, (first, second), strict=True):
            left_out = problem.given[half.codes[problem.given] < 0]
            hits.append(answer[left_out] == problem.codes[left_out])
    found = np.concatenate(hits)
    n_found = float(problem.rows.total(len(found)))
    n_trials = n_found / N_SPLITS
    share_found = float(problem.rows.total(found.sum())) / n_found
    trust = n_trials / (n_trials + EVEN_TRIALS)
    return {
        "halves_agree": agrees,
        "unity": excess_logit(problem.mean(agrees) if problem.rows.total(len(rows)) else 1.0, problem.n_classes),
        "held_out": trust * excess_logit((share_found * n_trials + 0.5) / (n_trials + 1), problem.n_classes),
    }
