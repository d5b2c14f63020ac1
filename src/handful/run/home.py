"""A run folder on another file system: handful works on a copy in the cache and brings back what each command made.

run.json goes last, and its checksums say what is whole. Two machines on one run folder are told apart by it: what
another wrote meanwhile is never written over.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handful.data.cache import cache_folder, written_whole
from handful.data.digests import digest
from handful.data.remote import Place, check_inside, hidden
from handful.errors import InputError
from handful.run.hold import held
from handful.run.record import NAME, check_record

SEEN, UNDER_WAY = "seen.json", "under-way"
Files = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Home:
    """Where a run folder on another file system lies. folder: its copy here."""

    place: Place
    folder: Path

    @classmethod
    def find(cls, address: str) -> Home:
        """Return the home at an address. Raises InputError where there is no such file system."""
        place = Place.find(address)
        return cls(place, cache_folder() / "runs" / digest(address.encode()) / place.name)

    @property
    def name(self) -> str:
        """The address as people may see it."""
        return hidden(self.place.address)

    @property
    def is_claimed(self) -> bool:
        """Tell whether this copy was ever brought there, or came from there."""
        return self._seen is not None

    def fetch(self) -> None:
        """Bring the copy up to date. What a killed command made here and did not bring back yet is kept.

        Raises InputError where another command works on the copy, or what lies there is damaged.
        """
        there = self.place.read(NAME)
        if there == self._seen:
            return
        if there is None:  # deleted there
            shutil.rmtree(self.folder.parent)
            return
        wanted: Files = check_record(json_or_nothing(there), Path(self.name)).get("files", {})
        for name in wanted:
            check_inside(name, self.place.address)
        self.folder.mkdir(parents=True, exist_ok=True)
        with held(self.folder, self.name):
            here = self.folder / NAME
            known = _files(here.read_bytes() if here.is_file() else None)
            for name in _changed(known, wanted):
                self._fetch_file(name)
            for name in known.keys() - wanted.keys():
                (self.folder / name).unlink(missing_ok=True)
            self._note(here, there)
            self._note(self.folder.parent / SEEN, there)

    def bring(self) -> None:
        """Bring back what has changed here, run.json last.

        Raises InputError where another machine changed the run folder meanwhile, WriteError where it takes no more.
        """
        there, here = self.place.read(NAME), (self.folder / NAME).read_bytes()
        if there != self._seen:
            raise InputError(
                f"{self.name} was changed by another run while this one worked: run the same command again."
            )
        if here == there:
            return
        known, wanted = _files(there), _files(here)
        under_way = self.folder.parent / UNDER_WAY
        for name in wanted if under_way.exists() else _changed(known, wanted):
            under_way.touch()
            self.place.put(name, self.folder / name)
        self.place.put(NAME, here)
        self._note(self.folder.parent / SEEN, here)
        under_way.unlink(missing_ok=True)
        for name in known.keys() - wanted.keys():
            self.place.remove(name)

    def forsake(self) -> None:
        """Delete run.json there and the copy here, of a run that came to nothing."""
        self.place.remove(NAME)
        shutil.rmtree(self.folder.parent)

    @property
    def _seen(self) -> bytes | None:
        """run.json as it was there when the copy was last the same."""
        path = self.folder.parent / SEEN
        return path.read_bytes() if path.is_file() else None

    def _fetch_file(self, name: str) -> None:
        try:
            self.place.fetch(f"{self.place.path}/{name}", self.folder / name)
        except FileNotFoundError:
            # As where a file was deleted here: the step that made it is named when it is asked for.
            (self.folder / name).unlink(missing_ok=True)

    def _note(self, path: Path, content: bytes) -> None:
        with written_whole(path) as file:
            file.write(content)


def json_or_nothing(content: bytes) -> Any:
    """Return what JSON says, None where it is none."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _files(record: bytes | None) -> Files:
    found = None if record is None else json_or_nothing(record)
    return found.get("files", {}) if isinstance(found, dict) else {}


def _changed(known: Files, wanted: Files) -> list[str]:
    """Return the names of `wanted` whose checksums are not those of `known`."""
    return [name for name, told in wanted.items() if known.get(name, {}).get("digest") != told["digest"]]
