"""Where what is made of each item is written."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from handful.errors import InputError, quoted


def output_paths(ids: np.ndarray, folder: Path) -> list[Path]:
    """Return a path in `folder` for each id [N]: the id without its ending, so that the kind of file can add its own.

    Where two ids differ in nothing but the ending, both keep it ("a.jpg" becomes "a.jpg.png").
    Raises InputError for an id that leads out of the folder.
    """
    stems = [Path(str(name)).with_suffix("") for name in ids]
    count = Counter(stems)
    paths = []
    for name, stem in zip(map(str, ids), stems, strict=True):
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise InputError(f"nothing is written for the id {quoted(name)}, which leads out of {folder}: rename it.")
        # A second ending, so that what replaces the last one takes nothing of the id away.
        paths.append(folder / (f"{name}.out" if count[stem] > 1 else f"{stem}.out"))
    return paths
