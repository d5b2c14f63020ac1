"""Labels are written when the last page is closed, so that whoever goes on from the run folder has them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)
WAIT_SECONDS = 5.0  # a page that is loaded again comes back sooner


class Leaving:
    """Calls `save` a while after `left`, unless `stays` tells by then that somebody is there again."""

    def __init__(self, save: Callable[[], object], stays: Callable[[], bool], *, wait: float = WAIT_SECONDS) -> None:
        self._save, self._stays, self._wait = save, stays, wait
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._ended = False

    def left(self) -> None:
        """Begin to wait; called again, the wait begins anew."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            if not self._ended:
                self._timer = threading.Timer(self._wait, self._write)
                self._timer.daemon = True
                self._timer.start()

    def end(self) -> None:
        """Wait no more, but for a save that has begun."""
        with self._lock:
            self._ended, timer = True, self._timer
        if timer is not None:
            timer.cancel()
            if timer.is_alive():
                timer.join()

    def _write(self) -> None:
        if self._stays():
            return
        try:
            self._save()
        except Exception:
            log.exception("the labels could not be written; the decisions are kept")
