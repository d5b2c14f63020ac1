"""One process at a time in a run folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from handful.errors import InputError
from handful.files import writes_to

LOCK = ".lock"


@contextmanager
def held(folder: Path, name: str) -> Iterator[None]:
    """Hold a folder for this process. Raises InputError where another holds it; a dead one's hold is gone.

    name: what the folder is called in that message.
    """
    import fcntl

    with ExitStack() as stack:
        with writes_to(folder / LOCK):
            file = stack.enter_context((folder / LOCK).open("w"))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(f"{name} is in use by another run: wait for it or choose another folder.") from error
        yield
