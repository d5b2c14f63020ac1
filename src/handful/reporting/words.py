"""The sentences of a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from handful.reporting.content import GIVEN, PROPAGATED, REVIEWED, Content


def count(number: int, one: str, many: str | None = None) -> str:
    """Return "1 item" or "2,000 items"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def percent(share: float | None, digits: int = 1) -> str:
    """Return "72.4%", or a dash where there is nothing to tell; only a share of 1 is "100%"."""
    if share is None or not np.isfinite(share):
        return "–"
    largest = 1 - 10.0 ** -(digits + 2)
    shown = share if share in (0.0, 1.0) else min(max(share, 1 - largest), largest)
    return f"{shown:.{0 if shown in (0.0, 1.0) else digits}%}"


def answer(content: Content) -> list[str]:
    """Return the result of the run in sentences, the most important first."""
    given, reviewed = len(content.rows_from(GIVEN)), len(content.rows_from(REVIEWED))
    propagated, unreached = len(content.rows_from(PROPAGATED)), len(content.unreached)
    known = f"{count(given, 'label was', 'labels were')} given"
    if reviewed:
        known += f" and {reviewed:,} reviewed by a person"
    sentences = [f"{known}, and {count(propagated, 'more item')} of {len(content):,} got a label from them."]
    sentences += _accuracy(content)
    if len(content.withheld):
        sentences.append(f"{count(len(content.withheld), 'label was', 'labels were')} too unsure and left to people.")
    if unreached:
        them = "it" if unreached == 1 else "them"
        sentences.append(
            f"{count(unreached, 'item has', 'items have')} no label: no path of neighbours leads to {them} from a"
            " labelled item."
        )
    if content.refused:
        sentences.append(f"{count(len(content.refused), 'item was', 'items were')} left out on reading.")
    return sentences


def _accuracy(content: Content) -> list[str]:
    sentences = []
    if content.accuracy is not None:
        value, low, high = (
            percent(share, 0) for share in (content.accuracy.value, content.accuracy.low, content.accuracy.high)
        )
        if len(content.withheld):
            kept = percent(float(content.confidence[content.rows_from(PROPAGATED)].mean()), 0)
            sentences.append(f"About {kept} of them should be right, {value} had none been withheld.")
        else:
            sentences.append(f"About {value} of them should be right: between {low} and {high}, nine times out of ten.")
    scored = content.scored
    if len(scored):
        sentences.append(f"Compared with the truth, {percent(content.right(scored).mean())} are.")
    return sentences


def scored_rows(content: Content) -> str:
    """Return over which rows the accuracy is counted."""
    scored = content.scored
    sentence = (
        f"Counted over the {count(len(scored), 'propagated label')} whose truth is known. Labels that a person gave"
        " are never counted"
    )
    assert content.truth is not None
    missed = int((content.truth[content.unreached] >= 0).sum())
    if missed:
        whole = content.right(scored).sum() / (len(scored) + missed)
        sentence += f"; with the {count(missed, 'unreached item')} counted as wrong the accuracy is {percent(whole)}"
    if len(content.withheld):
        sentence += "; the withheld ones are not counted"
    return sentence + "."


def map_sample(packed: Mapping[str, Any]) -> str:
    """Return what the map leaves out."""
    drawn, total, sampled = packed["drawn"], packed["total"], packed.get("sampled", 0)
    what = "pictures" if "sheets" in packed else "contents"
    sentences = []
    if drawn < total:
        sentences.append(
            f"The map draws {drawn:,} of the {total:,} items, chosen at random; the given ones come first."
        )
    if 0 < sampled < drawn:
        sentences.append(
            f"The page carries the {what} of {sampled:,} items, as many of each label as of any other: hover shows"
            " these, and the words for all."
        )
    return " ".join(sentences)


def flat(settings: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return nested settings as rows of a table: "graph.n_neighbors", "10"."""
    rows: list[tuple[str, str]] = []
    for name, value in settings.items():
        if isinstance(value, Mapping):
            rows += flat(value, f"{prefix}{name}.")
        else:
            rows.append((f"{prefix}{name}", _plain(value)))
    return rows


def _plain(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(_plain(entry) for entry in value)
    return str(value)
