"""How data must be read for a pretrained encoder: its own processor says the size, the rate, the length."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from handful.data.remote import local_path
from handful.encoders.local import find_local
from handful.encoders.pretrained_image import image_reading
from handful.encoders.pretrained_sound import sound_reading
from handful.encoders.saving import find_own, own_config
from handful.modalities.reading import READERS, find_modality

_READINGS: dict[str, Callable[[str | Path], Mapping[str, Any]]] = {
    "image": image_reading,
    "video": partial(image_reading, clips=True),
    "audio": sound_reading,
}


def reading_for(encoder: nn.Module | str | os.PathLike[str] | None, modality: str) -> dict[str, Any]:
    """Return the settings of `read` with which data of a kind suits `encoder`; none where it does not say.

    encoder: a network, a folder, a name on the hub, "auto" for what is on this machine, or what `pretrain` made.
    Raises InputError where a folder or a name leads nowhere, or has no processor that says it.
    """
    if encoder is None or isinstance(encoder, nn.Module):
        wanted = getattr(encoder, "reads", {})
    else:
        wanted = _reading_of(encoder, modality)
    return {name: value for name, value in wanted.items() if name in READERS[modality].settings}


def _reading_of(name: str | os.PathLike[str], modality: str) -> Mapping[str, Any]:
    if name == "auto":
        found = find_local(modality)
        if found is None:
            return {}
        name = found.folder
    own = find_own(name)
    if own is not None:
        described: Mapping[str, Any] = own_config(own).get("modality", {})
        return described if described.get("name") == modality else {}
    return _READINGS[modality](str(name)) if modality in _READINGS else {}


def settle_reading(
    source: Any, modality: str | None, encoder: nn.Module | str | os.PathLike[str] | None, reading: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Return the kind of data of `source`, and the settings to read it with: what is given goes before what suits."""
    source = local_path(source) if isinstance(source, str | os.PathLike) else source
    modality = modality or find_modality(source)
    wanted = reading_for(encoder, modality) if modality in READERS else {}
    return modality, {**wanted, **reading}
