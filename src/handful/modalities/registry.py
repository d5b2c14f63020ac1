"""Every kind of data by name, each loaded when it is first asked for."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

from handful.errors import InputError, check_choice, did_you_mean
from handful.modalities.contract import Modality

_HOME = {
    "image": "image:Image",
    "text": "text:Text",
    "audio": "audio:Audio",
    "series": "series:Series",
    "table": "table:Table",
    "video": "video:Video",
}


def make_modality(
    name: str,
    settings: Mapping[str, Any],
    views: Mapping[str, Any] | None = None,
    *,
    assets: Mapping[str, str] | None = None,
) -> Modality:
    """Return the kind of data called `name`.

    settings: how the data was read; what only concerns reading is passed over. views: settings of the random views.
    assets: the content of files that it was saved with, by name.
    Raises InputError for a name, or a setting of the views, that is not known.
    """
    check_choice("modality", name, _HOME)
    module, kind = _HOME[name].split(":")
    made = getattr(importlib.import_module(f"handful.modalities.{module}"), kind)
    known = set(inspect.signature(made).parameters)
    for setting in views or {}:
        if setting not in known:
            raise InputError(
                f"{setting!r} is not a setting of {name} views: there are {', '.join(sorted(known))}."
                f"{did_you_mean(setting, known)}"
            )
    kept = {key: value for key, value in settings.items() if key in known and key not in (views or {})}
    return made(**kept, **(views or {}), **({"assets": assets} if assets else {}))
