"""The machines of a Ray cluster, and the steps of the path on them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import ray

from handful.cluster.block import read_block, write_graph
from handful.cluster.encoding import Pool
from handful.cluster.gang import nodes, run_together
from handful.cluster.local import started
from handful.cluster.mesh import Mesh
from handful.cluster.search import find_block, read_neighbours, write_points
from handful.data import Labels
from handful.errors import InputError
from handful.graph import Graph
from handful.graph.neighbours import Neighbours
from handful.propagation import Propagation
from handful.propagation.audit import LabelIssues, find_label_issues
from handful.propagation.problem import Problem
from handful.propagation.propagate import answer, make_problem


@dataclass(frozen=True)
class Traffic:
    """What one process sent while it propagated: messages, bytes; rows and borders it held."""

    messages: int
    sent: int
    rows: int
    borders: int


class Machines:
    """The nodes of a cluster. `scratch` is a folder that all of them see under the same name."""

    def __init__(self, scratch: str | os.PathLike[str]) -> None:
        self.scratch = Path(scratch)
        self.traffic: list[Traffic] = []

    def embed(
        self, folder: Path, batches: Iterable[Any], *, progress: Callable[[str], None] | None = None
    ) -> Iterator[np.ndarray]:
        """Yield the vectors [B, D] that the encoder in `folder` makes of each of `batches` of samples, in order.

        Raises what an encoder raises.
        """
        say = progress or (lambda words: None)
        say(f"embedding on {len(nodes())} machines")
        with self._folder() as seen:
            own = shutil.copytree(folder, seen / "encoder", ignore=shutil.ignore_patterns("loop.safetensors"))
            with Pool(own, say) as pool:
                yield from pool.embed(batches)

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
        """Return near other rows of each row of `points` [N, D] float32 times its `scale` [N], as one process would."""
        with self._folder() as folder:
            write_points(points, scale, folder)
            asked = (folder, n_neighbors, approximate, seed)
            say = progress or (lambda words: None)
            recalls = run_together(find_block, asked, journal=folder / "journal", say=say)
            return read_neighbours(folder, recalls[0])

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
        """Return what `handful.propagate` returns and the issues of the given labels, the graph's rows cut among nodes.

        Raises InputError as `handful.propagate` does.
        """
        problem, encoded = make_problem(graph, labels, priors)
        say = progress or (lambda words: None)
        with self._folder() as folder:
            say("cutting the graph among the machines")
            write_graph(graph, folder / "graph")
            np.save(folder / "codes.npy", encoded.codes, allow_pickle=False)
            say(f"propagating on {len(nodes())} machines")
            asked = (folder, encoded.classes, rule, problem.priors, seed)
            parts = run_together(propagate_block, asked, journal=folder / "journal", say=say)
        self.traffic = [part[3] for part in parts]
        return _joined([(ids, found) for ids, found, _, _ in parts], encoded), parts[0][2]

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        folder = Path(tempfile.mkdtemp(prefix="handful-", dir=self.scratch))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def propagate_block(
    mesh: Mesh, folder: Path, classes: np.ndarray, rule: str, priors: np.ndarray | None, seed: int
) -> tuple[np.ndarray, Propagation, LabelIssues, Traffic]:
    """Return the row numbers that this process holds, their answer, the issues of all given labels, and the traffic."""
    graph = read_block(folder / "graph", mesh, folder / "journal")
    codes = graph.rows.take(np.load(folder / "codes.npy", mmap_mode="r", allow_pickle=False))
    problem = Problem(graph, codes, len(classes), priors)
    found = answer(problem, Labels(classes, codes), rule, seed=seed, progress=lambda words: None)
    issues = find_label_issues(problem, seed=seed)
    traffic = Traffic(mesh.messages, mesh.sent, len(codes), graph.rows.borders)
    return graph.rows.numbers(np.arange(len(codes))), found, issues, traffic


def _joined(parts: list[tuple[np.ndarray, Propagation]], labels: Labels) -> Propagation:
    """Return the answers of all blocks as one."""
    order = np.argsort(np.concatenate([ids for ids, _ in parts]))
    by_row = ("probabilities", "confidence", "reached", "given", "margin")
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for _, part in parts])[order] for name in by_row
    }
    for name in ("labels", "runner_up"):
        arrays[name] = labels.decode(np.concatenate([_codes(getattr(part, name), labels) for _, part in parts])[order])
    return replace(parts[0][1], **arrays)


def _codes(names: np.ndarray, labels: Labels) -> np.ndarray:
    """Return the class numbers [n] of `names` [n], -1 where there is none."""
    known = {name: code for code, name in enumerate(labels.classes.tolist())}
    return np.array([known.get(name, -1) for name in names.tolist()], np.int32)


@contextmanager
def cluster(address: str, *, scratch: str | os.PathLike[str] | None = None) -> Iterator[Machines]:
    """Give the machines of the Ray cluster at `address`, or of `local:N`: N nodes started here, and ended after.

    scratch: a folder that all nodes see under the same name; for nodes started here a temporary one by default.
    Raises InputError for an address that is none, or without scratch for machines elsewhere.
    """
    if not address.startswith("local:"):
        if scratch is None:
            raise InputError(f"the cluster {address!r} needs a folder that all of its machines see: give scratch.")
        ray.init(address=address, log_to_driver=False)
        try:
            yield Machines(scratch)
        finally:
            ray.shutdown()
        return
    with started(_count(address)), tempfile.TemporaryDirectory(prefix="handful-cluster-", dir=scratch) as folder:
        yield Machines(folder)


def _count(address: str) -> int:
    count = address.removeprefix("local:")
    if not count.isdigit() or not 1 <= int(count) <= 64:
        raise InputError(f"cluster {address!r} must be local:N with N from 1 to 64, or the address of a Ray cluster.")
    return int(count)
