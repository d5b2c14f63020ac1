"""The guide: what the data says, the families ranked for it with reasons, and, if asked for, short trials."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from handful.data import Dataset, encode_labels
from handful.errors import InputError, check_choice
from handful.guide.families import GOALS, TELLS_APART, FamilyAdvice, rank_families
from handful.guide.signs import Signs, read_signs
from handful.guide.trials import USUAL, Trial, run_trials
from handful.methods import FAMILIES, METHODS
from handful.modalities import read
from handful.modalities.contract import Modality
from handful.modalities.registry import make_modality
from handful.run.path import started

FEWEST = 8


@dataclass(frozen=True)
class Advice:
    """What was found and what is advised.

    signs: of the data; goal: what was asked for; families: all four, the best first; trials: of the candidates, the
    best first, None where none were asked for; method: what to give as `method`; because: why, in one sentence.
    """

    signs: Signs
    goal: str
    families: list[FamilyAdvice]
    method: str
    because: str
    trials: list[Trial] | None = None

    @property
    def family(self) -> str:
        """The family advised."""
        return self.families[0].family

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"family": self.family, "method": self.method, "because": self.because, **asdict(self)}

    def in_words(self) -> str:
        """Return the whole advice as text."""
        lines = ["What the data says (nothing was trained):", *(f"  {line}" for line in self.signs.in_words())]
        lines += ["", f"The families for the goal {self.goal!r}, the best first:"]
        for place, one in enumerate(self.families, 1):
            refused = "" if one.possible else " (refused)"
            lines += [f"  {place}. {one.family}, method {one.method}{refused}: {one.idea}"]
            lines += [f"     used when {one.used_when}"]
            lines += [f"     + {why}" for why in one.preferred_because]
            lines += [f"     - {why}" for why in one.not_recommended_because]
        if self.trials is not None:
            lines += ["", *trials_in_words(self.trials)]
        start = f"Start with method {self.method}: {self.because}."
        return "\n".join([*lines, "", f"Advised family: {self.family}. {start}"])


def advise(
    data: Any,
    labels: Any = None,
    measure: float | None = None,
    *,
    goal: str = "labels",
    seed: int = 0,
    out: str | os.PathLike[str] | None = None,
    progress: Callable[[str], None] | None = None,
    **reading: Any,
) -> Advice:
    """Return which family of self-supervised learning suits `data`, why, and why not the others.

    data: a Dataset, or what `read` takes; labels: what `read` takes. goal: what the representation is for: labels,
    search, predict, fill, denoise, anomalies or generate.
    measure: minutes for short trial runs of every family's method and of what needs no training; None for none.
    out: a run folder to write advice.json to; `pretrain` and `label` into the same folder then take the advised method
    where theirs is "auto". reading: further settings of `read`.
    Raises InputError for a goal that is not known, a `measure` that is not above 0, or fewer than 8 items.
    """
    check_choice("goal", goal, GOALS)
    if measure is not None and (not isinstance(measure, int | float) or isinstance(measure, bool) or not measure > 0):
        raise InputError(f"measure must be minutes above 0, got {measure!r}: such as 2 for trial runs of two minutes.")
    source, data = data, _dataset(data, labels, reading)
    if len(data) < FEWEST:
        raise InputError(f"{data.source or 'the data'} has {len(data)} items: at least {FEWEST} are needed for advice.")
    if out is None:
        return _advise(data, measure, goal, seed, progress)
    given = {"modality": data.modality, **{name: value for name, value in reading.items() if value is not None}}
    with started(data, out, source=source, labels=labels, reading=given) as run:
        found = _advise(data, measure, goal, seed, progress)
        run.write_data(data)
        run.write_json("advice.json", found.as_dict(), step="advise")
    return found


def _advise(
    data: Dataset, measure: float | None, goal: str, seed: int, progress: Callable[[str], None] | None
) -> Advice:
    signs = read_signs(data, seed=seed)
    families = rank_families(signs, goal)
    modality = _fitted(data, seed)
    if measure is None:
        return Advice(signs, goal, families, *_start(modality, families[0], goal))
    candidates = [*modality.floors(), *(one.method for one in families if one.possible)]
    candidates += ["auto"] if goal in TELLS_APART and signs.fewest >= 2 else []  # its parts would agree with it
    trials = run_trials(data, candidates, seconds=60 * measure, seed=seed, progress=progress)
    best = trials[0]
    led = sorted(families, key=lambda one: best.method not in FAMILIES[one.family])
    return Advice(signs, goal, led, best.method, _measured_because(best), trials)


def _dataset(data: Any, labels: Any, reading: dict[str, Any]) -> Dataset:
    if not isinstance(data, Dataset):
        return read(data, labels, **reading)
    return data if labels is None else data.with_labels(encode_labels(labels))


def _fitted(data: Dataset, seed: int) -> Modality:
    modality = make_modality(data.modality, data.settings)
    return modality.adapt(data.samples, seed=seed) if hasattr(modality, "adapt") else modality


def _start(modality: Modality, best: FamilyAdvice, goal: str) -> tuple[str, str]:
    """Return the method to start with, and why."""
    reasons = "; ".join(best.preferred_because) or "least speaks against it"
    if goal not in TELLS_APART:
        return best.method, reasons
    parts = getattr(modality, "auto", (*modality.floors(), best.method))
    if any(name in METHODS for name in parts):
        return "auto", f"it sets {', '.join(parts)} side by side, and what errs differently makes the better graph"
    floors = f"{', '.join(parts)}, which needs no training"
    return "auto", f"on this kind of data it takes {floors}: measure {best.method} beside it before relying on it"


def _measured_because(best: Trial) -> str:
    if best.right is not None and best.method == USUAL:
        return f"in the trials it found {best.right:.0%} of the given labels again; none was ahead by more than chance"
    if best.right is not None:
        return f"in the trials it found {best.right:.0%} of the given labels again, more than the others"
    return f"in the trials its neighbours agree most with those of the others ({best.agreement or 0:.0%})"


def trials_in_words(trials: list[Trial]) -> list[str]:
    """Return the trials as a table."""
    lines = [f"{'trial':>14} {'epochs':>7} {'seconds':>8} {'rank':>6} {'agreement':>10} {'labels found':>13}"]
    for one in trials:
        if one.failed is not None:
            lines.append(f"{one.method:>14} {one.failed}")
            continue
        agreed = "" if one.agreement is None else f"{one.agreement:.1%}"
        right = "" if one.right is None else f"{one.right:.1%}"
        lines.append(
            f"{one.method:>14} {one.epochs:7d} {one.seconds:8.1f} {one.rank or 0:6.1f} {agreed:>10} {right:>13}"
        )
    return lines
