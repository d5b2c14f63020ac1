"""What a report shows: arrays and words only, whatever the kind of data and wherever they came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from handful.data import Refusal
from handful.errors import InputError
from handful.propagation.calibrate import Estimate

GIVEN, PROPAGATED, REVIEWED = "given", "propagated", "reviewed"


@dataclass(frozen=True)
class LabelIssue:
    """A given label that the rest of the data contradicts.

    suggested: the class the data speak for.
    reason: why, in words, or "".
    """

    row: int
    suggested: str
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Content:
    """Everything a report shows of N items and K classes.

    title: what was labelled.
    ids: [N] strings.
    classes: [K] names, every class that a label or the truth names.
    labels: [N] index into `classes`, -1 where there is no label.
    confidence: [N] in [0, 1] that the label, or the one that was withheld, is right.
    source: [N] "given", "propagated", "reviewed", or "" where no label reaches.
    reached: [N] bool, whether a label reaches the row; a row that is reached and has no label was left to people.
    positions: [N, 2] places on the map.
    runner_up: [N] index into `classes` of the second choice, -1 for none; or None.
    margin: [N] lead of the label over the second choice; or None.
    neighbours: [N, k] rows nearest to each row, nearest first, -1 for none; or None.
    truth: [N] index into `classes`, -1 where it is not known; or None.
    show: gives the HTML of items by rows, trusted as it is: text in it is already escaped. None shows ids only.
    pictures: gives items by rows as uint8 [n, C, H, W], all of one size, for the map; or None.
    class_words: the words that tell a class from the others, by class; of texts.
    accuracy: the accuracy that is expected of the propagated labels; or None.
    rule, reason: the propagation rule, and why this one.
    curves: one mapping of names to numbers for each epoch of training, "epoch" among them.
    references: figures of other encoders, by encoder and then by the names in `curves`.
    health: the verdict on the training, in words.
    ahead: HTML of what came next beside what was guessed, trusted as `show` is; "" for none.
    given_back: HTML of items beside what the network gives back of them, trusted as `show` is; "" for none.
    refused: what was left out on reading.
    notes: sentences a reader should know.
    settings: the resolved settings, nested as they are.
    command: the command that repeats the run, or "".
    label_issues: given labels that look wrong.
    versions: versions by name of the software.
    """

    title: str
    ids: np.ndarray
    classes: Sequence[str]
    labels: np.ndarray
    confidence: np.ndarray
    source: np.ndarray
    reached: np.ndarray
    positions: np.ndarray
    runner_up: np.ndarray | None = None
    margin: np.ndarray | None = None
    neighbours: np.ndarray | None = None
    truth: np.ndarray | None = None
    show: Callable[[np.ndarray], list[str]] | None = None
    pictures: Callable[[np.ndarray], np.ndarray] | None = None
    class_words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    accuracy: Estimate | None = None
    rule: str = ""
    reason: str = ""
    curves: Sequence[Mapping[str, float]] = ()
    references: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    health: str = ""
    ahead: str = ""
    given_back: str = ""
    refused: Sequence[Refusal] = ()
    notes: Sequence[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""
    label_issues: Sequence[LabelIssue] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rows = len(self.ids)
        optional = ("runner_up", "margin", "neighbours", "truth")
        for name in ("labels", "confidence", "source", "reached", "positions", *optional):
            array = getattr(self, name)
            if array is not None and len(array) != rows:
                raise InputError(f"{name} must have one entry for each of the {rows} ids, got {len(array)}.")

    def __len__(self) -> int:
        return len(self.ids)

    def rows_from(self, source: str) -> np.ndarray:
        """Return [n] rows whose label has this source."""
        return np.flatnonzero((self.source == source) & (self.labels >= 0))

    @property
    def unreached(self) -> np.ndarray:
        """[n] rows that no label reaches."""
        return np.flatnonzero(~self.reached)

    @property
    def withheld(self) -> np.ndarray:
        """[n] rows whose propagated label was not sure enough to be given."""
        return np.flatnonzero(self.reached & (self.labels < 0))

    @property
    def scored(self) -> np.ndarray:
        """[n] rows with a propagated label whose truth is known: never those a person labelled."""
        if self.truth is None:
            return np.empty(0, dtype=np.int64)
        propagated = self.rows_from(PROPAGATED)
        return propagated[self.truth[propagated] >= 0]

    def right(self, rows: np.ndarray) -> np.ndarray:
        """Return [n] bool, whether the labels of `rows`, whose truth is known, are true."""
        assert self.truth is not None
        return self.labels[rows] == self.truth[rows]
