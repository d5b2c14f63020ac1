from __future__ import annotations

from typing import Annotated

import typer

from handful.cli.console import (
    Columns,
    Json,
    LabelColumn,
    Labels,
    Modality,
    Seed,
    Size,
    Stride,
    Window,
    given,
    parse_columns,
    put,
    say,
)


def advise(
    source: str,
    labels: Labels = None,
    goal: Annotated[
        str, typer.Option(help="What for: labels, search, predict, fill, denoise, anomalies, generate.")
    ] = "labels",
    measure: Annotated[float | None, typer.Option(help="Minutes for short trial runs of the candidates.")] = None,
    modality: Modality = None,
    size: Size = None,
    window: Window = None,
    stride: Stride = None,
    columns: Columns = None,
    label_column: LabelColumn = None,
    out: Annotated[str | None, typer.Option(help="A run folder: label and pretrain into it take the advice.")] = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Tell which family of self-supervised learning suits SOURCE, and why: from the data, and from trials if asked."""
    import handful

    reading = given(
        modality=modality,
        size=size,
        window=window,
        stride=stride,
        columns=parse_columns(columns),
        label_column=label_column,
    )
    found = handful.advise(source, labels, measure, goal=goal, seed=seed, out=out, progress=say, **reading)
    put(found.as_dict() if json else found.in_words())
