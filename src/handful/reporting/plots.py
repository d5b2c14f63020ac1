"""Charts as inline SVG: text and lines take their colours from the page's style sheet, so they follow its scheme."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape

from handful.reporting.figures import Reliability

NUMBERED = 12  # classes whose matrix has room for numbers
FONT = 11  # units of the view box, which is about as many pixels wide as it says


@dataclass(frozen=True)
class Frame:
    """A plotting area of `width` x `height` with room for axes, and the ranges of values it spans."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    width: int = 440
    height: int = 250
    left: int = 46
    right: int = 14
    top: int = 12
    bottom: int = 36

    def x(self, value: float) -> float:
        """Return where `value` lies across."""
        low, high = self.x_range
        return round(self.left + (value - low) / (high - low) * (self.width - self.left - self.right), 2)

    def y(self, value: float) -> float:
        """Return where `value` lies down."""
        low, high = self.y_range
        share = (value - low) / (high - low)
        return round(self.height - self.bottom - share * (self.height - self.top - self.bottom), 2)


def histogram_chart(counts: np.ndarray, right: np.ndarray | None = None) -> Markup:
    """Return the histogram of confidences: `counts` [bins] over [0, 1], split by `right` [bins] of them where known."""
    top, ticks = axis_end(float(counts.max(initial=1)))
    frame = Frame((0.0, 1.0), (0.0, top))
    parts = [_y_axis(frame, ticks, [f"{_short(tick)}" for tick in ticks], "items"), _share_axis(frame, "confidence")]
    width = 1 / len(counts)
    for index, count in enumerate(counts):
        if not count:
            continue
        low, high = index * width, (index + 1) * width
        name = f"{int(count):,} labels with confidence {low:.0%} to {high:.0%}"
        if right is None:
            parts.append(_bar(frame, low, high, 0, count, "bar", name))
        else:
            name += f": {int(right[index]):,} right, {int(count - right[index]):,} wrong"
            parts.append(_bar(frame, low, high, 0, right[index], "bar right", name))
            parts.append(_bar(frame, low, high, right[index], count, "bar wrong", name))
    parts.append(_shade(frame))
    return _svg(frame, parts, "Histogram of the confidence of the propagated labels")


def reliability_chart(found: Reliability) -> Markup:
    """Return the reliability diagram: the share that is right over the confidence, with its 95 % interval."""
    frame = Frame((0.0, 1.0), (0.0, 1.0), width=300, height=290, left=44)
    ticks = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    parts = [_y_axis(frame, ticks, [f"{tick:.0%}" for tick in ticks], "right"), _share_axis(frame, "confidence")]
    parts.append(_line(frame, [(0, 0), (1, 1)], "ideal"))
    for low, high, x in zip(found.low, found.high, found.confidence, strict=True):
        parts.append(_line(frame, [(x, low), (x, high)], "interval"))
    parts.append(_line(frame, list(zip(found.confidence, found.accuracy, strict=True)), "curve"))
    largest = found.counts.max()
    for x, y, count in zip(found.confidence, found.accuracy, found.counts, strict=True):
        name = f"{int(count):,} labels: mean confidence {x:.1%}, right {y:.1%}"
        radius = 2.5 + 5 * math.sqrt(count / largest)
        parts.append(
            f'<circle class="point" cx="{frame.x(x)}" cy="{frame.y(y)}" r="{radius:.1f}"><title>{name}</title></circle>'
        )
    return _svg(frame, parts, "Reliability diagram")


