"""Contents of reports, made for tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from handful.reporting.content import Content


def made_content(rows: int = 200, classes: int = 4, *, seed: int = 0, truth: bool = False, **changes: Any) -> Content:
    """Return a content of `rows` items: one given row a class, three that no label reaches, the rest propagated."""
    random = np.random.default_rng(seed)
    labels = random.integers(classes, size=rows).astype(np.int32)
    labels[:classes] = np.arange(classes)
    confidence = random.uniform(1 / classes, 1, rows)
    source = np.full(rows, "propagated", dtype=object)
    source[:classes], confidence[:classes] = "given", 1.0
    labels[-3:], confidence[-3:], source[-3:] = -1, 0.0, ""
    right = random.random(rows) < confidence
    content = Content(
        title="shapes",
        ids=np.array([f"folder/{row:05d}.png" for row in range(rows)]),
        classes=[f"class {index}" for index in range(classes)],
        labels=labels,
        confidence=confidence,
        source=source,
        reached=labels >= 0,
        positions=random.normal(size=(rows, 2)).astype(np.float32),
        runner_up=np.where(labels >= 0, (labels + 1) % classes, -1),
        margin=confidence / 2,
        neighbours=random.integers(rows, size=(rows, 5)).astype(np.int32),
        truth=np.where(right, np.maximum(labels, 0), (labels + 1) % classes) if truth else None,
        show=lambda asked: [f"<i>item {row}</i>" for row in asked],
    )
    return replace(content, **changes)


def colour_pictures(rows: np.ndarray, size: int = 20) -> np.ndarray:
    """Return one plain picture [3, size, size] for each row, of a colour that tells the row."""
    colours = np.stack([rows * 37 % 256, rows * 91 % 256, rows * 53 % 256], axis=1).astype(np.uint8)
    return np.broadcast_to(colours[:, :, None, None], (len(rows), 3, size, size)).copy()
