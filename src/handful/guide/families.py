"""The four families as criteria: what each is, when it is used, and which signs speak for or against it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from handful.guide.signs import KEPT, Signs
from handful.methods import FAMILIES

GOALS = ("labels", "search", "predict", "fill", "denoise", "anomalies", "generate")
"""What the representation is wanted for; labels and search tell things apart, the others ask for values."""

FEW_ITEMS = 1000
FEW_PARTS = 8
TOLD = 0.2  # of what varies: below it the rest of a sample says little that is of use
PLAIN = 0.95  # above it there is nothing left to learn
IN_TIME = ("time", "frames", "words")
TELLS_APART = ("labels", "search")


@dataclass(frozen=True)
class Reason:
    """One reason in words, and what it weighs: above 0 for the family, below 0 against it."""

    words: str
    weight: int


@dataclass(frozen=True)
class FamilyAdvice:
    """What is to be said of one family for one data set.

    idea, used_when: of the family, whatever the data. possible: False where the method would be refused.
    method: the one of its methods that suits the goal. points: the sum of the weights of the reasons.
    """

    family: str
    idea: str
    used_when: str
    method: str
    possible: bool
    points: int
    preferred_because: list[str] = field(default_factory=list)
    not_recommended_because: list[str] = field(default_factory=list)


_IDEAS = {
    "contrastive": (
        "another view of the same sample is the target",
        "the question is which samples are alike: classification from few labels, search, recommendation",
    ),
    "masked": (
        "the parts that were hidden are the target",
        "samples have much internal context: words of a text, patches of a photo, columns that depend on each other",
    ),
    "predictive": (
        "what comes next is the target",
        "samples run in time and the future is wanted: sound, sensors, video, text",
    ),
    "autoencoding": (
        "the sample itself is the target, through a narrow place or from a spoilt copy",
        "samples are to be cleaned, compressed, made anew, or judged by how badly they are rebuilt",
    ),
}


def rank_families(signs: Signs, goal: str = "labels") -> list[FamilyAdvice]:
    """Return the four families for data with these signs, the one that suits best first; impossible ones last."""
    advised = [_advise(family, signs, goal) for family in FAMILIES]
    return sorted(advised, key=lambda one: (not one.possible, -one.points))


def _advise(family: str, signs: Signs, goal: str) -> FamilyAdvice:
    reasons = _REASONS[family](signs, goal)
    idea, used_when = _IDEAS[family]
    return FamilyAdvice(
        family,
        idea,
        used_when,
        _method(family, signs, goal),
        possible=family != "predictive" or signs.order is not None,
        points=sum(reason.weight for reason in reasons),
        preferred_because=[reason.words for reason in reasons if reason.weight > 0],
        not_recommended_because=[reason.words for reason in reasons if reason.weight < 0],
    )


def _method(family: str, signs: Signs, goal: str) -> str:
    """Return the method of a family that suits the goal."""
    by_goal = {
        "contrastive": {},
        "masked": {},
        "predictive": {"labels": "cpc", "search": "cpc"},
        "autoencoding": {"denoise": "denoising", "generate": "vae", "anomalies": "autoencoder"},
    }[family]
    usual = {"contrastive": "simclr", "masked": "masked", "predictive": "forecast", "autoencoding": "autoencoder"}
    return by_goal.get(goal, usual[family])


def _contrastive(signs: Signs, goal: str) -> list[Reason]:
    chance = 1 / max(signs.looked_at, 1)
    found = [
        Reason("telling apart is the goal, and that is what it learns", 3)
        if goal in TELLS_APART
        else Reason(f"the goal {goal!r} asks for values, and its vectors cannot be turned back into any", -3)
    ]
    if signs.modality == "table":
        found.append(
            Reason("there is no clear notion of similar rows: which change leaves a row the same is a guess", -3)
        )
    elif signs.found < 5 * chance:
        found.append(
            Reason(f"views lose their sample: {signs.found:.0%} are still nearest to it; use milder views", -2)
        )
    elif signs.kept >= 0.2:
        found.append(Reason(f"views leave neighbours alike: {signs.kept:.0%} of them are kept", 1))
    if signs.items < FEW_ITEMS:
        found.append(Reason(f"little data: {signs.items} items are few to be told apart", -1))
    return found


def _masked(signs: Signs, goal: str) -> list[Reason]:
    found = [Reason("filling gaps is what it learns", 3)] if goal == "fill" else []
    if signs.hidden is None or signs.hidden < TOLD / (4 if signs.modality == "text" else 1):
        share = f": {signs.hidden:.0%} of a hidden part is told by the rest" if signs.hidden is not None else ""
        found.append(Reason(f"there is hardly any internal context{share}, by a linear guess", -2))
    elif signs.hidden > PLAIN:
        found.append(Reason(f"hidden parts are told plainly ({signs.hidden:.0%}): hide more, or little is learnt", -1))
    else:
        found.append(Reason(f"there is internal context: {signs.hidden:.0%} of a hidden part is told by the rest", 2))
    if signs.parts < FEW_PARTS:
        found.append(Reason(f"samples are small to mask: {signs.parts} parts", -1))
    if signs.items < FEW_ITEMS:
        found.append(Reason(f"little data: {signs.items} items for a transformer", -1))
    if goal in TELLS_APART and signs.modality != "text":
        found.append(
            Reason("used for telling apart without further training its vectors come after contrastive ones", -1)
        )
    return found


def _predictive(signs: Signs, goal: str) -> list[Reason]:
    if signs.order is None:
        return [Reason("the parts have no order, so nothing comes next", -9)]
    found = [Reason("what comes next is the goal, and that is what it learns", 4)] if goal == "predict" else []
    if signs.order not in IN_TIME:
        found.append(Reason(f"the only order is made up ({signs.order}): nothing moves in time", -2))
    if signs.next is None:
        found.append(Reason("samples are too short for something to come next", -2))
        return found
    told = f"{signs.next:.0%} of the next part is told by the two before it"
    if signs.next < TOLD / (4 if signs.modality == "text" else 1):
        found.append(Reason(f"the next step can hardly be told from the last: {told}", -2))
    elif signs.copied is not None and signs.copied > PLAIN:
        found.append(Reason(f"the next step is nearly a copy of the last ({signs.copied:.0%}): look further ahead", -1))
    else:
        found.append(Reason(f"the next step can be told from the last: {told}", 2))
    if signs.far is not None and signs.next >= TOLD and signs.far < TOLD:
        found.append(Reason(f"long range is out of reach: {signs.far:.0%} of what comes four steps on is told", -1))
    if goal == "generate":
        found.append(Reason("it makes samples part by part: where latency counts that is slow", -1))
    if goal in ("denoise", "fill"):
        found.append(Reason(f"the goal {goal!r} may look at both sides of a gap, it looks at one", -1))
    return found


def _autoencoding(signs: Signs, goal: str) -> list[Reason]:
    found = []
    if goal in ("denoise", "anomalies", "generate"):
        found.append(Reason(f"the goal {goal!r} needs samples given back, and that is what it learns", 4))
    elif goal in TELLS_APART:
        found.append(Reason("it keeps what varies most, which need not be what tells classes apart", -1))
    kept = f"{signs.kept_by_16:.0%} of what varies is kept by a linear autoencoder of {KEPT} numbers"
    if signs.kept_by_16 > PLAIN:
        found.append(Reason(f"{kept}: principal components (method 'pca') do that without training", -1))
    elif signs.kept_by_16 >= 0.5:
        found.append(Reason(f"samples can be compressed: {kept}", 2))
    else:
        found.append(Reason(f"samples are hard to compress: {kept}", 0))
    if signs.items < FEW_ITEMS:
        found.append(Reason(f"little data: it needs no other samples and no views, {signs.items} items will do", 1))
    return found


_REASONS: dict[str, Callable[[Signs, str], list[Reason]]] = {
    "contrastive": _contrastive,
    "masked": _masked,
    "predictive": _predictive,
    "autoencoding": _autoencoding,
}
