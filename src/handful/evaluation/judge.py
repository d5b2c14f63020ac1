"""Many random draws of a handful of labels, the whole rest scored, and simple peers on the same labels beside it.

A row whose label was given is never scored: a method that only repeats what it was told gets nothing for it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.semi_supervised import LabelSpreading

from handful.data import Labels, encode_labels
from handful.errors import InputError, check_at_least
from handful.evaluation.measures import accuracy, calibration_error
from handful.graph import Graph, knn_graph
from handful.propagation import propagate
from handful.run.duplicates import near_duplicate_groups
from handful.run.folder import Run
from handful.run.path import read_again
from handful.training.embed import Embeddings
from handful.training.pretrain import pretrain

UNTRAINED = "untrained network"
LEAST_LEAD = 0.01
"""By how much more often another representation has to be right to be worth a word."""


@dataclass(frozen=True)
class Line:
    """One method at one number of labels a class: means and standard deviations over the trials; shares are of 1.

    calibration_error and expected_accuracy are None for peers that state no confidence worth the name.
    leaked: how many scored rows are nearly the same as a given one, in the mean over the trials.
    """

    method: str
    labels_per_class: int
    trials: int
    accuracy: float
    accuracy_std: float
    unreached: float
    leaked: float = 0.0
    calibration_error: float | None = None
    expected_accuracy: float | None = None
    covered: float | None = None


@dataclass(frozen=True)
class Evaluation:
    """The lines of all methods, and what was drawn.

    alone: the methods that are one representation, which a run can be made of by its name.
    """

    lines: Sequence[Line]
    rows: int
    classes: int
    seed: int
    alone: Sequence[str] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    def in_words(self) -> str:
        """Return the table as text."""
        head = f"{'method':34} {'labels a class':>14} {'right %':>9} {'(std)':>7} {'ECE':>6} {'expected %':>11}"
        rows = [head]
        for line in self.lines:
            error = "" if line.calibration_error is None else f"{100 * line.calibration_error:.1f}"
            expected = "" if line.expected_accuracy is None else f"{100 * line.expected_accuracy:.1f}"
            rows.append(
                f"{line.method:34} {line.labels_per_class:14d} {100 * line.accuracy:9.1f} "
                f"({100 * line.accuracy_std:5.1f}) {error:>6} {expected:>11}"
            )
        leaked = max((line.leaked for line in self.lines), default=0)
        if leaked:
            rows.append(f"Up to {leaked:.1f} scored items a draw are nearly the same as a given one.")
        best = self.better_alone()
        if best is not None:
            ahead = 100 * (best.accuracy - self.lines[0].accuracy)
            rows.append(
                f"{best.method} alone is right more often than {self.lines[0].method}, by {ahead:.1f} points at "
                f"{best.labels_per_class} labels a class: --method {best.method} takes it alone."
            )
        return "\n".join(rows)

    def better_alone(self) -> Line | None:
        """Return the line of the representation that is ahead of the run's own the most, by more than chance explains.

        By itself, at the same number of labels a class; by chance means are off by their standard error, and two of
        the difference are asked for, though both were given the same labels. None where there is none.
        """
        first, found = self.lines[0].method, []
        own = {line.labels_per_class: line for line in self.lines if line.method == first}
        for line in self.lines:
            usual = own[line.labels_per_class]
            error = float(np.hypot(line.accuracy_std, usual.accuracy_std)) / np.sqrt(max(line.trials - 1, 1))
            if line.method in self.alone and line.accuracy - usual.accuracy > max(2 * error, LEAST_LEAD):
                found.append((line.accuracy - usual.accuracy, line))
        return max(found, key=lambda pair: pair[0])[1] if found else None


def evaluate(
    run: Any,
    truth: Any,
    labels_per_class: Sequence[int] = (1, 5),
    trials: int = 20,
    *,
    rule: str = "auto",
    peers: bool = True,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Evaluation:
    """Return how many rows come out right, over `trials` random draws of `labels_per_class` labels of each class.

    run: a Run, a Graph, Embeddings or vectors [N, D].
    truth: [N] the right labels, -1, None or "" where they are not known: such rows are neither given nor scored.
        For a Run, also what `read` takes as labels.
    peers: also judge each representation of a Run that stands beside others by itself, the simplest one for its kind of
        data (PCA, of texts TF-IDF) and an untrained network; and scikit-learn's LabelSpreading and logistic regression
        on the same vectors and labels.
    Raises InputError where a class has no more rows than labels are to be drawn.
    """
    check_at_least("trials", trials, 1)
    labels = _truth(run, truth)
    _check_counts(labels, labels_per_class)
    graphs = _graphs(run, peers, seed)
    alike = near_duplicate_groups(run) if isinstance(run, Run) else np.full(len(labels.codes), -1)
    lines = []
    for count in labels_per_class:
        for name, judge in _judges(graphs, rule, peers).items():
            if progress is not None:
                progress(f"{name}, {count} labels a class")
            scored = [_score(judge, labels, count, alike, [seed, count, trial]) for trial in range(trials)]
            lines.append(_line(name, count, scored))
    alone = [name for name in list(graphs)[1:] if name != UNTRAINED]
    return Evaluation(lines, int(labels.given.sum()), len(labels.classes), seed, alone)


def draw_given(labels: Labels, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return the rows of `count` labels of each class, drawn at random."""
    return np.concatenate(
        [rng.choice(np.flatnonzero(labels.codes == code), count, replace=False) for code in range(len(labels.classes))]
    )


@dataclass(frozen=True)
class _Answer:
    codes: np.ndarray  # [N], -1 where there is no label
    confidence: np.ndarray | None = None
    expected: tuple[float, float, float] | None = None


