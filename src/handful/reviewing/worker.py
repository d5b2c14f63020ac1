"""The thread that does the heavy work, so that requests stay fast."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from handful.reviewing.contents import Contents
from handful.reviewing.desk import Desk

log = logging.getLogger(__name__)


class Worker:
    """Renews the answer when it is asked to; several wishes while it works become one.

    tell: called with {"busy": bool} when it starts and ends.
    """

    def __init__(self, desk: Desk, contents: Contents, *, tell: Callable[[str, Any], None]) -> None:
        self._desk, self._tell = desk, tell
        self._wanted = threading.Event()
        self._ending = False
        self.busy = True
        self._threads = [
            threading.Thread(target=self._work, name="handful-answer", daemon=True),
            threading.Thread(target=contents.load, name="handful-items", daemon=True),
        ]

    def start(self) -> None:
        """Begin: read the items, make the first answer."""
        self._wanted.set()
        for thread in self._threads:
            thread.start()

    def renew(self) -> None:
        """Ask for the answer to follow the decisions."""
        self._wanted.set()

    def stop(self) -> None:
        """End when the present piece of work is done."""
        self._ending = True
        self._wanted.set()
        self._threads[0].join(60)

    def _work(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._ending:
                return
            self._say(True)
            try:
                self._desk.renew()
            except Exception:
                log.exception("the answer could not be renewed; the decisions are kept")
            if not self._wanted.is_set():
                self._say(False)

    def _say(self, busy: bool) -> None:
        if busy != self.busy:
            self.busy = busy
            self._tell("busy", {"busy": busy})
