"""Starting and stopping the review: the address, the lock on the run, the server."""

from __future__ import annotations

import errno
import os
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from handful.data import Dataset
from handful.errors import InputError
from handful.reviewing.app import Review, make_app
from handful.reviewing.contents import Contents
from handful.reviewing.desk import Desk
from handful.reviewing.events import Events, pack_changes
from handful.reviewing.guard import Guard, make_tokens
from handful.reviewing.leaving import Leaving
from handful.reviewing.opened import near_duplicates, open_for_review
from handful.reviewing.positions import Positions
from handful.reviewing.preparing import Preparing, serving_meanwhile, waiting_app
from handful.reviewing.progress import ASKED
from handful.reviewing.queues import Queues
from handful.reviewing.saving import save_labels
from handful.reviewing.worker import Worker
from handful.run.folder import Run, locked, open_run
from handful.run.journal import Journal
from handful.run.path import read_again
from handful.training.pretrain import Watch

LOOPBACK = ("127.0.0.1", "localhost", "::1")
Told = Callable[[dict[str, str]], None]


@dataclass(frozen=True)
class Address:
    """Where the review is served. people: token -> name."""

    host: str
    port: int
    people: dict[str, str]

    def links(self) -> dict[str, str]:
        """Return for each person the address to open."""
        host = socket.gethostname() if self.host in ("0.0.0.0", "::") else self.host
        host = f"[{host}]" if ":" in host else host
        return {name: f"http://{host}:{self.port}/?token={token}" for token, name in self.people.items()}

    def hosts(self) -> set[str]:
        """Return the names under which a browser may ask for it."""
        names = {self.host, "127.0.0.1", "localhost", "[::1]"} if self.host in LOOPBACK else {self.host}
        if self.host in ("0.0.0.0", "::"):
            names |= {"127.0.0.1", "localhost", socket.gethostname(), socket.getfqdn(), *_own_addresses()}
        ends = {f"[{name}]" if ":" in name and not name.startswith("[") else name for name in names}
        return {f"{name}:{self.port}" for name in ends} | (ends if self.port == 80 else set())

    def guarded(self, app: ASGIApp) -> ASGIApp:
        """Return `app`, open to those who have a token and come to this address."""
        return Guard(app, people=self.people, hosts=self.hosts())

    def tell(self, told: Told | None, browser: bool) -> None:
        """Say where the page is, and open it in a browser where it is open to this machine alone."""
        links = self.links()
        if told is not None:
            told(links)
        if browser and self.host in LOOPBACK:
            opening = threading.Timer(0.5, webbrowser.open, [next(iter(links.values()))])
            opening.daemon = True  # no page for a review that ended before
            opening.start()


def review(
    run: Run | str | os.PathLike[str],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    people: Sequence[str] = (),
    browser: bool = True,
    asked: float = ASKED,
    data: Dataset | None = None,
    told: Told | None = None,
) -> None:
    """Serve the page on which people review a run, until it is interrupted; then labels.parquet is written.

    run: a Run or its folder, with embeddings and a graph; labels are not needed.
    host: where to listen; any but the loopback address needs `people`, each of whom gets a token of their own.
    port: 0 for a free one. browser: open the page, where the review is open to this machine alone.
    asked: the accuracy that is enough, above 0 and below 1.
    data: the run's data set, where it cannot be read again from its source.
    told: called with the address for each person once the server listens; None prints nothing.
    Raises InputError where the run cannot be reviewed, is open already, or the port is in use.
    """
    _check(host, people, asked)
    run = run if isinstance(run, Run) else open_run(run)
    with locked(run), listening(host, port) as listener:
        address = Address(host, listener.getsockname()[1], make_tokens(people or (_me(),)))
        with at_the_desk(run, data=data, asked=asked, trusted=host in LOOPBACK) as opened:
            address.tell(told, browser)
            _serve(opened, address, listener)