Judge = Callable[[Labels, int], _Answer]


def _score(judge: Judge, labels: Labels, count: int, alike: np.ndarray, seed: list[int]) -> dict[str, float]:
    """Return the figures of one draw, on the rows not given."""
    rng = np.random.default_rng(seed)
    codes = np.full(len(labels.codes), -1, dtype=np.int32)
    given = draw_given(labels, count, rng)
    codes[given] = labels.codes[given]
    answer = judge(Labels(labels.classes, codes), seed[-1])
    scored = labels.given & (codes < 0)
    right = answer.codes[scored] == labels.codes[scored]
    figures = {"accuracy": accuracy(right), "unreached": float((answer.codes[scored] < 0).mean())}
    figures["leaked"] = float((scored & (alike >= 0) & np.isin(alike, alike[given])).sum())
    if answer.confidence is not None:
        figures["calibration_error"] = calibration_error(answer.confidence[scored], right)
    if answer.expected is not None:
        value, low, high = answer.expected
        figures |= {"expected_accuracy": value, "covered": float(low <= figures["accuracy"] <= high)}
    return figures


def _line(name: str, count: int, scored: list[dict[str, float]]) -> Line:
    def mean(figure: str) -> float | None:
        return float(np.mean([s[figure] for s in scored])) if figure in scored[0] else None

    return Line(
        method=name,
        labels_per_class=count,
        trials=len(scored),
        accuracy=float(np.mean([s["accuracy"] for s in scored])),
        accuracy_std=float(np.std([s["accuracy"] for s in scored])),
        unreached=float(np.mean([s["unreached"] for s in scored])),
        leaked=float(np.mean([s["leaked"] for s in scored])),
        calibration_error=mean("calibration_error"),
        expected_accuracy=mean("expected_accuracy"),
        covered=mean("covered"),
    )


def _truth(run: Any, truth: Any) -> Labels:
    if isinstance(run, Run) and (isinstance(truth, str | Mapping) or hasattr(truth, "__fspath__")):
        labels = read_again(run, truth).labels
        assert labels is not None
        return labels
    return encode_labels(truth)


def _check_counts(labels: Labels, labels_per_class: Sequence[int]) -> None:
    if len(labels.classes) < 2:
        raise InputError(f"the truth has {len(labels.classes)} class: at least two are needed to judge an answer.")
    counts = np.bincount(labels.codes[labels.given])
    for count in labels_per_class:
        check_at_least("labels_per_class", count, 1)
        if counts.min() <= count:
            name = labels.classes[counts.argmin()].item()
            raise InputError(f"class {name!r} has {counts.min()} rows: {count} cannot be drawn with one left to score.")


def _graphs(run: Any, peers: bool, seed: int) -> dict[str, Graph]:
    """Return the graphs to judge by name, the one that was asked about first."""
    if isinstance(run, Graph):
        return {"graph": run}
    if not isinstance(run, Run):
        return {"vectors": knn_graph(getattr(run, "vectors", run), seed=seed)}
    graphs = {run.record["pretrain"]["options"]["method"]: run.graph}
    if peers:
        data = read_again(run)
        for name, vectors in _alone(run, data, seed):
            graphs.setdefault(name, knn_graph(vectors, n_neighbors=run.graph.n_neighbors or 10, seed=seed))
    return graphs


def _alone(run: Run, data: Any, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the vectors of each of several blocks, of the first floor of this kind of data, of an untrained network."""
    embeddings: Embeddings = run.embeddings
    for name in embeddings.blocks if len(embeddings.blocks) > 1 else ():
        yield name, np.ascontiguousarray(embeddings.block(name))
    floor = next(iter(run.encoder.modality.floors()))
    if floor not in embeddings.blocks:
        yield floor, pretrain(data, floor, seed=seed).embed(data).vectors
    yield UNTRAINED, pretrain(data, "random", seed=seed).embed(data).vectors


def _judges(graphs: Mapping[str, Graph], rule: str, peers: bool) -> dict[str, Judge]:
    judges: dict[str, Judge] = {name: _ours(graph, rule) for name, graph in graphs.items()}
    first, graph = next(iter(graphs.items()))
    if peers and graph.vectors is not None:
        judges[f"{first} + sklearn LabelSpreading"] = _sklearn_spreading(graph.vectors)
        judges[f"{first} + logistic regression"] = _logistic_regression(graph.vectors)
    return judges


def _ours(graph: Graph, rule: str) -> Judge:
    def judge(labels: Labels, seed: int) -> _Answer:
        answer = propagate(graph, labels, rule, seed=seed)
        codes = np.where(answer.reached, answer.probabilities.argmax(1), -1)
        stated = answer.expected_accuracy
        expected = None if stated is None else (stated.value, stated.low, stated.high)
        return _Answer(codes, answer.confidence, expected)

    return judge


def _sklearn_spreading(vectors: np.ndarray) -> Judge:
    def judge(labels: Labels, seed: int) -> _Answer:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.simplefilter("ignore", RuntimeWarning)  # it divides by zero on rows that no label reaches
            fitted = LabelSpreading(kernel="knn", n_neighbors=10, n_jobs=-1).fit(vectors, labels.codes)
        return _Answer(fitted.transduction_)

    return judge


def _logistic_regression(vectors: np.ndarray) -> Judge:
    def judge(labels: Labels, seed: int) -> _Answer:
        fitted = LogisticRegression(C=10, max_iter=1000).fit(vectors[labels.given], labels.codes[labels.given])
        return _Answer(fitted.predict(vectors))

    return judge
