"""Items that can be decided on together: near-duplicates, and tight parts of the graph with one label."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from handful.graph.components import label_components
from handful.reviewing.desk import PROPAGATED, Desk

SIZES = (4, 200)
QUANTILES = (0.5, 0.75, 0.9, 0.97)  # of the weights: a part that is too large is cut at its weaker edges
MOST = 60


def find_groups(desk: Desk, duplicates: dict[int, np.ndarray]) -> list[dict[str, Any]]:
    """Return groups of rows that are still open, the largest first: rows, the label most of them have, and why."""
    with desk.lock:
        codes, source = desk.codes.copy(), desk.source.copy()
        open_rows = desk.known() < 0
    found = []
    for group in {int(rows[0]): rows for rows in duplicates.values()}.values():
        rows = group[open_rows[group]]
        if len(rows) > 1:
            found.append(_told(desk, rows, codes, "Nearly the same item."))
    tight = [_told(desk, rows, codes, _why(desk, rows, codes, source)) for rows in _tight(desk, codes, open_rows)]
    tight.sort(key=lambda group: -len(group["rows"]))
    return sorted(found, key=lambda group: -len(group["rows"]))[:MOST] + tight[:MOST]


def _tight(desk: Desk, codes: np.ndarray, open_rows: np.ndarray) -> list[np.ndarray]:
    weights = desk.opened.weights
    rows = np.repeat(np.arange(len(codes)), np.diff(weights.indptr))
    left = open_rows.copy()
    found: list[np.ndarray] = []
    levels = np.quantile(weights.data, QUANTILES) if weights.nnz else []
    for level in levels:
        kept = (weights.data >= level) & (codes[rows] == codes[weights.indices]) & left[rows] & left[weights.indices]
        counts = np.bincount(rows[kept], minlength=len(codes))
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        part = label_components(
            sparse.csr_array((weights.data[kept], weights.indices[kept], indptr), shape=weights.shape)
        )
        sizes = np.bincount(part)
        fitting = np.flatnonzero((sizes >= SIZES[0]) & (sizes <= SIZES[1]))
        order = np.argsort(part, kind="stable")
        starts = np.concatenate([[0], np.cumsum(sizes)])
        for number in fitting.tolist():
            members = order[starts[number] : starts[number + 1]]
            found.append(members)
            left[members] = False
    return found


def _told(desk: Desk, rows: np.ndarray, codes: np.ndarray, why: str) -> dict[str, Any]:
    known = codes[rows][codes[rows] >= 0]
    label = str(desk.classes.names[np.bincount(known).argmax()]) if len(known) else None
    order = rows[np.argsort(desk.confidence[rows], kind="stable")] if len(known) else rows
    return {"rows": order.tolist(), "label": label, "why": why}


def _why(desk: Desk, rows: np.ndarray, codes: np.ndarray, source: np.ndarray) -> str:
    if (source[rows] == PROPAGATED).all():
        return f"Close together, all taken for one class, {desk.confidence[rows].mean() / 255:.0%} sure on average."
    return "Close together, without a label yet."
