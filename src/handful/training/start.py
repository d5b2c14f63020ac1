"""What a training begins with: the kind of data fitted to the data, the network, the method, and words on where the
network comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from handful.data import Dataset
from handful.encoders.local import cache_name, find_local
from handful.encoders.wrapped import Wrapped
from handful.errors import InputError, check_choice
from handful.methods import METHODS
from handful.modalities.contract import Modality
from handful.modalities.registry import make_modality


@dataclass(frozen=True)
class Start:
    """modality: fitted to the data; network: what was given or named, None for the default; method: by name.

    told: where a pretrained network comes from, in words; empty where there is none.
    """

    modality: Modality
    network: nn.Module | None
    method: str
    told: str = ""

    @property
    def adapts(self) -> bool:
        """Whether a training goes on from weights that were learnt elsewhere."""
        return self.network is not None and bool(self.told) and not hasattr(self.network, "trained_by")


def settle(
    data: Dataset,
    method: str,
    encoder: nn.Module | str | Path | None,
    *,
    epochs: int | None = None,
    pooling: str = "auto",
    views: Mapping[str, Any] | None = None,
    seed: int = 0,
    say: Callable[[str], None] = lambda words: None,
) -> Start:
    """Return what the training of `method` on `data` begins with.

    encoder: a network, a folder, a name on the hub, or "auto" for what is on this machine; a pretrained one is taken as
    it is (method "pretrained", beside the untrained ones that its kind of data names) unless a method or epochs are
    given.
    Raises InputError where it cannot be loaded, or does not read this kind of data.
    """
    modality = make_modality(data.modality, data.settings, views)
    told = ""
    if isinstance(encoder, str | Path):
        modality, encoder, told = _load(modality, encoder, pooling, say)
    elif pooling != "auto":
        raise InputError(
            f"pooling={pooling!r} is for a pretrained encoder that is named: give encoder=, or leave it away."
        )
    elif isinstance(encoder, Wrapped):
        told = f"a {encoder.kind} of your own"
    own = getattr(encoder, "trained_by", None)
    if encoder is not None and told and method == "auto" and (own or not epochs):
        method = own or "+".join([*getattr(modality, "beside", ()), "pretrained"])
    if hasattr(modality, "adapt"):
        modality = modality.adapt(data.samples, seed=seed)
    return Start(modality, encoder, method, told)


def _load(
    modality: Modality, name: str | Path, pooling: str, say: Callable[[str], None]
) -> tuple[Modality, nn.Module | None, str]:
    if not hasattr(modality, "load_encoder"):
        if name == "auto":
            return modality, None, f"there are no pretrained encoders of {modality.name} data"
        raise InputError(
            f"encoder={str(name)!r}: no pretrained {modality.name} encoders are read by name; give an nn.Module that "
            "maps a batch to `Encoded`."
        )
    told = str(name)
    if name == "auto":
        found = find_local(modality.name)
        if found is None:
            told = f"no pretrained {modality.name} encoder is in {cache_name()}, and none is fetched unless it is named"
            say(told)
            return modality, None, told
        name, told = found.folder, found.in_words()
    say(f"loading {told}")
    modality, network = modality.load_encoder(name, pooling=pooling)
    pooled = getattr(network, "pooling", None)
    return modality, network, f"{told} (pooling: {pooled})" if pooled else told


def plan(start: Start) -> list[str]:
    """Return the names of the networks that a training sets side by side, the trained one last.

    The method: "auto", "untrained", or names joined by "+", at most one of them of a network ("gradients+pretrained").
    An encoder that was trained elsewhere stays beside what a method makes of it: each errs where the other does not.
    Raises InputError for a name that is not known, or two networks.
    """
    method, modality, given = start.method, start.modality, start.network is not None
    floors = list(modality.floors())
    if method == "auto":
        names = list(getattr(modality, "auto", [*floors, "simclr"]))
        if not start.adapts:
            return names
        trained = [name for name in names if name in METHODS] or ["simclr"]
        return [*(name for name in names if name in floors), "pretrained", *trained]
    if method == "untrained":
        return list(getattr(modality, "untrained", floors))
    names = list(dict.fromkeys(method.split("+")))
    known = [*floors, *METHODS, "random", *(["pretrained"] if given else [])]
    for name in names:
        if name == "pretrained" and not given:
            raise InputError("method='pretrained' needs a pretrained encoder: give encoder=, a folder or a name.")
        check_choice("method", name, known if len(names) > 1 else ["auto", "untrained", *known])
    beside = ["pretrained"] if start.adapts and any(name in METHODS for name in names) else []
    networks = [name for name in names if name not in floors and name not in beside]
    if len(networks) > 1:
        raise InputError(f"method={method!r} names the networks {', '.join(networks)}: at most one can be among them.")
    return [*(name for name in names if name in floors), *beside, *networks]


def told_name(encoder: Any) -> str | None:
    """Return what tells an encoder that was asked for from another, None for none."""
    if encoder is None or isinstance(encoder, str | Path):
        return None if encoder is None else str(encoder)
    return encoder.identity if isinstance(encoder, Wrapped) else type(encoder).__name__