def confusion_chart(counts: np.ndarray, names: Sequence[str]) -> Markup:
    """Return the confusion matrix of `counts` [K, K], true classes down, labels across, shaded by the row's share."""
    cell, margin = (34 if len(names) <= NUMBERED else 22), 96
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    parts = [_matrix_names(names, cell, margin)]
    for truth, label in np.argwhere(counts):
        share, x, y = float(shares[truth, label]), margin + label * cell, margin + truth * cell
        tip = f"{names[truth]} labelled {names[label]}: {counts[truth, label]:,} items, {share:.1%} of the class"
        kind = "right" if truth == label else "wrong"
        parts.append(
            f'<rect class="{kind}" x="{x}" y="{y}" width="{cell - 1}" height="{cell - 1}" fill-opacity="{share:.3f}">'
            f"<title>{escape(tip)}</title></rect>"
        )
        if len(names) <= NUMBERED and share >= 0.005:
            ink = "cell strong" if share > 0.55 else "cell"
            middle = f'x="{x + cell / 2}" y="{y + cell / 2 + 4}" text-anchor="middle"'
            parts.append(f'<text class="{ink}" {middle}>{100 * share:.0f}</text>')
    side = margin + len(names) * cell
    frame = Frame((0, 1), (0, 1), width=side, height=side)
    return _svg(frame, parts, "Confusion matrix, in percent of the true class")


def _matrix_names(names: Sequence[str], cell: int, margin: int) -> str:
    parts = []
    for index, name in enumerate(names):
        short = escape(name if len(name) <= 14 else name[:13] + "…")
        middle = margin + index * cell + cell / 2
        parts.append(f'<text class="tick" x="{margin - 6}" y="{middle + 4}" text-anchor="end">{short}</text>')
        turned = f'transform="rotate(-55 {middle + 4} {margin - 6})"'
        parts.append(f'<text class="tick" x="{middle + 4}" y="{margin - 6}" {turned}>{short}</text>')
    return "".join(parts)


def line_chart(
    x: Sequence[float], y: Sequence[float], *, name: str, references: Mapping[str, float] | None = None
) -> Markup:
    """Return a curve of `y` over the epochs `x`, with a dashed line for each reference value."""
    references = {key: value for key, value in (references or {}).items() if math.isfinite(value)}
    points = [(float(a), float(b)) for a, b in zip(x, y, strict=True) if math.isfinite(b)]
    values = [b for _, b in points] + list(references.values())
    low, high, ticks = axis_range(min(values, default=0.0), max(values, default=1.0))
    start, end = min(x, default=0), max(x, default=1)
    frame = Frame((start, end if end > start else start + 1), (low, high), width=300, height=180, left=48)
    parts = [_y_axis(frame, ticks, [_short(tick) for tick in ticks], "")]
    epochs = sorted({round(value) for value in np.linspace(start, end, min(5, len(x) or 1))})
    parts.append(_x_axis(frame, epochs, [str(epoch) for epoch in epochs], "epoch"))
    parts += [_line(frame, [(frame.x_range[0], v), (frame.x_range[1], v)], "reference") for v in references.values()]
    parts += _reference_names(frame, references)
    parts.append(_line(frame, points, "curve"))
    if points:
        last_x, last_y = points[-1]
        tip = f"{name} {_short(last_y)} after epoch {_short(last_x)}"
        parts.append(
            f'<circle class="point" cx="{frame.x(last_x)}" cy="{frame.y(last_y)}" r="3.5">'
            f"<title>{escape(tip)}</title></circle>"
        )
    return _svg(frame, parts, f"{name} by epoch")


def _reference_names(frame: Frame, references: Mapping[str, float]) -> list[str]:
    """Return the names of reference lines at the left, each above its line, moved up where two would overlap."""
    parts: list[str] = []
    floor = math.inf
    for name, value in sorted(references.items(), key=lambda item: item[1]):
        place = min(frame.y(value) - 4, floor - FONT - 1)
        if place < frame.top + FONT - 4:  # no room above the highest lines: below them
            place = frame.y(value) + FONT + 1
        floor = place
        parts.append(f'<text class="tick named" x="{frame.left + 5}" y="{place:.1f}">{escape(name)}</text>')
    return parts


