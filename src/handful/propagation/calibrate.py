"""From a rule's scores to probabilities that can be held to, without spare labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from handful.propagation.evidence import Evidence, gather_evidence
from handful.propagation.learnt import MODELS
from handful.propagation.problem import Problem, RuleFunction

LEAST_SHARE = 0.005
"""Log odds are those of shares from here to as far below one."""


@dataclass(frozen=True)
class Estimate:
    """A share with the interval that holds it in nine cases out of ten."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Calibrated:
    """Calibrated answers for N rows and K classes.

    probabilities: [N, K] rows sum to one where a label reaches, one-hot where it was given, zeros elsewhere.
    confidence: [N] the probability that the most probable class is right: 1 for given rows, 0 for unreached ones.
    expected_accuracy: the share of right labels among the rows that are reached and not given.
    """

    probabilities: np.ndarray
    confidence: np.ndarray
    expected_accuracy: Estimate


def calibrate(problem: Problem, scores: np.ndarray, rule: RuleFunction, *, seed: int = 0) -> Calibrated:
    """Return `scores` [N, K] of `rule` on `problem` as probabilities, with the accuracy to be expected.

    The most probable class of a row is the one with the highest score. No label is needed beyond the given ones: the
    signs of `evidence` are weighed as they have been worth on other data sets.
    """
    probabilities = np.zeros(scores.shape)
    probabilities[problem.given] = problem.one_hot
    confidence = np.zeros(len(scores))
    confidence[problem.given] = 1
    rows = np.flatnonzero(problem.reached & (problem.codes < 0))
    if not problem.rows.total(len(rows)):
        return Calibrated(probabilities, confidence, Estimate(1.0, 1.0, 1.0))
    evidence = gather_evidence(problem, scores, rule, rng=np.random.default_rng(seed))
    confidence[rows] = confidence_of(evidence, problem.n_classes)
    probabilities[rows] = temper(scores[rows], confidence[rows])
    confidence[rows] = probabilities[rows].max(axis=1)
    return Calibrated(probabilities, confidence, expect_accuracy(problem, evidence, confidence[rows]))


def confidence_of(evidence: Evidence, n_classes: int) -> np.ndarray:
    """Return [M] the probability that each of the evidence's rows is right, from chance up to 0.995."""
    model = MODELS[model_name(evidence)]
    centre, scale, weight, least, most = np.array(list(model["signs"].values())).T
    signs = np.clip(evidence.table(tuple(model["signs"])), least, most)
    odds = (signs - centre) / scale @ weight + model["offset"]
    return np.clip(1 / (1 + np.exp(-odds)), 1 / n_classes, 0.995)


def expect_accuracy(problem: Problem, evidence: Evidence, confidence: np.ndarray) -> Estimate:
    """Return the mean confidence with the interval that held the accuracy on nine in ten unseen problems.

    It reaches below chance: where two labels a class happen to be odd ones, two classes can come out swapped.
    """
    value = float(problem.mean(confidence))
    log_labels, *steps = np.array(MODELS[model_name(evidence)]["widths"]).T
    at, middle = np.log(problem.n_given / problem.n_classes), logit(np.clip(value, LEAST_SHARE, 1 - LEAST_SHARE))
    low, high = (float(expit(middle + np.interp(at, log_labels, step))) for step in steps)
    return Estimate(value, min(low, value), max(high, value))


def model_name(evidence: Evidence) -> str:
    """Return which of the learnt models fits the signs there are."""
    halves = "halves" if "unity" in evidence.signs else "single"
    return f"{halves}, {'vectors' if 'partnership' in evidence.signs else 'graph'}"


def temper(scores: np.ndarray, top: np.ndarray) -> np.ndarray:
    """Return `scores` [M, K] with each row raised to a power of its own, so that its largest share is `top` [M].

    The order of the classes is kept. A row whose scores are all equal stays as it is.
    """
    logs = np.log(np.maximum(scores, 1e-12))
    logs -= logs.max(axis=1, keepdims=True)
    low, high = np.full(len(logs), -8.0), np.full(len(logs), 8.0)
    for _ in range(30):
        middle = (low + high) / 2
        too_flat = 1 / np.exp(logs * np.exp(middle)[:, None]).sum(axis=1) < top
        low, high = np.where(too_flat, middle, low), np.where(too_flat, high, middle)
    powers = np.exp(logs * np.exp((low + high) / 2)[:, None])
    return powers / powers.sum(axis=1, keepdims=True)
