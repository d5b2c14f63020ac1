"""What the server tells its pages as it happens: one stream of server-sent events for each."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np

MOST_WAITING = 256  # events; a page that is further behind is let go, and asks for everything when it comes back
BEAT_SECONDS = 15.0  # without an event; then a comment shows whether the page is still there


class Events:
    """Tells all listening pages; `publish` may be called from any thread.

    left: called when the last page has gone.
    """

    def __init__(self, left: Callable[[], None] = lambda: None) -> None:
        self._left = left
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: set[asyncio.Queue[bytes | None]] = set()

    @property
    def heard(self) -> bool:
        """Whether a page is listening."""
        return bool(self._waiting)

    def publish(self, name: str, data: str) -> None:
        """Send an event of that name to every page."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, _framed(name, data))

    def publish_json(self, name: str, data: Any) -> None:
        """Send JSON to every page."""
        self.publish(name, json.dumps(data))

    def end(self) -> None:
        """Let all pages go, so that the server can stop."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, None)

    def _put(self, frame: bytes | None) -> None:
        for queue in list(self._waiting):
            if frame is None or queue.full():
                self._waiting.discard(queue)
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(None)
            else:
                queue.put_nowait(frame)

    async def listen(self, first: list[tuple[str, Any]]) -> AsyncIterator[bytes]:
        """Yield the stream of one page: `first`, as names and JSON values, then what happens."""
        self._loop = asyncio.get_running_loop()
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(MOST_WAITING)
        self._waiting.add(queue)
        try:
            for name, data in first:
                yield _framed(name, json.dumps(data))
            while True:
                try:
                    frame = await asyncio.wait_for(queue.get(), BEAT_SECONDS)
                except TimeoutError:
                    frame = b": still here\n\n"
                if frame is None:
                    return
                yield frame
        finally:
            self._waiting.discard(queue)
            if not self._waiting:
                self._left()


def _framed(name: str, data: str) -> bytes:
    return f"event: {name}\ndata: {data}\n\n".encode()


def pack_changes(version: int, rows: np.ndarray, codes: np.ndarray, confidence: np.ndarray, source: np.ndarray) -> str:
    """Return the rows [n] of an answer that changed, as base64 of little-endian arrays one after the other."""
    parts = [
        struct.pack("<II", version, len(rows)),
        rows.astype("<u4").tobytes(),
        codes.astype("<i2").tobytes(),
        confidence.astype("u1").tobytes(),
        source.astype("u1").tobytes(),
    ]
    return base64.b64encode(b"".join(parts)).decode()