def axis_end(largest: float, steps: int = 4) -> tuple[float, list[float]]:
    """Return a round number not below `largest` and round ticks from 0 up to it."""
    low, high, ticks = axis_range(0.0, largest, steps)
    return high, [tick for tick in ticks if low <= tick]


def axis_range(low: float, high: float, steps: int = 4) -> tuple[float, float, list[float]]:
    """Return round ends around [low, high] and the round ticks between them."""
    if not high > low:
        pad = abs(low) * 0.5 or 0.5
        low, high = low - pad, high + pad
    rough = (high - low) / steps
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = [round(index * step, 12) for index in range(first, last + 1)]
    return ticks[0], ticks[-1], ticks


def _short(value: float) -> str:
    """Return a number as an axis shows it: 12k for 12,000, at most three digits otherwise."""
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def _svg(frame: Frame, parts: Sequence[str], name: str) -> Markup:
    return Markup(
        f'<svg viewBox="0 0 {frame.width} {frame.height}" style="max-width:{round(frame.width * 1.15)}px" role="img"'
        f' aria-label="{escape(name)}">{"".join(parts)}</svg>'
    )


def _shade(frame: Frame) -> str:
    """Return what the page's slider draws over the bars of the labels that are dropped: nothing at first."""
    left, top = frame.left, frame.top
    height, width = frame.height - frame.bottom - top, frame.width - frame.right - left
    return (
        f'<rect class="shade" id="abstained" x="{left}" y="{top}" width="0" height="{height}"'
        f' data-left="{left}" data-width="{width}"/>'
        f'<line class="mark" id="abstained-mark" x1="{left}" x2="{left}" y1="{top}" y2="{top + height}"/>'
    )


def _bar(frame: Frame, left: float, right: float, low: float, high: float, kind: str, name: str) -> str:
    top = frame.y(high)
    width = max(frame.x(right) - frame.x(left) - 1, 1)
    return (
        f'<rect class="{kind}" x="{frame.x(left) + 0.5:.2f}" y="{top}" width="{width:.2f}"'
        f' height="{max(frame.y(low) - top, 0):.2f}"><title>{escape(name)}</title></rect>'
    )


def _line(frame: Frame, points: Sequence[tuple[float, float]], kind: str) -> str:
    places = " ".join(f"{frame.x(x)},{frame.y(y)}" for x, y in points)
    return f'<polyline class="{kind}" points="{places}"/>'


def _share_axis(frame: Frame, title: str) -> str:
    ticks = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    return _x_axis(frame, ticks, [f"{tick:.0%}" for tick in ticks], title)


def _x_axis(frame: Frame, ticks: Sequence[float], labels: Sequence[str], title: str) -> str:
    base = frame.height - frame.bottom
    marks = "".join(
        f'<text class="tick" x="{frame.x(tick)}" y="{base + FONT + 4}" text-anchor="middle">{label}</text>'
        for tick, label in zip(ticks, labels, strict=True)
    )
    middle = (frame.left + frame.width - frame.right) / 2
    line = f'<line class="axis" x1="{frame.left}" x2="{frame.width - frame.right}" y1="{base}" y2="{base}"/>'
    return f'{line}{marks}<text class="title" x="{middle}" y="{frame.height - 4}" text-anchor="middle">{title}</text>'


def _y_axis(frame: Frame, ticks: Sequence[float], labels: Sequence[str], title: str) -> str:
    end = frame.width - frame.right
    marks = "".join(
        f'<line class="grid" x1="{frame.left}" x2="{end}" y1="{frame.y(tick)}" y2="{frame.y(tick)}"/>'
        f'<text class="tick" x="{frame.left - 6}" y="{frame.y(tick) + 4}" text-anchor="end">{label}</text>'
        for tick, label in zip(ticks, labels, strict=True)
    )
    middle = (frame.top + frame.height - frame.bottom) / 2
    turned = f'transform="rotate(-90 11 {middle})"'
    return f'{marks}<text class="title" x="11" y="{middle}" text-anchor="middle" {turned}>{title}</text>'
