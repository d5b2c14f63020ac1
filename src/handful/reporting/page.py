"""The page: one HTML file that opens without a network and asks for nothing outside itself."""

from __future__ import annotations

import base64
import hashlib
import math
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from handful.files import written_whole
from handful.reporting import words
from handful.reporting.content import GIVEN, PROPAGATED, REVIEWED, Content
from handful.reporting.figures import (
    THRESHOLDS,
    Abstention,
    abstention,
    class_counts,
    confusion,
    histogram,
    least_sure,
    mistakes,
    reliability,
    surest,
)
from handful.reporting.mapdata import NONE, pack_map, short_id
from handful.reporting.palette import LIMIT, class_colours
from handful.reporting.plots import confusion_chart, histogram_chart, line_chart, reliability_chart

SCRIPTS = ("page.js", "unpack.js", "colours.js", "camera.js", "paint.js", "describe.js", "map.js")
LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
GALLERY_BUDGET = 2_500_000  # bytes of item snippets in the page
LONGEST_SNIPPET = 200_000
MOST_CONFUSED = 20  # classes in a confusion matrix
LISTED = 200  # refused items, issues and settings shown by name; the others are counted


@dataclass(frozen=True)
class Card:
    """One item as the galleries show it."""

    row: int
    html: Markup
    id: str
    label: str
    index: int
    confidence: str
    note: str = ""
    wrong: bool = False


def write_page(content: Content, path: str | os.PathLike[str]) -> Path:
    """Write the report of `content` to `path` and return it; a file of that name is replaced only by a whole one."""
    path = Path(path)
    with written_whole(path) as file:
        file.write(encode_page(content))
    return path


def encode_page(content: Content) -> bytes:
    """Return the report as the bytes of a file."""
    return render(content).encode("utf-8", "replace")  # file names may hold what UTF-8 cannot


