"""The answer to "what is like this": one page that shows or plays the query and what was found, and opens offline."""

from __future__ import annotations

import html
from pathlib import Path

import numpy as np

from handful.data import Dataset
from handful.files import written_whole
from handful.modalities.registry import make_modality
from handful.run.folder import Run
from handful.run.path import read_again
from handful.tasks.similar import Similar

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1c2330;background:#fff}
h1{font-size:1.5rem;overflow-wrap:anywhere}ol{list-style:none;padding:0}
li,.query{display:grid;grid-template-columns:3rem minmax(0,1fr) minmax(0,1.2fr);gap:1rem;align-items:center;
padding:.7rem 0;border-bottom:1px solid #dde2ea}.query{border-bottom:2px solid #8a94a6}
.name{overflow-wrap:anywhere}.quiet{color:#5a6577;font-size:.85rem}.score{font-variant-numeric:tabular-nums}
.item{overflow:hidden}.item img,.item svg{max-width:100%}
@media(prefers-color-scheme:dark){body{background:#14181f;color:#e3e8f0}li,.query{border-color:#2c3440}
.quiet{color:#9aa7ba}}
"""


def report_similar(run: Run, found: Similar, query: str, out: str | Path) -> Path:
    """Write a page that shows `query` and the items of `run` that were found like it, and return its path."""
    data = read_again(run)
    asked = _read_new(run, query) if found.query is None else data
    path = Path(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    page = make_page(data, found, query, asked)
    with written_whole(path, durable=False) as file:
        file.write(page.encode())
    return path


def make_page(data: Dataset, found: Similar, query: str, asked: Dataset) -> str:
    """Return the page. asked: the data set that `query` is in: `data` itself, or one of something new."""
    rows = {str(name): row for row, name in enumerate(data.ids)}
    shown = found.ids if found.moments is None else found.moments
    looks = _show(data, [rows.get(str(name)) for name in shown])
    first = next((row for row, name in enumerate(asked.ids) if str(name).startswith(query)), 0)
    lines = [
        f'<li><span class="score">{likeness:.3f}</span><span class="name">{html.escape(str(name))}'
        f'{_moment(found, place)}</span><span class="item">{look}</span></li>'
        for place, (name, likeness, look) in enumerate(zip(found.ids, found.likeness, looks, strict=True))
    ]
    title = f"Like {html.escape(Path(query).name if found.query is None else query)}"
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    asked_for = f'<div class="query"><span class="quiet">asked</span><span class="name">{html.escape(query)}</span>'
    body = (
        f'<h1>{title}</h1>{asked_for}<span class="item">{_show(asked, [first])[0]}</span></div><ol>{"".join(lines)}'
        f'</ol><p class="quiet">The number is the cosine of two items, 1 for the same. {html.escape(data.source)}, '
        f"{len(data):,} items.</p>"
    )
    return f'<!doctype html><html lang="en"><head>{head}<style>{_STYLE}</style></head><body>{body}</body></html>'


def _show(data: Dataset, rows: list[int | None]) -> list[str]:
    """Return how the items look or sound, nothing for one that is no longer there."""
    modality = make_modality(data.modality, data.settings)
    there = [row for row in rows if row is not None]
    looks = iter(modality.show(data.samples, np.array(there, dtype=np.int64)) if there else [])
    return ["" if row is None else next(looks) for row in rows]


def _moment(found: Similar, place: int) -> str:
    """Return which stretch of a recording is played."""
    if found.moments is None:
        return ""
    stretch = str(found.moments[place]).removeprefix(str(found.ids[place])).strip("[]").replace(":", " to ")
    return f'<br><span class="quiet">most alike from {html.escape(stretch)}</span>'


def _read_new(run: Run, query: str) -> Dataset:
    """Return something new, a file or a text, as a data set of its own."""
    item = Path(query).read_text(encoding="utf-8", errors="replace") if _is_text_file(run, query) else query
    return run.encoder.read([item])


def _is_text_file(run: Run, query: str) -> bool:
    return run.encoder.modality.name == "text" and len(query) < 4096 and Path(query).is_file()
