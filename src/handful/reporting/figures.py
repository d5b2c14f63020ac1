"""The numbers of a report, computed from its arrays. Nothing here knows how they are drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from handful.reporting.content import GIVEN, PROPAGATED, REVIEWED, Content

RELIABILITY_BINS = 15  # as in Guo et al., arXiv 1706.04599
THRESHOLDS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True)
class ClassCount:
    """How many labels a class has by source, how sure the propagated ones are, and the share of them that is right."""

    name: str
    index: int
    given: int
    propagated: int
    reviewed: int
    confidence: float | None
    accuracy: float | None

    @property
    def total(self) -> int:
        """All labels of the class."""
        return self.given + self.propagated + self.reviewed


@dataclass(frozen=True)
class Reliability:
    """Confidence beside the share that is right, over bins [b] of equal width that hold at least one row.

    confidence, accuracy, low, high, counts: [b], with the 95 % interval of the accuracy.
    error: the expected calibration error: the mean gap between the two, weighted by the counts.
    overall: the accuracy over all rows.
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    low: np.ndarray
    high: np.ndarray
    counts: np.ndarray
    error: float
    overall: float


@dataclass(frozen=True)
class Abstention:
    """What is left when labels below each threshold [101] are dropped: counts and accuracies [101], NaN if none are."""

    kept: np.ndarray
    expected: np.ndarray
    measured: np.ndarray | None


@dataclass(frozen=True)
class Mistake:
    """How often rows of class `truth` were labelled `label`, and the share of that class's scored rows this is."""

    truth: int
    label: int
    count: int
    share: float


def class_counts(content: Content) -> list[ClassCount]:
    """Return one entry for each class, the largest first."""
    k = len(content.classes)
    by_source = {
        source: np.bincount(content.labels[content.rows_from(source)], minlength=k)
        for source in (GIVEN, PROPAGATED, REVIEWED)
    }
    propagated = content.rows_from(PROPAGATED)
    sums = np.bincount(content.labels[propagated], weights=content.confidence[propagated], minlength=k)
    scored = content.scored
    known = np.bincount(content.labels[scored], minlength=k)
    right = np.bincount(content.labels[scored], weights=content.right(scored), minlength=k) if len(scored) else known
    counts = [
        ClassCount(
            name=str(content.classes[index]),
            index=index,
            given=int(by_source[GIVEN][index]),
            propagated=int(by_source[PROPAGATED][index]),
            reviewed=int(by_source[REVIEWED][index]),
            confidence=_ratio(sums[index], by_source[PROPAGATED][index]),
            accuracy=_ratio(right[index], known[index]),
        )
        for index in range(k)
    ]
    return sorted(counts, key=lambda count: -count.total)


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def histogram(values: np.ndarray, bins: int = 20) -> np.ndarray:
    """Return [bins] counts of `values` over [0, 1]."""
    return np.histogram(np.clip(values, 0, 1), bins=bins, range=(0, 1))[0]


def reliability(confidence: np.ndarray, right: np.ndarray) -> Reliability:
    """Return how well `confidence` [n] in [0, 1] tells the share of `right` [n] bool; n must be above 0."""
    bins = np.minimum((confidence * RELIABILITY_BINS).astype(int), RELIABILITY_BINS - 1)
    counts = np.bincount(bins, minlength=RELIABILITY_BINS)
    filled = np.flatnonzero(counts)
    counts = counts[filled]
    believed = np.bincount(bins, weights=confidence, minlength=RELIABILITY_BINS)[filled] / counts
    accuracy = np.bincount(bins, weights=right, minlength=RELIABILITY_BINS)[filled] / counts
    low, high = wilson(accuracy, counts)
    error = float((np.abs(believed - accuracy) * counts).sum() / counts.sum())
    return Reliability(believed, accuracy, low, high, counts, error, float(right.mean()))


