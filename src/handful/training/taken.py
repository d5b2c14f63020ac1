"""An encoder that was trained here before, on these items or on others, taken as it is."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from handful.data import Dataset
from handful.encoders.saving import find_own
from handful.errors import InputError
from handful.training.encoder import Encoder


def own_encoder(given: Any) -> tuple[Encoder, str] | None:
    """Return the encoder that is `given`, or that lies in the folder or the run folder of this name, with where it is
    from in words; None where it is none that `pretrain` made.
    """
    if isinstance(given, Encoder):
        return given, "an encoder that was given"
    folder = find_own(given) if isinstance(given, str | Path) else None
    return None if folder is None else (Encoder.from_pretrained(folder), str(given))


def take(own: Encoder, told: str, data: Dataset, asked: Mapping[str, Any]) -> Encoder:
    """Return `own` as it is for `data`, with a record that says so.

    asked: what was asked for, by name: of a training it must not be, there is none.
    Raises InputError where it is, or where the encoder reads other data.
    """
    own.check_reads(data)
    for name, value in asked.items():
        if value not in (None, "auto", "pretrained"):
            raise InputError(
                f"{name}={value!r} is for a training, and {told}, which handful made, is taken as it is: leave it "
                "away, or leave the encoder away to train one on these items."
            )
    identity = {"data": data.fingerprint, "encoder": told, "trained": own.record.get("identity")}
    taken = copy.copy(own).eval()
    taken.record = {"identity": identity, "seconds": 0.0, "history": [], "verdict": f"taken as it is: {told}"}
    taken.record["encoder"] = told
    return taken
