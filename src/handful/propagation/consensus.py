"""Rounds that let every row agree with its neighbourhood, from labels that other rules have spread.

A rule that is linear in the labels gives each row the class whose few given rows are nearest along the graph. With a
label or two a class that is a matter of luck: a given row at the rim of its class loses most of it to a better placed
one. Rounds of averaging over the neighbourhood and sharpening find the boundaries where the graph is thin, as Markov
clustering does (van Dongen 2000), with three things held: the given labels, the evidence of the first answer, and a
pull on the size of the classes, without which the largest swallows the rest.
"""

from __future__ import annotations

import numpy as np

from handful.graph.smoothing import random_walk, smooth
from handful.propagation.linear import poisson, pwll
from handful.propagation.problem import Problem, as_shares

LEAST_SHARE = 1e-9  # of a class in a row's neighbourhood
LEAST_EVIDENCE = 1e-3


def consensus(problem: Problem) -> np.ndarray:
    """Return what rounds of agreement with the neighbourhood make of `both_ways`, classes held from swallowing.

    Class priors in the problem are what the sizes of the classes are pulled to.
    """
    return settle(problem, both_ways(problem), sizes=problem.priors)


def both_ways(problem: Problem) -> np.ndarray:
    """Return the geometric mean of the shares of PWLL and of Poisson learning.

    PWLL clamps each given row, so that one in a dense place reaches too far; Poisson learning sums over them, so that
    classes with many rows near each other weigh too much. They err in different rows.
    """
    return as_shares(np.sqrt(pwll(problem) * poisson(problem)), problem)


def settle(
    problem: Problem,
    first: np.ndarray,
    *,
    sizes: np.ndarray | None = None,
    pull: float | None = None,
    power: float = 2.0,
    rounds: int = 10,
    steps: int = 20,
    alpha: float = 0.95,
    hold: bool = True,
) -> np.ndarray:
    """Return the shares [N, K] that `rounds` of agreement make of the shares `first` [N, K].

    With P the shares, given rows as given where they are held, each round takes

        F = the mean of P over the neighbourhood: `steps` times F <- alpha D^-1 W F + (1 - alpha) P from F = P
        P = F^power / (mass / sizes)^(power pull) * first, rows normalised; mass the mean of P over the reached rows.

    sizes: [K] what the mean share of each class is pulled to, None for even classes.
    pull: 0 for no pull, 1 for as much as divides each class by its mass. None for 1 to given sizes, or to even ones for
        1/2 times the fourth power of how even the classes of `first` are: where the classes are uneven, it tells.
    hold: False where a given label counts only through `first`, so that its neighbourhood may overrule it.
    """
    walk = random_walk(problem.graph.weights, problem.graph.degrees)
    if pull is None:
        pull = 0.5 * _evenness(first, problem) ** 4 if sizes is None else 1.0
    evidence = np.log(first.astype(np.float32) + np.float32(LEAST_EVIDENCE))
    wanted = 0.0 if sizes is None else np.log(sizes)
    shares = first.astype(np.float32)
    logits = evidence
    for _ in range(rounds):
        if hold:
            shares[problem.given] = problem.one_hot
        mean = smooth(walk, shares, alpha=alpha, steps=steps, rows=problem.rows)
        mass = np.log(np.maximum(problem.mean(shares[problem.reached]), LEAST_SHARE)) - wanted
        offset = (power * pull * mass).astype(np.float32)
        logits = np.float32(power) * np.log(mean + np.float32(LEAST_SHARE)) - offset + evidence
        shares = _softmax(logits) * problem.reached[:, None]
    # One share in power + 1 of a round's exponent: the same order, without shares that are one within rounding.
    return as_shares(_softmax(logits / np.float32(power + 1)) * problem.present[problem.components], problem)


def _evenness(shares: np.ndarray, problem: Problem) -> float:
    """Return the entropy of how many reached rows of `shares` [N, K] each class gets, as a part of the most."""
    sizes = problem.rows.total(np.bincount(shares[problem.reached].argmax(axis=1), minlength=shares.shape[1]))
    sizes = sizes / max(sizes.sum(), 1)
    return float(-(sizes * np.log(np.maximum(sizes, 1e-12))).sum() / np.log(shares.shape[1]))


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
