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
    parse_columns,
    put,
    say,
    watch,
)


def anomalies(
    source: str,
    out: Annotated[str | None, typer.Option("--out", help="The run folder; with --run, the file of scores.")] = None,
    run: Annotated[
        str | None, typer.Option("--run", help="Score by the detector of this run, without training.")
    ] = None,
    labels: Labels = None,
    label_column: LabelColumn = None,
    odd: Annotated[str | None, typer.Option(help="The label of the odd rows; found if it is a usual word.")] = None,
    share: Annotated[float | None, typer.Option(help="Share of the rows above the threshold; 0.01.")] = None,
    false_alarm_rate: Annotated[
        float | None, typer.Option(help="Instead of --share: of the rows known to be ordinary.")
    ] = None,
    normals: Annotated[str | None, typer.Option(help="A table of rows known to be ordinary.")] = None,
    columns: Columns = None,
    modality: Modality = None,
    size: Size = None,
    window: Window = None,
    stride: Stride = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Score every row of SOURCE by how little it fits the others, and say which columns made it odd."""
    from handful.errors import InputError
    from handful.reporting.anomalies import report_anomalies
    from handful.run.anomalies import find_anomalies, score_anomalies
    from handful.run.folder import open_run

    if run is not None:
        found = score_anomalies(run, source, out=out)
        pages = []
    elif out is None:
        raise InputError("an output folder is needed: --out RUN; or --run RUN to score by an earlier run.")
    else:
        found = find_anomalies(
            source,
            out=out,
            labels=labels,
            label_column=label_column,
            odd=odd,
            share=share,
            false_alarm_rate=false_alarm_rate,
            normals=normals,
            columns=parse_columns(columns),
            modality=modality,
            size=size,
            window=window,
            stride=stride,
            seed=seed,
            watch=watch(),
        )
        pages = [str(report_anomalies(open_run(out)))]
    say("\n".join([f"{found.odd} of {len(found.table)} rows lie above the threshold.", *found.notes]))
    told = {"rows": len(found.table), "odd": found.odd, "threshold": found.threshold, "scores": str(found.path)}
    put(told if json else "\n".join([str(found.path), *pages]))
