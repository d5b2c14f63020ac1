from __future__ import annotations

from typing import Annotated

import typer

from handful.cli.console import Json, Rule, Seed, Truth, put, say


def evaluate(
    run: str,
    truth: Truth = None,
    labels_per_class: Annotated[str, typer.Option(help="Labels drawn of each class, such as '1,5'.")] = "1,5",
    trials: Annotated[int, typer.Option(help="Random draws of the labels.")] = 20,
    rule: Rule = "auto",
    peers: Annotated[bool, typer.Option(help="Judge simple peers beside it.")] = True,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Judge RUN where the truth is known: random draws of labels, scored on the rows not given."""
    import handful
    from handful.errors import InputError
    from handful.run.folder import locked, open_run

    try:
        counts = [int(count) for count in labels_per_class.split(",")]
    except ValueError as error:
        raise InputError(
            f"--labels-per-class {labels_per_class!r} is not a list of whole numbers like '1,5'."
        ) from error
    if truth is None:
        raise InputError("there is nothing to judge by: give --truth FILE, or --truth folders or source.")
    opened = open_run(run)
    judged = handful.evaluate(opened, truth, counts, trials, rule=rule, peers=peers, seed=seed, progress=say)
    with locked(opened):
        opened.write_json("evaluation.json", judged.as_dict(), step="evaluate")
    put(judged.as_dict() if json else judged.in_words())