def review_source(
    name: str,
    make: Callable[[Watch], Run],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    people: Sequence[str] = (),
    browser: bool = True,
    asked: float = ASKED,
    watch: Watch | None = None,
    told: Told | None = None,
) -> Run:
    """Serve the page at once; it says how far `make` is, and begins when that has returned the run.

    name: of the source. The rest is as in `review`. Returns the run once the review is interrupted.
    """
    _check(host, people, asked)
    with listening(host, port) as listener:
        address = Address(host, listener.getsockname()[1], make_tokens(people or (_me(),)))
        address.tell(told, browser)
        preparing = Preparing(name)
        with serving_meanwhile(address.guarded(waiting_app(preparing)), listener):
            run = make(preparing.watching(watch or Watch()))
        with locked(run), at_the_desk(run, asked=asked, trusted=host in LOOPBACK) as opened:
            _serve(opened, address, listener)
    return run


def _check(host: str, people: Sequence[str], asked: float) -> None:
    if host not in LOOPBACK and not people:
        raise InputError(f"host={host!r} opens the review to a network: name each person who may review, with people.")
    if len(set(people)) < len(people) or not all(name.strip() for name in people):
        raise InputError(f"people must be different names, got {list(people)!r}.")
    if not 0 < asked < 1:
        raise InputError(f"asked must be an accuracy above 0 and below 1, got {asked!r}.")


def _serve(opened: Review, address: Address, listener: socket.socket) -> None:
    """Serve a review until the process is told to stop."""
    _Server(address.guarded(make_app(opened)), opened.events).run(sockets=[listener])


@contextmanager
def at_the_desk(
    run: Run, *, data: Dataset | None = None, asked: float = ASKED, trusted: bool = True
) -> Iterator[Review]:
    """Give all that the requests work on; in the end the labels are written."""
    journal = Journal(run.folder)
    events = Events(lambda: leaving.left())
    try:
        opened = open_for_review(run, journal)
        desk = Desk(opened, journal, tell=lambda name, value: tell(name, value), asked=asked)
        queues = Queues(desk)
        contents = Contents(opened, (lambda: read_again(run)) if data is None else (lambda: data))
        worker = Worker(desk, contents, tell=lambda name, value: tell(name, value))
        review = Review(desk, queues, contents, Positions(opened), events, worker, near_duplicates(opened), trusted)
        leaving = Leaving(lambda: _save(desk), lambda: events.heard)

        def tell(name: str, value: Any) -> None:
            if name == "answer":
                events.publish("answer", pack_changes(*value))
            elif name == "run":
                events.publish_json("run", review.run())
            else:
                events.publish_json(name, value)

        worker.start()
        threading.Thread(target=_map_in_background, args=(review,), name="handful-map", daemon=True).start()
        try:
            yield review
        finally:
            leaving.end()
            worker.stop()
            _save(desk)
    finally:
        journal.close()


def _save(desk: Desk) -> None:
    """Write the labels that follow from all decisions, if there are any."""
    if desk.state.decisions:
        desk.renew()
        save_labels(desk)


def take_in_labels(run: Run, labels: Mapping[str, Any], *, who: str) -> tuple[int, int]:
    """Write labels by id into a run's journal; return how many, and how many other people had decided otherwise."""
    with locked(run):
        journal = Journal(run.folder)
        try:
            desk = Desk(open_for_review(run, journal), journal, tell=lambda name, value: None)
            rows, conflicts = desk.take_labels(who, labels)
        finally:
            journal.close()
    return rows, len(conflicts)


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Give a socket that listens. Raises InputError where the port is in use or the host is not this machine."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(128)
        except OverflowError:
            raise InputError(f"port {port} is none: ports are 1 to 65535, 0 takes a free one.") from None
        except OSError as error:
            why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be listened at ({error.strerror})"
            raise InputError(f"port {port} of {host} {why}: choose another, or 0 for a free one.") from None
        yield listener


class _Server(uvicorn.Server):
    """Lets the listening pages go when it is told to stop, so that it need not wait for them."""

    def __init__(self, app: Any, events: Events) -> None:
        super().__init__(uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=5))
        self._events = events

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._events.end()
        super().handle_exit(sig, frame)


def _map_in_background(review: Review) -> None:
    if not review.positions.ready:
        review.positions.find()
        review.events.publish_json("run", review.run())


def _me() -> str:
    import getpass

    with suppress(OSError, KeyError):
        return getpass.getuser()
    return "me"


def _own_addresses() -> set[str]:
    with suppress(OSError):
        return {str(found[4][0]) for found in socket.getaddrinfo(socket.gethostname(), None)}
    return set()
