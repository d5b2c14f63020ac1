"""What a run answers: in figures, in words, and as a table with a row for every item."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from handful.data import Labels
from handful.propagation import Propagation
from handful.propagation.audit import LabelIssues


@dataclass(frozen=True)
class Summary:
    """The answer of a run in figures; shares are of 1."""

    items: int
    given: int
    propagated: int
    unreached: int
    refused: int
    expected_accuracy: float | None
    expected_low: float | None
    expected_high: float | None
    rule: str
    reason: str
    notes: list[str]
    health: str

    def as_dict(self) -> dict[str, Any]:
        """Return the figures by name."""
        return asdict(self)

    def in_words(self) -> str:
        """Return what a person wants to hear first."""
        lines = [f"{self.items} items: {self.given} labels given, {self.propagated} propagated with {self.rule}."]
        if self.expected_accuracy is not None:
            low, high = self.expected_low or 0.0, self.expected_high or 0.0
            lines.append(
                f"Expected to be right: {self.expected_accuracy:.1%} of the propagated "
                f"(between {low:.1%} and {high:.1%})."
            )
        if self.refused:
            was = (
                "1 item could not be read and was"
                if self.refused == 1
                else f"{self.refused} items could not be read and were"
            )
            lines.append(f"{was} left out: see data.json.")
        return "\n".join([*lines, *self.notes])


def labels_table(ids: np.ndarray, answer: Propagation, reviewed: np.ndarray | None = None) -> pa.Table:
    """Return the answer as a table: id, label, confidence, source, reached, margin, runner_up.

    reviewed: [N] bool, the given rows that people decided on in the review.
    """
    kind = pa.string() if answer.classes.dtype.kind in "UO" else pa.int64()
    source = np.where(answer.given, "given", np.where(answer.reached, "propagated", ""))
    if reviewed is not None:
        source = np.where(reviewed & answer.given, "reviewed", source)
    return pa.table(
        {
            "id": pa.array(ids.tolist(), pa.string()),
            "label": pa.array(answer.labels.tolist(), kind),
            "confidence": pa.array(answer.confidence.astype(np.float32)),
            "source": pa.array(source.tolist(), pa.string()),
            "reached": pa.array(answer.reached),
            "margin": pa.array(answer.margin.astype(np.float32)),
            "runner_up": pa.array(answer.runner_up.tolist(), kind),
        }
    )


def issues_table(ids: np.ndarray, labels: Labels, issues: LabelIssues) -> pa.Table:
    """Return the given labels that the graph contradicts, the worst first: id, label, suggested, score."""
    return pa.table(
        {
            "id": pa.array(ids[issues.rows].tolist(), pa.string()),
            "label": labels.decode(labels.codes[issues.rows]).tolist(),
            "suggested": labels.decode(issues.suggested).tolist(),
            "score": pa.array(issues.scores.astype(np.float32)),
        }
    )