def render(content: Content) -> str:
    """Return the report as one HTML document."""
    environment = Environment(
        loader=PackageLoader("handful.reporting", "template"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": words.percent}
    environment.globals |= {"count": words.count, "palette_size": LIMIT, "short": short_id}
    script, style = (_asset(environment, *names) for names in (SCRIPTS, ("page.css",)))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return environment.get_template("page.html").render(
        content=content, script=script, style=style, digest=digest, **_context(content)
    )


def _asset(environment: Environment, *names: str) -> Markup:
    assert environment.loader is not None
    text = "\n".join(environment.loader.get_source(environment, name)[0] for name in names)
    return Markup(text.replace("\r\n", "\n"))  # a browser does so before it compares the digest


def _context(content: Content) -> dict[str, Any]:
    galleries = _galleries(content)
    featured = np.array(sorted({card.row for cards in galleries.values() for card in cards}), dtype=np.int64)
    packed = pack_map(content, featured)
    left = abstention(content)
    scored = content.scored
    checked = reliability(content.confidence[scored], content.right(scored)) if len(scored) else None
    return {
        "answer": words.answer(content),
        "strip": _strip(content),
        "counts": class_counts(content),
        "colours": class_colours(len(content.classes)),
        "histogram": _histogram(content),
        "abstain": _abstain_table(content, left),
        "reliability": checked,
        "reliability_chart": reliability_chart(checked) if checked else None,
        "scored_words": words.scored_rows(content) if checked else "",
        "mistakes": mistakes(content),
        "confusion_chart": _confusion(content),
        "map_words": words.map_sample(packed),
        "galleries": galleries,
        "charts": _training_charts(content),
        "refusal_reasons": Counter(refusal.reason for refusal in content.refused).most_common(20),
        "settings": words.flat(content.settings),
        "listed": LISTED,
        "data": _page_data(content, packed, left),
    }


def _page_data(content: Content, packed: dict[str, Any], left: Abstention) -> dict[str, Any]:
    """Return what the page's script needs, as JSON values."""
    colours = class_colours(len(content.classes))
    return {
        "classes": [str(name) for name in content.classes[:NONE]],
        "light": [light for light, _ in colours],
        "dark": [dark for _, dark in colours],
        "map": packed,
        "kept": left.kept.tolist(),
        "expected": _rounded(left.expected),
        "measured": None if left.measured is None else _rounded(left.measured),
    }


def _rounded(shares: np.ndarray) -> list[float | None]:
    return [None if math.isnan(share) else round(float(share), 6) for share in shares]


def _strip(content: Content) -> list[tuple[str, str, str]]:
    """Return the headline figures: what, how much, and a few words more."""
    propagated, reviewed = content.rows_from(PROPAGATED), len(content.rows_from(REVIEWED))
    stats = [("Items", f"{len(content):,}", ""), ("Given labels", f"{len(content.rows_from(GIVEN)):,}", "")]
    if reviewed:
        stats.append(("Reviewed", f"{reviewed:,}", "by a person"))
    stats.append(
        ("Propagated", f"{len(propagated):,}", words.percent(len(propagated) / max(len(content), 1)) + " of all")
    )
    if content.accuracy is not None:
        interval = f"{words.percent(content.accuracy.low, 0)} to {words.percent(content.accuracy.high, 0)}"
        stats.append(("Expected accuracy", words.percent(content.accuracy.value), interval))
    elif len(propagated):
        stats.append(("Mean confidence", words.percent(float(content.confidence[propagated].mean())), ""))
    if len(content.scored):
        measured = float(content.right(content.scored).mean())
        stats.append(("Measured accuracy", words.percent(measured), f"on {len(content.scored):,} not given"))
    if len(content.withheld):
        stats.append(("Withheld", f"{len(content.withheld):,}", "too unsure"))
    stats.append(("Unreached", f"{len(content.unreached):,}", "no label" if len(content.unreached) else ""))
    stats.append(("Left out", f"{len(content.refused):,}", "on reading" if content.refused else ""))
    return stats


def _histogram(content: Content) -> Markup:
    rows, scored = content.rows_from(PROPAGATED), content.scored
    if len(scored) and len(scored) == len(rows):
        right = histogram(content.confidence[scored[content.right(scored)]])
        return histogram_chart(histogram(content.confidence[rows]), right)
    return histogram_chart(histogram(content.confidence[rows]))


def _confusion(content: Content) -> Markup | None:
    """Return the confusion matrix where the truth is known and the classes are few enough to be read."""
    if not len(content.scored) or len(content.classes) > MOST_CONFUSED:
        return None
    return confusion_chart(confusion(content), [str(name) for name in content.classes])


def _abstain_table(content: Content, left: Abstention) -> list[dict[str, Any]]:
    total = max(int(left.kept[0]), 1)
    table = []
    for level in LEVELS:
        at = int(np.searchsorted(THRESHOLDS, level - 1e-9))
        table.append(
            {
                "level": level,
                "kept": int(left.kept[at]),
                "share": left.kept[at] / total,
                "expected": float(left.expected[at]),
                "measured": None if left.measured is None else float(left.measured[at]),
            }
        )
    return table


def _galleries(content: Content) -> dict[str, list[Card]]:
    """Return the cards of each gallery: as many as the budget of the page allows."""
    for scale in (1.0, 0.5, 0.25, 0.1, 0.0):
        rows = _gallery_rows(content, scale)
        shown = _snippets(content, np.unique(np.concatenate(list(rows.values()))))
        if sum(map(len, shown.values())) <= GALLERY_BUDGET:
            break
    issues = {issue.row: f"the data say {issue.suggested}" for issue in content.label_issues}
    return {
        name: [_card(content, int(row), shown, issues.get(int(row), "") if name == "issues" else "") for row in found]
        for name, found in rows.items()
    }


def _gallery_rows(content: Content, scale: float) -> dict[str, np.ndarray]:
    def size(most: int) -> int:
        return max(2, round(most * scale))

    each = min(8, max(2, 240 // max(len(content.classes), 1)))
    best = surest(content, size(each))
    return {
        "least": least_sure(content, size(24)),
        "surest": np.concatenate([*best.values(), np.empty(0, dtype=np.int64)]).astype(np.int64),
        "given": content.rows_from(GIVEN)[: size(24)],
        "unreached": content.unreached[: size(24)],
        "issues": np.array([issue.row for issue in content.label_issues[: size(24)]], dtype=np.int64),
    }


def _snippets(content: Content, rows: np.ndarray) -> dict[int, Markup]:
    if content.show is None or not len(rows):
        return {int(row): Markup("") for row in rows}
    return {
        int(row): Markup(html) if len(html) <= LONGEST_SNIPPET else Markup("<small>too large to show</small>")
        for row, html in zip(rows, content.show(rows), strict=True)
    }


def _card(content: Content, row: int, shown: dict[int, Markup], note: str) -> Card:
    label = int(content.labels[row])
    truth = -1 if content.truth is None else int(content.truth[row])
    second = -1 if content.runner_up is None else int(content.runner_up[row])
    wrong = truth >= 0 and label >= 0 and truth != label
    if wrong:
        note = note or f"truth: {content.classes[truth]}"
    elif second >= 0 and content.source[row] == PROPAGATED:
        note = note or f"or {content.classes[second]}"
    return Card(
        row=row,
        html=shown[row],
        id=short_id(str(content.ids[row])),
        label=str(content.classes[label]) if label >= 0 else "no label",
        index=label,
        confidence=_sureness(content, row),
        note=note,
        wrong=wrong,
    )


def _sureness(content: Content, row: int) -> str:
    """Return the confidence of a propagated label, or who gave the label."""
    source = str(content.source[row])
    return words.percent(float(content.confidence[row]), 0) if source == PROPAGATED else source


def _training_charts(content: Content) -> list[tuple[str, str, Markup]]:
    """Return name, last value and chart of every figure that training recorded."""
    names = [name for name in dict.fromkeys(key for row in content.curves for key in row) if name != "epoch"]
    charts = []
    for name in names:
        points = [(row.get("epoch", at + 1), row[name]) for at, row in enumerate(content.curves) if name in row]
        references = {other: figures[name] for other, figures in content.references.items() if name in figures}
        epochs, values = zip(*points, strict=True)
        chart = line_chart(epochs, values, name=name, references=references)
        charts.append((name, f"{values[-1]:.3g}", chart))
    return charts
