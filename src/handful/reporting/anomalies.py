"""The report of a run that looked for odd rows: one page that opens offline."""

from __future__ import annotations

import html
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from handful.errors import InputError
from handful.reporting.where import draw_where
from handful.run.anomalies import STEP
from handful.run.folder import Run, locked
from handful.run.path import read_again
from handful.tasks.similar import find_windows

SHOWN = 50
_BINS = 60
_WIDTH, _HEIGHT = 720, 160
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2330;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.25rem .6rem .25rem 0;border-bottom:1px solid #dde2ea;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}.q{color:#5a6577}svg{width:100%;height:auto}
@media(prefers-color-scheme:dark){body{background:#14181f;color:#e3e8f0}td,th{border-color:#2c3440}.q{color:#9aa7ba}}
"""


def report_anomalies(run: Run) -> Path:
    """Write anomalies.html to the run folder and return its path."""
    run.require(run.folder / "anomalies.parquet", STEP)
    table = pq.read_table(run.folder / "anomalies.parquet")
    page = make_page(run, table)
    with locked(run), run.writing("anomalies.html", step=STEP) as (file,):
        file.write(page.encode())
    return run.folder / "anomalies.html"


def make_page(run: Run, table: pa.Table) -> str:
    """Return the page."""
    said, data = run.record["anomalies"], run.data
    scores, odd = table["score"].to_numpy(), table["odd"].to_numpy()
    told = [f"{len(table):,} rows of {data['source']}, {int(odd.sum()):,} of them above the threshold.", *said["notes"]]
    if said["known"]:
        told.append(f"{said['known']} known odd rows were used.")
    order = np.lexsort((np.arange(len(scores)), -scores))[:SHOWN]
    body = [
        f"<h1>Odd rows in {html.escape(data['source'])}</h1>",
        *(f"<p>{html.escape(line)}</p>" for line in told),
        *_where(run, table, float(said["threshold"])),
        "<h2>Scores</h2>",
        _histogram(scores, float(said["threshold"])),
        f"<h2>The {len(order)} oddest rows</h2>",
        _oddest(table.take(pa.array(order))),
        _first_reasons(table),
        _columns(data["settings"]),
    ]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Odd rows</title>'
    return (
        f'<!doctype html><html lang="en"><head>{head}<style>{_STYLE}</style></head><body>{"".join(body)}</body></html>'
    )


def _where(run: Run, table: pa.Table, threshold: float) -> list[str]:
    """Return where in its recordings the odd windows lie; nothing where the rows are no windows, or are gone."""
    windows = find_windows(np.array(table["id"].to_pylist(), dtype=str))
    if windows is None:
        return []
    try:
        samples = read_again(run).samples
    except InputError as error:
        return [f"<p>The recordings are not drawn: {html.escape(str(error))}</p>"]
    if len(samples) != len(table):
        return ["<p>The recordings are not drawn: they have changed since.</p>"]
    drawn = draw_where(windows, samples, table["score"].to_numpy(), threshold)
    return ["<h2>Where</h2>", drawn] if drawn else []


def _histogram(scores: np.ndarray, threshold: float) -> str:
    """Return the counts of scores as bars, on a scale of square roots so that few are seen beside many."""
    counts, edges = np.histogram(scores, _BINS)
    heights = np.sqrt(counts / max(counts.max(), 1)) * (_HEIGHT - 24)
    step = _WIDTH / _BINS
    bars = ""
    for place, (height, count) in enumerate(zip(heights, counts, strict=True)):
        colour = "#d5563b" if edges[place] >= threshold else "#5b7fb5"
        place_and_size = (
            f'x="{place * step:.1f}" y="{_HEIGHT - 20 - height:.1f}" width="{step - 1:.1f}" height="{height:.1f}"'
        )
        told = f"{count:,} rows, score {edges[place]:.2f} to {edges[place + 1]:.2f}"
        bars += f'<rect {place_and_size} fill="{colour}"><title>{told}</title></rect>'
    style = f'y="{_HEIGHT - 4}" font-size="12" fill="currentColor"'
    ends = f'<text x="0" {style}>{edges[0]:.2f}</text>'
    ends += f'<text x="{_WIDTH}" {style} text-anchor="end">{edges[-1]:.2f}</text>'
    words = f"Histogram of the scores; the threshold is {threshold:.2f}"
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{words}">{bars}{ends}</svg>'
        f'<p class="q">{words}. The height is the square root of the count.</p>'
    )


def _oddest(rows: pa.Table) -> str:
    lines = []
    for row in rows.to_pylist():
        known = f' <span class="q">(known {row["known"]})</span>' if row["known"] else ""
        cells = f'<td>{html.escape(row["id"])}{known}</td><td class="n">{row["score"]:.2f}</td><td>{_why(row)}</td>'
        lines.append(f"<tr>{cells}</tr>")
    return f'<table><tr><th>row</th><th class="n">score</th><th>what made it odd</th></tr>{"".join(lines)}</table>'


def _why(row: dict[str, Any]) -> str:
    """Return the columns that made a row odd, with value, expected value and share."""
    told = []
    for place in (1, 2, 3):
        if not row.get(f"column_{place}") or row[f"part_{place}"] < 0.05:
            continue
        value = row[f"value_{place}"] or "missing"
        expected = row[f"expected_{place}"]
        rest = f" (by the other columns {expected})" if expected else ""
        words = f"{row[f'column_{place}']} = {value}{rest}"
        told.append(f'{html.escape(words)} <span class="q">{row[f"part_{place}"]:.0%}</span>')
    return "<br>".join(told)


def _first_reasons(table: pa.Table) -> str:
    """Return how often each column is the first reason among the odd rows."""
    if "column_1" not in table.column_names:
        return ""
    counts = Counter(table.filter(table["odd"])["column_1"].to_pylist()).most_common(15)
    lines = "".join(f'<tr><td>{html.escape(str(k))}</td><td class="n">{count:,}</td></tr>' for k, count in counts)
    return f'<h2>First reason of the odd rows</h2><table><tr><th>column</th><th class="n">rows</th></tr>{lines}</table>'


def _columns(settings: dict[str, Any]) -> str:
    """Return what was read of each column, and why others were left out."""
    notes = settings.get("notes", {})
    lines = [(name, kind, notes.get(name, "")) for name, kind in settings.get("columns", [])]
    lines += [(name, "left out", why) for name, why in settings.get("left_out", {}).items()]
    if not lines:
        return ""
    cells = "".join(
        f"<tr>{''.join(f'<td>{html.escape(str(cell))}</td>' for cell in line)}</tr>" for line in lines[:500]
    )
    return f"<h2>Columns</h2><table><tr><th>name</th><th>read as</th><th>note</th></tr>{cells}</table>"
