"""What came next beside what was guessed: the last frames of a few clips, true, guessed and how far they differ."""

from __future__ import annotations

from typing import Any

import numpy as np

from handful.data import Dataset
from handful.errors import InputError
from handful.reporting.picture_lines import as_lines
from handful.tasks.next_frames import NextFrames, find_forecaster, next_frames

CLIPS, FRAMES = 3, 8


def show_next_frames(encoder: Any, data: Dataset) -> str:
    """Return HTML with the last frames of a few clips of `data` beside what `encoder` guesses from those before.

    Nothing where it has not learnt to guess frames.
    """
    try:
        find_forecaster(encoder)
    except InputError:
        return ""
    rows = np.unique(np.linspace(0, len(data) - 1, CLIPS).astype(int))
    found = [next_frames(encoder, data, row=int(row), steps=FRAMES) for row in rows]
    error, copy_error = (np.mean([getattr(one, name) for one in found]) for name in ("error", "copy_error"))
    told = f"Mean squared error a pixel {error:.0f}, of repeating the frame before them {copy_error:.0f}."
    pictures = "".join(_picture(one) for one in found)
    return (
        "<h3>The last frames of clips, guessed from those before</h3>"
        f'<p class="soft">Above what came, in the middle what was guessed, below how far they differ. {told}</p>'
        f'<p class="frames">{pictures}</p>'
    )


def _picture(found: NextFrames) -> str:
    """Return the true, the guessed and the differing frames as an <img>, one below the other."""
    apart = np.abs(found.guessed.astype(int) - found.truth).astype(np.uint8)
    return as_lines((found.truth, found.guessed, apart), f"{len(found.truth)} frames: true, guessed, difference")
