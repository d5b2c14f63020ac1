from __future__ import annotations

from handful.cli.console import Truth, put


def report(run: str, truth: Truth = None) -> None:
    """Write report.html of RUN: one page that opens offline."""
    import handful
    from handful.run.folder import open_run

    opened = open_run(run)
    put(opened.address(handful.report(opened, truth=truth).name))
