"""A run that has everything but labels: what a review begins from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from handful.data.remote import check_local
from handful.graph.build import check_n_neighbors
from handful.modalities import read
from handful.run.duplicates import duplicates_step
from handful.run.folder import Run, open_run
from handful.run.path import started
from handful.run.steps import embed_step, graph_step, pretrain_step
from handful.training.pretrain import Watch


def run_for_review(
    source: str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
    modality: str | None = None,
    method: str = "auto",
    n_neighbors: int = 10,
    seed: int = 0,
    watch: Watch | None = None,
    **reading: Any,
) -> Run:
    """Return the run in a folder, or the run of a source: read, trained on, embedded and linked, without any label.

    out: the run folder of a source; None for one beside it, named SOURCE-run. The same call goes on where it stopped.
    Raises InputError for anything that cannot be used.
    """
    check_local(source if out is None else out, "a run folder for a review")
    path = Path(source)
    if (path / "run.json").is_file():
        return open_run(path)
    data = read(source, None, modality, **reading)
    check_n_neighbors(n_neighbors, len(data))
    folder = Path(out) if out is not None else path.resolve().with_name(f"{path.resolve().stem}-run")
    with started(data, folder, source=source, reading={"modality": data.modality, **reading, "strict": False}) as run:
        options: dict[str, Any] = {
            "method": method,
            "epochs": None,
            "batch_size": None,
            "learning_rate": None,
            "precision": "auto",
            "views": {},
            "seed": seed,
        }
        encoder = pretrain_step(run, data, options, watch=watch)
        embeddings = embed_step(run, data, encoder, watch=watch)
        duplicates_step(run, data)
        graph_step(run, embeddings, n_neighbors=n_neighbors, seed=seed, watch=watch)
    return run
