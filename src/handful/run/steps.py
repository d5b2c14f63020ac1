"""The steps of the path on a run folder: each reads what the one before wrote, and does only what is new."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from handful.data import Dataset
from handful.errors import InputError
from handful.graph import Graph, knn_graph
from handful.graph.build import Search
from handful.graph.neighbours import Neighbours
from handful.propagation import Propagation, propagate
from handful.propagation.audit import LabelIssues, find_label_issues
from handful.propagation.fuse import fuse
from handful.propagation.propagate import make_problem
from handful.run.crew import advised, call_helpers
from handful.run.decisions import with_decisions
from handful.run.embedding import embed_rows, forget_rows
from handful.run.folder import Run
from handful.run.lone import lone_notes
from handful.run.summary import issues_table
from handful.training.embed import Embeddings
from handful.training.encoder import Encoder
from handful.training.pretrain import Watch, adopt, pretrain
from handful.training.start import told_name


class Machines(Protocol):
    """Other machines that embed, find neighbours and propagate in the place of this one (see `handful.cluster`)."""

    def embed(
        self, folder: Path, batches: Iterable[Any], *, progress: Callable[[str], None] | None = None
    ) -> Iterator[np.ndarray]:
        """Yield the vectors [B, D] that the encoder in `folder` makes of each of `batches` of samples, in order."""

    def find_neighbours(
        self,
        points: np.ndarray,
        scale: np.ndarray,
        n_neighbors: int,
        *,
        approximate: bool,
        seed: int,
        progress: Callable[[str], None] | None = None,
    ) -> Neighbours:
        """Return near other rows of each row of `points` [N, D] times its `scale` [N]."""

    def propagate(
        self,
        graph: Graph,
        labels: Any,
        rule: str = "auto",
        *,
        priors: Any = None,
        seed: int = 0,
        progress: Callable[[str], None] | None = None,
    ) -> tuple[Propagation, LabelIssues]:
        """Return the answer and the issues of the given labels."""


def check_same_data(run: Run, data: Dataset) -> None:
    """Raise InputError where the run folder holds another data set; the same one, grown, is welcome."""
    if not run.stands("data.json") or run.data["fingerprint"] == data.fingerprint:
        return
    if run.data["modality"] != data.modality or not _shares_items(run, data):
        raise InputError(
            f"{run.folder} holds another data set ({run.data['count']} {run.data['modality']} items of "
            f"{run.data['source']}), none of them in {data.source}: choose another output folder."
        )


def pretrain_step(
    run: Run, data: Dataset, options: Mapping[str, Any], *, watch: Watch | None = None, retrain: bool = False
) -> Encoder:
    """Return the run's encoder, trained unless it stands; what is damaged is made again.

    An encoder trained with the same options on the same data set before it grew is kept, and run.json says so. Where
    several processes were started, those without the run folder wait in `help_training` and share the training.
    The method "auto" is the advised one where the folder holds advice.
    """
    options = advised(run, options)
    given = options.get("encoder")
    asked = {**options, "encoder": told_name(given)}
    watch = watch or Watch()
    damaged = run.discard_damaged("pretrain")
    if damaged:
        watch.stage(f"{', '.join(damaged)} was damaged and is made again")
        (run.encoder_folder / "config.json").unlink(missing_ok=True)  # without it the encoder counts as not made
    kept = "encoder/config.json" in run.made_by("pretrain") and run.record["pretrain"]["options"] == asked
    grown = run.stands("data.json") and run.data["fingerprint"] != data.fingerprint
    keeps = kept and grown and not retrain
    call_helpers(not keeps)
    if keeps:
        encoder = adopt(run.encoder, given)
        run.note(pretrain={"options": asked, "note": f"kept, trained on {run.data['count']} of {len(data)} items"})
    else:
        if grown:
            (run.encoder_folder / "loop.safetensors").unlink(missing_ok=True)
        run.disown(run.made_by("pretrain"))
        encoder = pretrain(data, out=run.encoder_folder, watch=watch, **options)
        said = {"options": asked, "verdict": encoder.record["verdict"], "seconds": encoder.record["seconds"]}
        made = ["health.json", *(f"encoder/{path.name}" for path in run.encoder_folder.iterdir())]
        run.vouch(made, step="pretrain", note={"pretrain": said})
    if not (run.stands("data.json") and run.data["fingerprint"] == data.fingerprint):
        run.write_data(data)
    return encoder


def embed_step(
    run: Run, data: Dataset, encoder: Encoder, *, watch: Watch | None = None, machines: Machines | None = None
) -> Embeddings:
    """Return the embeddings of all of `data`; what an earlier run embedded with the same encoder is kept.

    machines: those of a cluster that embed; this one by default, and where the encoder needs code that only it has.
    """
    digest = run.digest("encoder/model.safetensors")
    known = _known_rows(run, data, digest)
    new = np.flatnonzero(known < 0)
    if not len(new) and len(run.embeddings) == len(data):
        forget_rows(run.folder)
        return run.embeddings
    watch = watch or Watch()
    watch.stage(f"embedding {len(new)} of {len(data)} items")
    vectors = np.empty((len(data), sum(b.stop - b.start for b in encoder.blocks.values())), dtype=np.float32)
    if len(new):
        elsewhere = None
        if machines is not None and any(getattr(part, "needs_code", False) for part in encoder.modules()):
            watch.stage("embedding on this machine alone: the others do not have the code of the module that was given")
        elif machines is not None:
            elsewhere = partial(machines.embed, run.encoder_folder, progress=watch.stage)
        vectors[new] = embed_rows(
            run.folder, encoder, data, new, encoder_digest=digest, progress=watch.rows, elsewhere=elsewhere
        )
    if len(new) < len(data):
        old = known >= 0
        vectors[old] = run.embeddings.vectors[known[old]]
    embeddings = Embeddings(data.ids, vectors, encoder.blocks, encoder.counts)
    run.write_embeddings(embeddings, data.digests, digest)
    forget_rows(run.folder)
    return embeddings


def graph_step(
    run: Run,
    embeddings: Embeddings,
    *,
    n_neighbors: int,
    seed: int,
    watch: Watch | None = None,
    machines: Machines | None = None,
) -> Graph:
    """Return the graph over all items, made unless the one that stands is of these embeddings.

    machines: those of a cluster that find the neighbours; this one by default.
    """
    made_of = {"embeddings": run.digest("embeddings.npy"), "n_neighbors": n_neighbors, "seed": seed}
    if embeddings.counts:
        made_of["counts"] = dict(embeddings.counts)
    if run.stands("graph.npz") and run.record["graph"]["made_of"] == made_of:
        return run.graph
    told = (watch or Watch()).stage
    told(f"linking {len(embeddings)} items to their {n_neighbors} nearest neighbours")
    search = None if machines is None else partial(machines.find_neighbours, progress=told)
    graph = link(embeddings, n_neighbors=n_neighbors, seed=seed, search=search)
    said = {"made_of": made_of, "recall": graph.recall, "notes": list(graph.notes)}
    with run.writing("graph.npz", step="propagate", note={"graph": said}) as (file,):
        graph.save(file)
    return graph


def link(embeddings: Embeddings, *, n_neighbors: int, seed: int = 0, search: Search | None = None) -> Graph:
    """Return the graph over embeddings, fused where they have several blocks; `search` as in `knn_graph`."""
    if len(embeddings.blocks) == 1:
        return knn_graph(embeddings.vectors, n_neighbors=n_neighbors, seed=seed, search=search)
    blocks = [np.ascontiguousarray(embeddings.block(name)) for name in embeddings.blocks]
    counts = [embeddings.counts.get(name, 1.0) for name in embeddings.blocks]
    return fuse(blocks, counts=counts, n_neighbors=n_neighbors, seed=seed, search=search)


def propagate_step(
    run: Run,
    data: Dataset,
    graph: Graph,
    *,
    rule: str = "auto",
    priors: Any = None,
    seed: int = 0,
    abstain_below: float | None = None,
    watch: Watch | None = None,
    machines: Machines | None = None,
) -> Propagation:
    """Return the answer and write labels.parquet, labels.csv and label_issues.csv.

    What people decided in the review of this run counts as given, in the place of other labels.
    machines: those of a cluster that find the answer; this one by default.
    """
    data, reviewed = with_decisions(run, data)
    labels = data.labels
    assert labels is not None
    told = (watch or Watch()).stage
    if machines is None:
        answer = propagate(graph, labels, rule, priors=priors, seed=seed, progress=told)
        issues = find_label_issues(make_problem(graph, labels, priors)[0], seed=seed)
    else:
        answer, issues = machines.propagate(graph, labels, rule, priors=priors, seed=seed, progress=told)
    answer = replace(answer, notes=(*answer.notes, *lone_notes(run)))
    if abstain_below is not None:
        answer = answer.abstain_below(abstain_below)
    asked = {"rule": rule, "priors": priors, "abstain_below": abstain_below}
    run.write_labels(
        data.ids, answer, issues_table(data.ids, labels, issues.above(0.5)), asked=asked, reviewed=reviewed
    )
    return answer


def _shares_items(run: Run, data: Dataset) -> bool:
    """Tell whether an item of `data` stands in the run folder with the same content."""
    if "ids.parquet" not in run.record.get("files", {}):
        return False
    if not run.stands("ids.parquet"):
        return True  # damaged, so that it cannot be told: it is made again
    return bool((_find_rows(pq.read_table(run.folder / "ids.parquet"), data) >= 0).any())


def _known_rows(run: Run, data: Dataset, encoder_digest: str) -> np.ndarray:
    """Return for each item the row [N] that this encoder embedded it in, -1 where it is new or has changed."""
    if run.stands("embeddings.npy", "ids.parquet"):
        table = pq.read_table(run.folder / "ids.parquet")
        if table.schema.metadata[b"encoder"].decode() == encoder_digest:
            return _find_rows(table, data)
    return np.full(len(data), -1)


def _find_rows(table: pa.Table, data: Dataset) -> np.ndarray:
    rows = {
        pair: row for row, pair in enumerate(zip(table["id"].to_pylist(), table["digest"].to_pylist(), strict=True))
    }
    return np.array([rows.get(pair, -1) for pair in zip(data.ids.tolist(), data.digests.tolist(), strict=True)])
