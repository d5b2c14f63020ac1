"""Lines of small pictures below one another, as one picture of a page."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

_SIDE = 64  # pixels a picture is at least shown by


def as_lines(lines: Sequence[np.ndarray], words: str) -> str:
    """Return an <img> of lines of pictures, each uint8 [M, C, H, W], below one another; `words`: what they are."""
    grid = np.concatenate([np.concatenate([*np.moveaxis(line, 1, -1)], 1) for line in lines])
    times = max(1, -(-_SIDE // lines[0].shape[-1]))
    grid = grid.repeat(times, 0).repeat(times, 1)
    buffer = io.BytesIO()
    Image.fromarray(grid[..., 0] if grid.shape[-1] == 1 else grid).save(buffer, "PNG")
    source = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="{words}" style="max-width:100%" src="data:image/png;base64,{source}">'
