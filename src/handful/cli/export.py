from __future__ import annotations

from typing import Annotated

import typer

from handful.cli.console import put, say


def export(
    run: str,
    form: Annotated[str, typer.Option("--format", help="csv, parquet, jsonl, labelstudio, folders, hf or coco.")],
    out: Annotated[str | None, typer.Option("--out", help="The file or folder; in RUN/export if not given.")] = None,
) -> None:
    """Write the labels of RUN as a table or in the form of another tool."""
    from handful.data.remote import check_local
    from handful.reviewing.exporting import export_run
    from handful.run.folder import open_run

    check_local(run if out is None else out, "what is exported")
    path, rows = export_run(open_run(run), form, out)
    say(f"{rows} items")
    put(str(path))


def take_in(
    run: str,
    labels: str,
    form: Annotated[str | None, typer.Option("--format", help="As in export; found from LABELS if not given.")] = None,
    person: Annotated[str, typer.Option(help="Whose decisions they are.")] = "import",
) -> None:
    """Take LABELS, a file or folder that another tool gave back, into RUN as decisions; propagate then counts them."""
    from handful.data.remote import check_local
    from handful.reviewing.importing import import_labels
    from handful.reviewing.serve import take_in_labels
    from handful.run.folder import open_run

    check_local(run, "a run folder with decisions")
    rows, conflicts = take_in_labels(open_run(run), import_labels(labels, form), who=person)
    say(f"{rows} items decided, {conflicts} of them otherwise than by other people before")
    put(f"{run}: run `handful propagate` on it next")
