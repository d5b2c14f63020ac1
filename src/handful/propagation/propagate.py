"""From a graph and a handful of labels to a label and a probability for every row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from handful.data import Labels, encode_labels
from handful.errors import InputError, check_choice
from handful.graph import Graph
from handful.graph.rows import Rows
from handful.propagation.blend import Mixture
from handful.propagation.calibrate import Calibrated, Estimate, calibrate
from handful.propagation.choose import Choice, choose_rule, take_rule
from handful.propagation.fuse import as_graph
from handful.propagation.priors import encode_priors
from handful.propagation.problem import Problem, RuleFunction
from handful.propagation.rules import MEET_PRIORS, RULES

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Propagation:
    """A label, a probability and a confidence for each of N rows.

    classes: [K] the classes as they were given.
    probabilities: [N, K] calibrated; one-hot for given rows, zeros where no label reaches.
    labels: [N] in the classes' own type, or objects with None where a row has no label.
    confidence: [N] the probability that the label is right: 1 for given rows, 0 where no label reaches.
    reached: [N] bool, whether a given label lies in the row's component of the graph.
    given: [N] bool, whether the label was given.
    margin: [N] the probability of the label less that of the runner-up.
    runner_up: [N] the second most probable class, None where there is none.
    rule: the name of the rule.
    reason: why this rule, in words.
    mixture: what the parts of a blend have proved, None for another rule.
    expected_accuracy: the share of right labels among the propagated rows, None where there are none.
    notes: what must not pass in silence, one sentence each.
    seed: the seed that the calibration drew with.
    """

    classes: np.ndarray
    probabilities: np.ndarray
    labels: np.ndarray
    confidence: np.ndarray
    reached: np.ndarray
    given: np.ndarray
    margin: np.ndarray
    runner_up: np.ndarray
    rule: str
    reason: str
    expected_accuracy: Estimate | None
    notes: tuple[str, ...] = ()
    seed: int = 0
    mixture: Mixture | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def joined(self, rows: Rows) -> Propagation:
        """Return the answer, for the rows held here of all `rows`, in the order of all rows."""
        held = np.arange(len(self))
        by_row = ("probabilities", "labels", "confidence", "reached", "given", "margin", "runner_up")
        arrays: dict[str, Any] = {name: rows.join(held, getattr(self, name)) for name in by_row}
        return replace(self, **arrays)

    def abstain_below(self, confidence: float) -> Propagation:
        """Return the same answer with the labels left empty where the confidence is below `confidence`."""
        if not 0 <= confidence <= 1:
            raise InputError(f"abstain_below needs a probability between 0 and 1, got {confidence!r}.")
        labels = self.labels.astype(object)
        labels[self.confidence < confidence] = None
        return replace(self, labels=labels)

    def prediction_sets(self, coverage: float = 0.9) -> list[list[Any]]:
        """Return for each row the classes that hold the truth for a share `coverage` of the propagated rows.

        A class is in a row's set where its probability reaches one threshold for all rows: the highest at which the
        sets' mean probability is `coverage` (the least ambiguous sets, Sadinle et al. 2019, with calibrated
        probabilities in the place of held-out rows). Each set holds the row's most probable class; a given row's
        set is its label, and an unreached row's set is every class.
        """
        if not 0 < coverage <= 1:
            raise InputError(f"coverage must be a share above 0 and at most 1, got {coverage!r}.")
        open_rows = self.reached & ~self.given
        sets = self.probabilities >= _coverage_threshold(self.probabilities[open_rows], coverage)
        sets &= self.probabilities > 0
        sets[np.arange(len(sets)), self.probabilities.argmax(axis=1)] = True
        sets[~self.reached] = True
        return [self.classes[row].tolist() for row in sets]


def _coverage_threshold(probabilities: np.ndarray, coverage: float) -> float:
    """Return the highest threshold at which the probabilities that reach it sum to `coverage` of the rows."""
    if not len(probabilities):
        return 1.0
    descending = np.sort(probabilities, axis=None)[::-1]
    wanted = coverage * probabilities.sum() * (1 - 1e-12)
    return float(descending[min(np.searchsorted(np.cumsum(descending), wanted), len(descending) - 1)])


def propagate(
    graph: Any,
    labels: Any,
    rule: str | RuleFunction = "auto",
    *,
    priors: Mapping[Any, float] | Sequence[float] | np.ndarray | None = None,
    seed: int = 0,
    warm_start: Propagation | None = None,
    progress: Progress | None = None,
) -> Propagation:
    """Return a label, a calibrated probability and a confidence for every row.

    graph: a Graph, a symmetric sparse matrix of weights [N, N], vectors [N, D], or a list of any of these, which are
        fused into one graph.
    labels: [N] the given labels; -1, None, NaN or "" where a row has none.
    rule: "auto", the name of a rule in `RULES`, or a function from a Problem to scores [N, K].
    priors: the share of each class among all rows: [K] in the order of the sorted classes, or a mapping from class
        to share. "auto" and the rules in `MEET_PRIORS` pull the sizes of the classes to them.
    warm_start: an earlier answer on the same graph: its rule and what its parts have proved are kept, so that no
        choice is made again.
    progress: called with a few words as each step begins.

    Raises InputError where lengths differ, fewer than two classes are given, the priors fit no classes, or the rule
    meets no priors.
    """
    if priors is not None and isinstance(rule, str) and rule in RULES and rule not in MEET_PRIORS:
        raise InputError(
            f"the rule {rule!r} meets no class priors: take 'auto' or one of {', '.join(sorted(MEET_PRIORS))}, or give "
            "no priors."
        )
    say = progress or (lambda words: None)
    say("fusing" if isinstance(graph, list | tuple) else "reading the graph")
    problem, encoded = make_problem(as_graph(graph, labels=labels, seed=seed), labels, priors)
    near = problem.near
    labels = Labels(encoded.classes, near.codes)
    return answer(near, labels, rule, seed=seed, warm_start=warm_start, progress=say).joined(near.rows)


def answer(
    problem: Problem,
    labels: Labels,
    rule: str | RuleFunction,
    *,
    seed: int = 0,
    warm_start: Propagation | None = None,
    progress: Progress,
) -> Propagation:
    """Return what `propagate` returns, for the rows of a checked `problem` and their `labels`."""
    progress("choosing a rule" if rule == "auto" else "propagating")
    choice = _settle_rule(problem, rule, warm_start)
    progress("calibrating")
    calibrated = calibrate(problem, choice.scores, choice.judged, seed=seed)
    return _answer(problem, labels, calibrated, choice, seed)


def make_problem(graph: Graph, labels: Any, priors: Any = None) -> tuple[Problem, Labels]:
    """Return the checked problem and its labels.

    Raises InputError as `propagate` does.
    """
    encoded = check_labels(labels, len(graph))
    shares = None if priors is None else encode_priors(priors, encoded.classes)
    return Problem(graph, encoded.codes, len(encoded.classes), shares), encoded


def check_labels(labels: Any, n_rows: int) -> Labels:
    """Return the labels of `n_rows` rows, without classes that no row carries.

    Raises InputError where their number is another, or fewer than two classes are given.
    """
    encoded = _only_given_classes(encode_labels(labels))
    if len(encoded.codes) != n_rows:
        raise InputError(
            f"labels must have one value for each of the graph's {n_rows} rows, got {len(encoded.codes)}: "
            "write -1, None or an empty string for rows without a label."
        )
    if not encoded.given.any():
        raise InputError(f"no label is given among {n_rows} rows: label at least one row of each class.")
    if len(encoded.classes) < 2:
        raise InputError(
            f"labels must name at least two classes, got only {encoded.classes[0].item()!r}: "
            "with one class every row would get the same label; label a row of another class."
        )
    return encoded


def _only_given_classes(labels: Labels) -> Labels:
    """Return the labels without the classes that no row carries."""
    present, codes = np.unique(labels.codes[labels.given], return_inverse=True)
    compact = np.full(len(labels.codes), -1, dtype=np.int32)
    compact[labels.given] = codes
    return Labels(labels.classes[present], compact)


def _settle_rule(problem: Problem, rule: str | RuleFunction, warm_start: Propagation | None) -> Choice:
    """Return the rule that was asked for or that is chosen, with what it gives."""
    if not isinstance(rule, str):
        return take_rule(problem, rule, "the rule was given as a function")
    if rule != "auto":
        check_choice("rule", rule, ["auto", *RULES])
        return take_rule(problem, rule, "the rule was asked for by name")
    if warm_start is None or warm_start.rule not in RULES:
        return choose_rule(problem)
    reason = f"kept from the earlier answer: {warm_start.reason}"
    if warm_start.rule == "blend":
        return replace(choose_rule(problem, warm_start.mixture), reason=reason)
    return take_rule(problem, warm_start.rule, reason)


def _answer(problem: Problem, labels: Labels, calibrated: Calibrated, choice: Choice, seed: int) -> Propagation:
    """Return what comes out: given rows keep their label, unreached rows get none."""
    probabilities = np.where(problem.reached[:, None], calibrated.probabilities, 0)
    probabilities[problem.given] = problem.one_hot
    codes = np.where(problem.reached, probabilities.argmax(axis=1), -1)
    open_rows = problem.reached & ~labels.given
    ranked = np.partition(probabilities, -2, axis=1)
    seconds = np.argsort(probabilities, axis=1)[:, -2]
    seconds[~problem.reached | labels.given] = -1
    confidence = np.where(problem.reached, calibrated.confidence, 0)
    confidence[labels.given] = 1
    return Propagation(
        classes=labels.classes,
        probabilities=probabilities,
        labels=labels.decode(codes),
        confidence=confidence,
        reached=problem.reached,
        given=labels.given,
        margin=ranked[:, -1] - ranked[:, -2],
        runner_up=labels.decode(seconds),
        rule=choice.rule,
        reason=choice.reason,
        mixture=choice.judged if isinstance(choice.judged, Mixture) else None,
        expected_accuracy=calibrated.expected_accuracy if problem.rows.total(open_rows.sum()) else None,
        notes=tuple(_notes(problem, labels)),
        seed=seed,
    )


def _notes(problem: Problem, labels: Labels) -> list[str]:
    """Return what must not pass in silence."""
    total, notes = problem.rows.total, []
    if problem.n_given == problem.rows.count:
        notes.append("Every row carries a label: there was nothing to propagate.")
    if total((~problem.reached).sum()):
        notes.append(_unreached_in_words(problem))
    counts = total(np.bincount(problem.codes[problem.given], minlength=problem.n_classes))
    lone = labels.classes[counts == 1].tolist()
    if lone:
        named = ", ".join(repr(name) for name in lone[:10]) + (", ..." if len(lone) > 10 else "")
        notes.append(f"{len(lone)} of {problem.n_classes} classes have a single given row ({named}).")
    return notes


def _unreached_in_words(problem: Problem) -> str:
    """Return how many rows and components no label reaches."""
    counts = problem.rows.total(np.bincount(problem.components[~problem.reached], minlength=problem.n_components))
    sizes = np.sort(counts[counts > 0])[::-1]
    rows = ", ".join(str(size) for size in sizes[:5]) + (", ..." if len(sizes) > 5 else "")
    return (
        f"{sizes.sum()} rows get no label: {len(sizes)} of the graph's {problem.n_components} components "
        f"hold no given row (sizes {rows}); label a row in each, or ask for more neighbours."
    )