def wilson(share: np.ndarray, counts: np.ndarray, z: float = 1.96) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the interval of a share seen in `counts` trials (Wilson, JASA 22, 1927)."""
    middle = (share + z**2 / (2 * counts)) / (1 + z**2 / counts)
    half = z / (1 + z**2 / counts) * np.sqrt(share * (1 - share) / counts + z**2 / (4 * counts**2))
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)


def abstention(content: Content) -> Abstention:
    """Return what is left of the propagated labels when those below each of THRESHOLDS are dropped."""
    propagated = content.rows_from(PROPAGATED)
    kept, expected = _above(content.confidence[propagated], content.confidence[propagated])
    scored = content.scored
    if not len(scored):
        return Abstention(kept, expected, None)
    return Abstention(kept, expected, _above(content.confidence[scored], content.right(scored))[1])


def _above(confidence: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return [101] counts of rows at or above each threshold and the mean of their `values`, NaN where none is."""
    order = np.argsort(confidence, kind="stable")
    first = np.searchsorted(confidence[order], THRESHOLDS - 1e-6)  # 0.7 in float32 is not below the threshold 0.7
    kept = len(confidence) - first
    sums = np.append(np.cumsum(values[order][::-1], dtype=np.float64)[::-1], 0.0)[first]
    return kept, np.divide(sums, kept, out=np.full(len(THRESHOLDS), np.nan), where=kept > 0)


def confusion(content: Content) -> np.ndarray:
    """Return [K, K] how many scored rows of each true class (down) got each label (across)."""
    assert content.truth is not None
    k, scored = len(content.classes), content.scored
    pairs = content.truth[scored].astype(np.int64) * k + content.labels[scored]
    return np.bincount(pairs, minlength=k * k).reshape(k, k)


def mistakes(content: Content, limit: int = 10) -> list[Mistake]:
    """Return the pairs of true class and label that are confused most often among the scored rows."""
    scored = content.scored
    if not len(scored):
        return []
    assert content.truth is not None
    k = len(content.classes)
    truth, labels = content.truth[scored].astype(np.int64), content.labels[scored].astype(np.int64)
    of_class = np.bincount(truth, minlength=k)
    pairs, counts = np.unique((truth * k + labels)[truth != labels], return_counts=True)
    return [
        Mistake(int(pair // k), int(pair % k), int(count), float(count / of_class[pair // k]))
        for pair, count in sorted(zip(pairs, counts, strict=True), key=lambda found: -found[1])[:limit]
    ]


def least_sure(content: Content, limit: int) -> np.ndarray:
    """Return [n] rows with the least confident propagated labels, withheld ones included, the least sure first."""
    rows = np.sort(np.concatenate([content.rows_from(PROPAGATED), content.withheld]))
    second = content.margin[rows] if content.margin is not None else np.zeros(len(rows))
    return rows[np.lexsort((second, content.confidence[rows]))[:limit]]


def surest(content: Content, limit: int) -> dict[int, np.ndarray]:
    """Return for each class that has propagated labels the [n] rows with the most confident ones, the surest first."""
    rows = content.rows_from(PROPAGATED)
    rows = rows[np.lexsort((-content.confidence[rows], content.labels[rows]))]
    labels, starts = np.unique(content.labels[rows], return_index=True)
    ends = np.append(starts, len(rows))[1:]
    best = (rows[start : min(start + limit, end)] for start, end in zip(starts, ends, strict=True))
    return dict(zip(labels.tolist(), best, strict=True))


def random_rows(content: Content, limit: int, *, always: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return at most `limit` rows, sorted: `always` first, the others at random, so that densities keep their shape."""
    queue = np.random.default_rng(seed).permutation(len(content))
    return _first(queue, limit, always)


def balanced_rows(content: Content, limit: int, *, always: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return at most `limit` rows, sorted: `always` first, then at random as many of each label as of any other.

    Rows that no label reaches count as one more label. Where a label has too few rows, the others fill up.
    """
    order = np.random.default_rng(seed).permutation(len(content))
    by_label = np.argsort(content.labels[order], kind="stable")
    sizes = np.bincount(content.labels + 1)
    turn = np.empty(len(content), dtype=np.int64)  # a row's place in the queue of its label
    turn[by_label] = np.arange(len(content)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return _first(order[np.argsort(turn, kind="stable")], limit, always)


def _first(queue: np.ndarray, limit: int, always: np.ndarray) -> np.ndarray:
    """Return the sorted first `limit` rows of `always`, then of `queue` [N]."""
    chosen = np.zeros(len(queue), dtype=bool)
    chosen[always[:limit]] = True
    chosen[queue[~chosen[queue]][: limit - chosen.sum()]] = True
    return np.flatnonzero(chosen)
