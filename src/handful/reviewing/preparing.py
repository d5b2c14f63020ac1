"""What is served while a run is made: the page, which says how far the learning is, and nothing else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from handful.reviewing.built import page
from handful.training.loop import Beat
from handful.training.pretrain import Watch


class Preparing:
    """How far the making of a run is: what is being done, and the share of it that is done, None where unknown."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.words, self.share = f"Reading {name}", None  # type: tuple[str, float | None]

    def watching(self, watch: Watch) -> Watch:
        """Return a watch that tells `watch` and is told here."""

        def stage(words: str) -> None:
            self.words, self.share = words[:1].upper() + words[1:], None
            watch.stage(words)

        def step(beat: Beat) -> None:
            self.share = ((beat.epoch - 1) * beat.steps + beat.step) / max(beat.epochs * beat.steps, 1)
            self.words = f"Learning from the items, pass {beat.epoch} of {beat.epochs}: {_left(beat.seconds_left)}"
            watch.step(beat)

        def rows(done: int, total: int) -> None:
            self.share = done / max(total, 1)
            watch.rows(done, total)

        return Watch(stage=stage, step=step, epoch=watch.epoch, rows=rows, trackers=watch.trackers)

    def as_dict(self) -> dict[str, Any]:
        """Return what /api/run says until the run is there."""
        return {"name": self.name, "preparing": {"words": self.words, "share": self.share}}


def waiting_app(preparing: Preparing) -> Starlette:
    """Return the application that serves the page until there is a run."""

    async def run(request: Request) -> Response:
        return JSONResponse(preparing.as_dict(), headers={"Cache-Control": "no-store"})

    async def not_yet(request: Request) -> Response:
        return JSONResponse({"error": "the run is still being made: /api/run says how far it is."}, 503)

    async def failed(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return JSONResponse({"error": str(error.detail)}, error.status_code)

    methods = ["GET", "POST", "PATCH"]
    routes = [Route("/api/run", run), Route("/api/{path:path}", not_yet, methods=methods), Route("/{path:path}", page)]
    return Starlette(routes=routes, exception_handlers={HTTPException: failed})


@contextmanager
def serving_meanwhile(app: ASGIApp, listener: socket.socket) -> Iterator[None]:
    """Serve `app` in a thread while the block runs; `listener` goes on listening for the next server."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=2))
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener.dup()]}, name="handful-waiting", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)


def _left(seconds: float) -> str:
    return f"{seconds:.0f} s left" if seconds < 90 else f"{seconds / 60:.0f} min left"
