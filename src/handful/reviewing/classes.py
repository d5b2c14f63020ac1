"""The classes of a review: those of the run, and those that people named since. A class keeps its number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from handful.data.labels import is_unlabelled
from handful.errors import InputError, quoted

LONGEST = 200  # letters
MOST = 32_000  # classes: their numbers travel as 16 bits


class Classes:
    """Names by number. names: strings, or whole numbers where the run's classes are."""

    def __init__(self, names: Iterable[Any]) -> None:
        self.names: list[Any] = []
        self._codes: dict[str, int] = {}
        for name in names:
            self.add(name)

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: Any) -> bool:
        return str(name) in self._codes

    def add(self, name: Any) -> int:
        """Return the number of a class, which is new or known. Raises InputError for what cannot be a class."""
        if name in self:
            return self._codes[str(name)]
        self.names.append(self.check(name))
        self._codes[str(name)] = len(self.names) - 1
        return len(self.names) - 1

    def code(self, name: Any) -> int:
        """Return the number of a known class. Raises InputError where it is none."""
        if name not in self:
            raise InputError(f"{quoted(name)} is no class of this run: name it first.")
        return self._codes[str(name)]

    def check(self, name: Any) -> Any:
        """Return a name as this run's classes are written. Raises InputError for what cannot be a class."""
        if isinstance(name, bool) or not isinstance(name, str | int) or is_unlabelled(name):
            raise InputError(f"a class needs a name, got {quoted(name)}.")
        if len(str(name)) > LONGEST:
            raise InputError(f"a class name has at most {LONGEST} letters, got {len(str(name))}: choose a shorter one.")
        if isinstance(name, str) and any(ord(letter) < 32 or ord(letter) == 127 for letter in name):
            raise InputError(f"a class name is one line of visible letters, got {quoted(name)}.")
        if len(self) >= MOST:
            raise InputError(f"there are {MOST} classes already: no more can be told apart here.")
        if self.names and isinstance(self.names[0], int):
            try:
                return int(name)
            except ValueError:
                raise InputError(
                    f"the classes of this run are whole numbers, got {quoted(name)}: give a number."
                ) from None
        return str(name).strip()
