"""Labels out to other tools and back in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from handful.run.folder import Run


def export_run(run: Run, format: str, path: str | None) -> tuple[Path, int]:
    raise NotImplementedError


def import_labels(path: str, format: str | None) -> dict[str, Any]:
    raise NotImplementedError
