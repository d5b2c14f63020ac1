from __future__ import annotations

from typing import Annotated

import typer

from handful.cli.console import Seed, put, say, watch


def demo(
    kind: Annotated[str, typer.Option(help="image, text, audio, series, video or table.")] = "image",
    out: Annotated[str | None, typer.Option("--out", help="Keep the run folder here.")] = None,
    seed: Seed = 0,
) -> None:
    """Label a small data set of a kind from a handful of labels; says how many it got right."""
    import tempfile
    from pathlib import Path

    import numpy as np

    import handful
    from handful.evaluation.judge import draw_given
    from handful.guide.demos import make_demo

    with tempfile.TemporaryDirectory() as scratch:
        shown = make_demo(kind, Path(scratch) / "files", seed=seed)
        truth = handful.Labels(*np.unique(shown.truth, return_inverse=True))
        given = draw_given(truth, shown.per_class, np.random.default_rng(seed))
        codes = np.full(len(shown.truth), -1, np.int32)
        codes[given] = truth.codes[given]
        say(f"{shown.words}; labels told of each class, drawn at random: {shown.per_class}.")
        data = handful.read(shown.source, handful.Labels(truth.classes, codes), kind, cache=scratch)
        run = handful.label(data, out=out or f"{scratch}/run", seed=seed, watch=watch(), **shown.options)
        summary = run.summary()
        answers = np.array(run.labels["label"].to_pylist())
        page = handful.report(run, data=data, truth=shown.truth)
    hidden = codes < 0
    right, count = int((answers == shown.truth)[hidden].sum()), int(hidden.sum())
    say(summary.in_words())
    if out is not None:
        say(f"The report: {page}")
    share = summary.expected_accuracy or 0.0
    put(f"{right} of {count} right ({right / count:.1%}); it expected {round(share * count)} ({share:.1%}).")
