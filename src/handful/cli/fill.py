from __future__ import annotations

from typing import Annotated

import typer

from handful.cli.console import Json, put


def fill(
    run: str,
    text: Annotated[str, typer.Argument(help="A text with gaps, such as 'the [MASK] was late'.")],
    n: Annotated[int, typer.Option("-n", help="How many words for each gap.")] = 5,
    json: Json = False,
) -> None:
    """Print the likeliest words for each [MASK] in TEXT, from an encoder of texts trained with the method masked."""
    import handful
    from handful.run.folder import open_run

    found = handful.fill(open_run(run), text, n=n)
    if json:
        put({"text": found.text, "guesses": [dict(gap) for gap in found.guesses]})
        return
    put(found.text)
    for gap in found.guesses:
        put("\t".join(f"{word} {share:.3f}" for word, share in gap))
