"""Settings of the pages: `sphinx-build -W docs FOLDER`, with what the extra `docs` brings."""

from __future__ import annotations

from typing import Any

from handful import __version__

project = "handful"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
html_theme = "alabaster"
autodoc_typehints = "none"


def setup(app: Any) -> None:
    """Show docstrings as they are written: they are plain English, no markup."""
    app.connect("autodoc-process-docstring", _show_as_written)


def _show_as_written(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = ["::", "", *(f"    {line}" for line in lines), ""]
