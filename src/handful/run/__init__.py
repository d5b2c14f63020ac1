"""The run folder, and the whole path from a source to a label for every item."""

from handful.run.folder import Run, open_run
from handful.run.path import label, suggest

__all__ = ["Run", "label", "open_run", "suggest"]
