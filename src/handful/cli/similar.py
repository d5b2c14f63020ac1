from __future__ import annotations

from typing import Annotated

import typer

from handful.cli.console import Json, put, say


def similar(
    run: str,
    query: Annotated[str, typer.Argument(help="The id of an item, a file, or, where the run reads texts, a text.")],
    n: Annotated[int, typer.Option("-n", help="How many.")] = 10,
    block: Annotated[str | None, typer.Option(help="Compare by one representation of the run only.")] = None,
    out: Annotated[
        str | None, typer.Option("--out", help="Also a page that shows or plays them, such as like.html.")
    ] = None,
    json: Json = False,
) -> None:
    """Print the items of RUN that are most like QUERY, the most alike first: id and cosine."""
    import handful
    from handful.data.remote import check_local
    from handful.reporting.similar import report_similar
    from handful.run.folder import open_run

    check_local(out, "the page")
    opened = open_run(run)
    found = handful.similar(opened, query, n, block=block)
    if out is not None:
        say(f"{report_similar(opened, found, query, out)} shows them.")
    pairs = [(str(name), round(float(likeness), 4)) for name, likeness in zip(found.ids, found.likeness, strict=True)]
    if json:
        put([{"id": name, "likeness": likeness} for name, likeness in pairs])
    else:
        put("\n".join(f"{name}\t{likeness:.4f}" for name, likeness in pairs))
