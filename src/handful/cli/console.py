"""What every command shares: words and progress on stderr, data on stdout."""

from __future__ import annotations

import json
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handful.errors import InputError

if TYPE_CHECKING:
    from handful.training.loop import Beat
    from handful.training.pretrain import Watch

Labels = Annotated[
    str | None,
    typer.Option(
        "--labels",
        help="CSV or Parquet with id,label; 'folders': class sub-folders; 'source': what the source carries.",
    ),
]
Truth = Annotated[str | None, typer.Option("--truth", help="The right labels, in any form --labels takes.")]
Out = Annotated[str, typer.Option("--out", help="The run folder; the same command again goes on where it stopped.")]
Method = Annotated[
    str,
    typer.Option(help="How to learn: auto, simclr, untrained, pca, gradients, ...; several: gradients+pretrained."),
]
Modality = Annotated[
    str | None, typer.Option(help="The kind of data: image, text, audio, series, table, video; found if not given.")
]
Encoder = Annotated[
    str | None,
    typer.Option(
        help="A pretrained encoder: a folder, a name on the Hugging Face hub, or 'auto': one on this machine."
    ),
]
Pooling = Annotated[str, typer.Option(help="How it makes one vector of a sample: auto, cls, mean, pooler, ...")]
Epochs = Annotated[int | None, typer.Option(help="Passes over the data; found from its size if not given.")]
BatchSize = Annotated[int | None, typer.Option(help="Samples a step.")]
LearningRate = Annotated[float | None, typer.Option(help="The highest learning rate.")]
Patience = Annotated[
    int | None, typer.Option(help="End early once the neighbours have not got better for so many epochs.")
]
Cluster = Annotated[
    str | None,
    typer.Option(help="Embed, link and label on a Ray cluster: its address, or local:N for N nodes on this machine."),
]
Trackers = Annotated[
    list[str] | None, typer.Option("--tracker", help="Also write the figures to tensorboard, wandb, mlflow, ...")
]
Precision = Annotated[str, typer.Option(help="auto, no (full), bf16 or fp16.")]
Crop = Annotated[float | None, typer.Option(help="Image views: the smallest share of the area that a crop keeps.")]
Flip = Annotated[bool | None, typer.Option("--flip/--no-flip", help="Image views: mirrored or not.")]
Rule = Annotated[str, typer.Option(help="How labels spread: auto, spreading, laplace, poisson, pwll, ...")]
Priors = Annotated[str | None, typer.Option(help='Share of each class as JSON, such as \'{"cat": 0.7, "dog": 0.3}\'.')]
Neighbors = Annotated[int, typer.Option("--n-neighbors", help="Neighbours of each item in the graph.")]
Abstain = Annotated[float | None, typer.Option(help="Leave labels below this confidence empty, for people.")]
Seed = Annotated[int, typer.Option(help="The seed of everything that is drawn.")]
Strict = Annotated[bool, typer.Option("--strict", help="Stop at the first file that cannot be decoded.")]
Size = Annotated[int | None, typer.Option(help="Images and videos: pixels of a side; found from the images, or 64.")]
Window = Annotated[
    float | None, typer.Option(help="Cut sounds (seconds) and series (steps) into windows of this length.")
]
Stride = Annotated[float | None, typer.Option(help="How far apart windows begin; one after the other if not given.")]
Columns = Annotated[str | None, typer.Option(help="Tables: kinds of columns: 'shop=category,card=ignore'.")]
LabelColumn = Annotated[str | None, typer.Option(help="The column that holds the labels.")]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON, for machines.")]


def say(words: str) -> None:
    """Print words for people on stderr."""
    print(words, file=sys.stderr, flush=True)  # noqa: T201


def put(answer: Any) -> None:
    """Print data on stdout: text as it is, anything else as JSON."""
    print(answer if isinstance(answer, str) else json.dumps(answer, indent=1), flush=True)  # noqa: T201


def given(**options: Any) -> dict[str, Any]:
    """Return the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def parse_priors(text: str | None) -> dict[Any, float] | None:
    """Return the priors written as JSON. Raises InputError where they are not an object of numbers."""
    from handful.errors import InputError

    if text is None:
        return None
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f'--priors {text!r} is not JSON ({error}): write {{"class": share, ...}}.') from error
    if not isinstance(found, dict):
        raise InputError(f'--priors {text!r} is not an object: write {{"class": share, ...}}.')
    return found


def parse_columns(text: str | None) -> dict[str, str] | None:
    """Return kinds by column. Raises InputError where they are not written as name=kind."""
    from handful.errors import InputError

    if text is None:
        return None
    pairs = [part.rpartition("=") for part in text.split(",")]
    if not all(name.strip() and kind.strip() for name, _, kind in pairs):
        raise InputError(f"--columns {text!r} is not a list of name=kind, such as 'shop=category,card=ignore'.")
    return {name.strip(): kind.strip() for name, _, kind in pairs}


def machines_at(cluster: str | None, out: str) -> AbstractContextManager[Any]:
    """Return what gives the machines of `cluster`, None without one; what they share lies beside the run folder `out`.

    Raises InputError where Ray is not installed.
    """
    if cluster is None:
        return nullcontext()
    if find_spec("ray") is None:
        raise InputError("--cluster needs Ray, which is not installed: pip install 'handful[cluster]'.")
    from handful.cluster import cluster as machines
    from handful.data.remote import is_remote

    return machines(cluster, scratch=None if is_remote(out) else Path(out).resolve().parent)


def watch(trackers: list[str] | None = None) -> Watch:
    """Return a watch that tells on stderr how far it is, at most once a second on a terminal, by epochs elsewhere.

    trackers: what else the figures of the training go to.
    """
    from handful.training.pretrain import Watch

    teller = _Teller(sys.stderr.isatty())
    return Watch(stage=say, step=teller.step, epoch=teller.epoch, rows=teller.rows, trackers=tuple(trackers or ()))


class _Teller:
    def __init__(self, live: bool) -> None:
        self._live, self._last, self._epochs = live, 0.0, 1

    def _overwrite(self, words: str, last: bool) -> None:
        if self._live and (last or time.monotonic() - self._last > 1):
            self._last = time.monotonic()
            print(f"\r{words}\033[K", end="\n" if last else "", file=sys.stderr, flush=True)  # noqa: T201

    def step(self, beat: Beat) -> None:
        self._epochs = beat.epochs
        self._overwrite(
            f"  epoch {beat.epoch}/{beat.epochs}, step {beat.step}/{beat.steps}: loss {beat.loss:.3f}, "
            f"{beat.samples_per_second:.0f} samples/s, {_minutes(beat.seconds_left)} left",
            last=False,
        )

    def epoch(self, line: dict[str, Any]) -> None:
        """Tell one epoch in ten, and the last: a person reads ten lines, not a hundred."""
        if line["epoch"] % max(self._epochs // 10, 1) and line["epoch"] != self._epochs:
            return
        if self._live:
            print("\r\033[K", end="", file=sys.stderr)  # noqa: T201
        say(f"  epoch {line['epoch']}: loss {line['loss']:.3f}; {line['verdict']}")

    def rows(self, done: int, total: int) -> None:
        self._overwrite(f"  {done} of {total}", last=done == total)


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
