"""The report of a run: one HTML page that opens offline."""

from handful.reporting.content import Content
from handful.reporting.gather import report
from handful.reporting.page import write_page

__all__ = ["Content", "report", "write_page"]
