from __future__ import annotations

from typing import Annotated

import typer

from handful.cli.console import Seed, put


def suggest(run: str, n: Annotated[int, typer.Option("-n", help="How many.")] = 10, seed: Seed = 0) -> None:
    """Print the ids of the items of RUN that are most worth labelling next, best first."""
    import handful

    put("\n".join(handful.suggest(run, n, seed=seed)))
