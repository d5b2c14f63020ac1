"""run.json: the settings of a run, what each step said, and a checksum of every file that it wrote.

The record is kept with a checksum of its own. A file counts as finished once the record names it; what the record
names and does not match is damaged.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from handful.data.digests import digest
from handful.errors import InputError

NAME = "run.json"


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of a file of JSON. Raises InputError where it is missing or damaged."""
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing.") from error
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(_damaged(path, str(error))) from error
    if not isinstance(found, dict):
        raise InputError(_damaged(path, f"it holds a {type(found).__name__}"))
    return found


def write_json(file: IO[bytes], content: Mapping[str, Any]) -> None:
    """Write JSON to an open file."""
    file.write(json.dumps(content, indent=1, default=_as_json).encode())


def read_record(folder: Path) -> dict[str, Any]:
    """Return the record in `folder`. Raises InputError where it is missing or not as it was written."""
    return check_record(read_json(folder / NAME), folder)


def check_record(found: Any, folder: Path) -> dict[str, Any]:
    """Return a record without its checksum. Raises InputError where it is not as it was written in `folder`."""
    if not isinstance(found, dict):
        raise InputError(_damaged(folder / NAME, "it holds no record"))
    record = dict(found)
    told = record.pop("checksum", None)
    if told is not None and told != _checksum(record):
        raise InputError(_damaged(folder / NAME, "its checksum is not its own"))
    if not _names_files(record.get("files", {})):
        raise InputError(_damaged(folder / NAME, "its files have no checksums"))
    return record


def write_record(file: IO[bytes], record: Mapping[str, Any]) -> None:
    """Write the record to an open file, with its checksum."""
    plain = json.loads(json.dumps(record, default=_as_json))
    write_json(file, {**plain, "checksum": _checksum(plain)})


def _names_files(files: Any) -> bool:
    """Tell whether `files` is a digest and a step, both text, for each name."""
    told = files.values() if isinstance(files, dict) else [None]
    return all(isinstance(one, dict) and {"digest", "step"} <= one.keys() and _are_text(one.values()) for one in told)


def _are_text(values: Iterable[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _checksum(record: Mapping[str, Any]) -> str:
    return digest(json.dumps(record, sort_keys=True).encode())


def _damaged(path: Path, why: str) -> str:
    return (
        f"{path} is damaged ({why}): bring it back from a copy, or delete the run folder and run `handful label` again."
    )


def _as_json(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else str(value)
