"""The whole path: a source and a handful of labels in, a run folder with a label for every item out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from handful.data import Dataset, check_something_to_label, encode_labels
from handful.data.remote import is_remote
from handful.errors import InputError, check_choice
from handful.modalities import read
from handful.modalities.encoder_reading import settle_reading
from handful.propagation.rules import RULES
from handful.propagation.suggest import suggest_rows
from handful.run.crew import check_alone
from handful.run.duplicates import duplicates_step
from handful.run.folder import Run, discard, locked, make_run, open_run
from handful.run.steps import Machines, check_same_data, embed_step, graph_step, pretrain_step, propagate_step
from handful.training.pretrain import Watch


def label(
    source: Any,
    labels: Any = None,
    *,
    out: str | os.PathLike[str],
    modality: str | None = None,
    method: str = "auto",
    encoder: nn.Module | str | os.PathLike[str] | None = None,
    pooling: str = "auto",
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    precision: str = "auto",
    patience: int | None = None,
    views: Mapping[str, Any] | None = None,
    rule: str = "auto",
    priors: Any = None,
    n_neighbors: int = 10,
    abstain_below: float | None = None,
    seed: int = 0,
    retrain: bool = False,
    strict: bool = False,
    watch: Watch | None = None,
    machines: Machines | None = None,
    **reading: Any,
) -> Run:
    """Return a run whose labels.parquet has a label and a confidence for every item of `source`.

    source: what `read` takes, or a Dataset. labels: what `read` takes; at least two classes.
    out: the run folder, a path or an address such as s3://bucket/run. The same call goes on where an earlier one
        stopped, or on what has been added since.
    method, encoder, pooling, epochs, batch_size, learning_rate, precision, patience, views: as in `pretrain`.
    rule, priors: as in `propagate`; n_neighbors: of the graph; abstain_below: leave labels below it to people.
    retrain: train anew where the source has grown, instead of keeping the encoder.
    machines: those of a cluster, to embed and link the items and spread the labels on (`handful.cluster`); this one by
        default.
    reading: further settings of `read`.
    Raises InputError for anything that cannot be used, before anything is written where that can be told.
    """
    check_alone("label")
    if encoder is not None and not isinstance(source, Dataset):
        modality, reading = settle_reading(source, modality, encoder, reading)
    data = source if isinstance(source, Dataset) else read(source, labels, modality, strict=strict, **reading)
    if isinstance(source, Dataset) and labels is not None:
        data = data.with_labels(encode_labels(labels))
    check_can_label(data, n_neighbors)
    if isinstance(rule, str):
        check_choice("rule", rule, ["auto", *RULES])
    assert data.labels is not None
    options: dict[str, Any] = {
        "method": method,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "precision": precision,
        "views": dict(views or {}),
        "seed": seed,
    }
    if encoder is not None:
        options["encoder"] = encoder
    if pooling != "auto":
        options["pooling"] = pooling
    if patience is not None:
        options["patience"] = patience
    with started(
        data, out, source=source, labels=labels, reading={"modality": data.modality, **reading, "strict": strict}
    ) as run:
        trained = pretrain_step(run, data, options, watch=watch, retrain=retrain)
        embeddings = embed_step(run, data, trained, watch=watch, machines=machines)
        duplicates_step(run, data)
        graph = graph_step(run, embeddings, n_neighbors=n_neighbors, seed=seed, watch=watch, machines=machines)
        propagate_step(
            run,
            data,
            graph,
            rule=rule,
            priors=priors,
            seed=seed,
            abstain_below=abstain_below,
            watch=watch,
            machines=machines,
        )
    return run


@contextmanager
def started(
    data: Dataset, out: str | os.PathLike[str], *, source: Any, labels: Any = None, reading: Mapping[str, Any]
) -> Iterator[Run]:
    """Give the run folder `out` for `data`, held for this process; where the data came from is noted in it.

    Raises InputError where the folder holds something else, or is in use. Where bad input ends the work before a step
    has written anything, a folder that was made for it is taken away again.
    """
    there = not (isinstance(out, str) and is_remote(out)) and Path(out).exists()
    run = make_run(out)
    with locked(run):
        check_same_data(run, data)
        run.note(source=_name(source), labels=_name(labels), reading=dict(reading))
        try:
            yield run
        except InputError:
            if not there and {path.name for path in run.folder.iterdir()} <= {"run.json", ".lock"}:
                discard(run)
            raise


def read_again(run: Run, labels: Any = None, *, label_column: str | None = None) -> Dataset:
    """Return the run's data set, read as it was, with other labels if given.

    Raises InputError where the run was made of an array or a list: there is no path to read again.
    """
    source = run.record.get("source")
    if source is None or source.startswith("<"):
        raise InputError(f"{run.folder} was made from {source or 'data in memory'}: give its data again in Python.")
    reading = dict(run.record["reading"])
    if label_column is not None:
        reading["label_column"] = label_column
    return read(source, labels, **reading)


def suggest(run: Run | str | os.PathLike[str], n: int = 10, *, seed: int = 0) -> list[str]:
    """Return the ids of the `n` items of a run that are most worth labelling next, best first."""
    run = run if isinstance(run, Run) else open_run(run)
    codes, confidence = None, None
    if (run.folder / "labels.parquet").is_file():
        table = run.labels
        given = np.array(table["source"].to_pylist()) != "propagated"
        names = [name if keep else None for name, keep in zip(table["label"].to_pylist(), given, strict=True)]
        codes, confidence = encode_labels(names).codes, table["confidence"].to_numpy()
    rows = suggest_rows(run.graph, n, codes=codes, confidence=confidence, seed=seed)
    return run.embeddings.ids[rows].tolist()


def check_can_label(data: Dataset, n_neighbors: int) -> None:
    """Raise InputError where no graph over `data` can carry its labels."""
    if data.labels is None or not data.labels.given.any():
        raise InputError(f"no label is given for the {len(data)} items of {data.source}: give a file with id,label.")
    check_something_to_label(data.labels, data.source)
    if len(np.unique(data.labels.codes[data.labels.given])) < 2:
        raise InputError(f"the labels of {data.source} name one class: label at least one item of another class.")
    if len(data) <= n_neighbors:
        raise InputError(
            f"n_neighbors={n_neighbors} needs more than {n_neighbors} items, {data.source} has {len(data)}: "
            "ask for fewer neighbours."
        )


def _name(given: Any) -> str | None:
    """Return a path in full, or what kind of value was given instead."""
    if given is None:
        return None
    if isinstance(given, str) and is_remote(given):
        return given
    if isinstance(given, str | os.PathLike):
        path = Path(given)
        return str(path.resolve()) if path.exists() else str(given)
    return f"<{type(given).__name__}>"
