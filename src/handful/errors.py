"""The one error that bad input raises, and the few checks that several rooms share."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable


class InputError(ValueError):
    """Input that cannot be used, told in one sentence: the value, the rule, what was got and what to do."""


class WriteError(OSError):
    """A file that the disk did not take, told in one sentence: which, why, and what to do."""

    def __init__(self, path: str | os.PathLike[str], error: OSError) -> None:
        super().__init__(error.errno, error.strerror or str(error) or "unknown error", os.fspath(path))

    def __str__(self) -> str:
        return (
            f"{self.filename} cannot be written ({self.strerror}): make room or choose another folder and run the same "
            "command again; what was there before is as it was."
        )


def quoted(value: object) -> str:
    """Return a value as Python writes it, cut in its middle where it is long: a damaged file can hold anything."""
    written = repr(value)
    return written if len(written) <= 120 else f"{written[:80]}...{written[-20:]}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the known word nearest to `word`, or "" where none is near."""
    near = difflib.get_close_matches(str(word), [str(k) for k in known], n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else ""


def check_choice(name: str, value: str, allowed: Iterable[str]) -> None:
    """Raise InputError unless `value` is one of `allowed`."""
    allowed = list(allowed)
    if value not in allowed:
        choices = ", ".join(repr(a) for a in allowed)
        raise InputError(f"{name}={value!r} is not known: choose one of {choices}.{did_you_mean(value, allowed)}")


def check_at_least(name: str, value: float, least: float) -> None:
    """Raise InputError unless `value` is a number of at least `least`."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not value >= least:
        raise InputError(f"{name} must be a number of at least {least}, got {value!r}.")
