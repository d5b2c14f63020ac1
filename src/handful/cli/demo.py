from __future__ import annotations

from typing import Annotated

import typer

from handful.cli.console import Seed, put, say, watch


def demo(
    out: Annotated[str | None, typer.Option("--out", help="Keep the run folder here.")] = None, seed: Seed = 0
) -> None:
    """Label 1,797 real pictures of handwritten digits from ten labels; says how many it got right."""
    import tempfile

    import numpy as np
    from sklearn.datasets import load_digits

    import handful

    bunch = load_digits()
    pictures, truth = (bunch.images * (255 / 16)).astype(np.uint8), bunch.target
    rng = np.random.default_rng(seed)
    told = np.full(len(truth), -1)
    for digit in range(10):
        row = rng.choice(np.flatnonzero(truth == digit))
        told[row] = truth[row]
    with tempfile.TemporaryDirectory() as scratch:
        say(
            "1,797 pictures of digits, 8 x 8 pixels (UCI, in scikit-learn); one label a digit is told, drawn at random."
        )
        data = handful.read(pictures, told, "image", cache=scratch)
        run = handful.label(data, out=out or f"{scratch}/run", epochs=20, seed=seed, watch=watch())
        table, summary = run.labels, run.summary()
        page = handful.report(run, data=data, truth=truth)
    hidden = told < 0
    right = int((np.array(table["label"].to_pylist()) == truth)[hidden].sum())
    say(summary.in_words())
    if out is not None:
        say(f"The report: {page}")
    share, count = summary.expected_accuracy or 0.0, int(hidden.sum())
    put(f"{right} of {count} right ({right / count:.1%}); it expected {round(share * count)} ({share:.1%}).")
