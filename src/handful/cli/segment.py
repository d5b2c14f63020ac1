from __future__ import annotations

from typing import Annotated

import typer

from handful.cli.console import Seed, put, say


def segment(
    source: str,
    run: Annotated[str, typer.Option("--run", help="The run folder with an image encoder.")],
    scribbles: Annotated[str, typer.Option(help="A folder of PNGs of class numbers, 0 where nothing is marked.")],
    out: Annotated[str, typer.Option("--out", help="The folder for the masks, each under its photo's id.")],
    rule: Annotated[str, typer.Option(help="How labels spread: spreading, laplace, poisson, ...")] = "spreading",
    seed: Seed = 0,
) -> None:
    """Write the class of every pixel of the photos in SOURCE, from a few marked pixels in some of them."""
    import handful
    from handful.data.remote import check_local
    from handful.run.folder import open_run
    from handful.tasks.scribbles import read_scribbles, write_masks

    check_local(out, "the folder of the masks")
    check_local(scribbles, "the folder of the scribbles")
    encoder = open_run(run).encoder
    data = encoder.read(source)
    found = handful.segment(encoder, data, read_scribbles(scribbles, data), rule=rule, seed=seed)
    write_masks(found, data, out)
    for note in found.notes:
        say(note)
    shares = [f"{name}: {(found.labels == k).mean():.1%}" for k, name in enumerate(found.classes.tolist())]
    say(f"{len(data)} masks; share of all pixels by class {', '.join(shares)}.")
    put(out)
