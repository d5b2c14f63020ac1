from __future__ import annotations

from typing import Annotated, Any

import typer

from handful.cli.console import Method, Modality, Seed, put, say, watch


def review(
    run: Annotated[str, typer.Argument(metavar="RUN_OR_SOURCE", help="A run folder, or data without any label.")],
    out: Annotated[
        str | None, typer.Option("--out", help="The run folder made for a source; SOURCE-run if not given.")
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address and open nothing.")] = False,
    host: Annotated[
        str, typer.Option(help="Where to listen; any but the loopback address needs --person.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 0,
    person: Annotated[
        list[str] | None, typer.Option(help="Who reviews; once for each person, who gets an address of their own.")
    ] = None,
    enough: Annotated[float, typer.Option(help="The accuracy that is enough.")] = 0.95,
    modality: Modality = None,
    method: Method = "auto",
    seed: Seed = 0,
) -> None:
    """Review RUN, or SOURCE from no label at all, on a page in the browser; Ctrl-C ends and writes labels.parquet."""
    from pathlib import Path

    from handful.reviewing.serve import review as serve
    from handful.reviewing.serve import review_source
    from handful.run.folder import open_run
    from handful.run.start import run_for_review

    def told(links: dict[str, str]) -> None:
        say(f"reviewing {run}; Ctrl-C ends")
        put("\n".join(link if len(links) == 1 else f"{name}\t{link}" for name, link in links.items()))

    how: dict[str, Any] = {
        "host": host,
        "port": port,
        "people": person or (),
        "browser": not no_browser,
        "asked": enough,
        "told": told,
    }
    if (Path(run) / "run.json").is_file():
        opened = open_run(run)
        serve(opened, **how)
    else:
        opened = review_source(
            Path(run).resolve().name,
            lambda told: run_for_review(run, out=out, modality=modality, method=method, seed=seed, watch=told),
            watch=watch(),
            **how,
        )
    say(f"labels: {opened.folder / 'labels.parquet'}")
