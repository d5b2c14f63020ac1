"""Where in a long recording the odd windows lie: its course, the score of each window, the odd ones marked."""

from __future__ import annotations

import html

import numpy as np

from handful.data import Samples
from handful.tasks.similar import Windows

SHOWN = 20  # recordings
_CHANNELS = 4
_WIDTH, _ROW, _SCORES = 720, 56, 34
_POINTS = 1200  # of a line: what 720 pixels can show, and room to zoom in
_COLOURS = ("#1f5fa8", "#2e7d4f", "#7a4aa0", "#8a6d1d")
_ODD = "#d5563b"


def draw_where(windows: Windows, samples: Samples, scores: np.ndarray, threshold: float) -> str:
    """Return a drawing of each recording that has a score above `threshold`, the oddest first, as HTML.

    samples: of the N windows, arrays [T_i, C], or frames [T_i, C, H, W], whose channels are drawn by their means;
    scores: [N], higher for odder.
    """
    highest = np.full(len(windows.names), -np.inf)
    np.maximum.at(highest, windows.owner, scores)
    order = [place for place in np.argsort(-highest, kind="stable") if highest[place] > threshold]
    drawn = [_draw(windows, np.flatnonzero(windows.owner == place), samples, scores, threshold) for place in order]
    left = f"<p>{len(drawn) - SHOWN} more recordings have odd windows.</p>" if len(drawn) > SHOWN else ""
    return "".join(drawn[:SHOWN]) + left


def _draw(windows: Windows, rows: np.ndarray, samples: Samples, scores: np.ndarray, threshold: float) -> str:
    """Return the drawing of one recording, whose windows are `rows`."""
    rows = rows[np.argsort(windows.starts[rows], kind="stable")]
    begin, end = windows.starts[rows].min(), windows.ends[rows].max()

    def across(time: np.ndarray) -> np.ndarray:
        return _WIDTH * (time - begin) / max(end - begin, 1e-9)

    times, low, high = _course(windows, rows, samples)  # [P], [P, C] each
    channels = min(_CHANNELS, low.shape[1])
    height = channels * _ROW + _SCORES
    left, right = across(windows.starts[rows]), across(windows.ends[rows])
    marks, bars = [], []
    top = max(float(scores[rows].max()), threshold)
    bottom = min(float(scores[rows].min()), threshold)
    for row, x, until in zip(rows.tolist(), left.tolist(), right.tolist(), strict=True):
        odd = scores[row] > threshold
        told = f"<title>{windows.starts[row]:g} to {windows.ends[row]:g}: score {scores[row]:.2f}</title>"
        tall = max(1.0, (_SCORES - 8) * (scores[row] - bottom) / max(top - bottom, 1e-9))
        colour = _ODD if odd else "#8a94a6"
        wide = f'x="{x:.1f}" width="{max(until - x, 1):.1f}"'
        bars.append(f'<rect {wide} y="{height - tall:.1f}" height="{tall:.1f}" fill="{colour}">{told}</rect>')
        if odd:
            marks.append(f'<rect {wide} y="0" height="{channels * _ROW}" fill="{_ODD}" opacity=".25">{told}</rect>')
    lines = [
        _line(across(times), low[:, channel], high[:, channel], channel * _ROW, _COLOURS[channel])
        for channel in range(channels)
    ]
    name = html.escape(str(windows.names[windows.owner[rows[0]]]))
    more = f", the first {channels} of {low.shape[1]} channels" if low.shape[1] > channels else ""
    words = f"{name}: {begin:g} to {end:g}{more}; below, the score of each window"
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{words}">{"".join([*marks, *lines, *bars])}</svg>'
        f'<p class="q">{words}. Odd windows are marked.</p>'
    )


def _course(windows: Windows, rows: np.ndarray, samples: Samples) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return times [P] and the lowest and highest values [P, C] around them, of windows in the order of time."""
    pieces = max(1, _POINTS // len(rows))
    times, low, high = [], [], []
    seen = -np.inf
    for row in rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), _POINTS)).astype(int))].tolist():
        own = np.asarray(samples[row])
        own = own.reshape(*own.shape[:2], -1).mean(-1)  # [T, C]
        cuts = np.unique(np.linspace(0, len(own), pieces + 1).astype(int))
        at = windows.starts[row] + (windows.ends[row] - windows.starts[row]) * cuts[:-1] / len(own)
        for time, first, last in zip(at.tolist(), cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
            if time > seen:  # windows may overlap
                times.append(time)
                low.append(own[first:last].min(0))
                high.append(own[first:last].max(0))
                seen = time
    return np.array(times), np.stack(low).astype(float), np.stack(high).astype(float)


def _line(across: np.ndarray, low: np.ndarray, high: np.ndarray, top: float, colour: str) -> str:
    """Return one channel between `top` and `top` + 56 pixels."""
    least, size = low.min(), max(high.max() - low.min(), 1e-12)
    upper, lower = (top + 4 + (_ROW - 8) * (1 - (values - least) / size) for values in (high, low))
    points = " ".join(f"{x:.1f},{a:.1f} {x:.1f},{b:.1f}" for x, a, b in zip(across, upper, lower, strict=True))
    return f'<polyline fill="none" stroke="{colour}" points="{points}"/>'
