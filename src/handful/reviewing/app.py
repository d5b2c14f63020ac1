"""What can be asked of the server over HTTP: small functions over one `Desk`, and the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pyarrow.compute as pc
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from handful.errors import InputError
from handful.reporting.palette import class_colours
from handful.reviewing.built import page
from handful.reviewing.contents import Contents, Gone
from handful.reviewing.desk import PROPAGATED, Desk
from handful.reviewing.events import Events
from handful.reviewing.exporting import export_run
from handful.reviewing.groups import find_groups
from handful.reviewing.importing import import_labels
from handful.reviewing.openapi import docs_page, openapi
from handful.reviewing.positions import Positions
from handful.reviewing.queues import Queues
from handful.reviewing.saving import save_labels
from handful.reviewing.worker import Worker
from handful.run.journal import Refused, Unwritten

SOURCES = ("propagated", "given", "reviewed", "")
MOST_ITEMS = 200
MOST_BODY = 64 << 20  # bytes: a million row numbers
KEPT = {"Cache-Control": "private, max-age=3600"}
FRESH = {"Cache-Control": "no-store"}


@dataclass
class Review:
    """All that the requests work on. trusted: whether who asks may name paths on this machine."""

    desk: Desk
    queues: Queues
    contents: Contents
    positions: Positions
    events: Events
    worker: Worker
    duplicates: dict[int, np.ndarray] = field(default_factory=dict)
    trusted: bool = True
    rng: np.random.Generator = field(default_factory=np.random.default_rng)

    def run(self, person: str | None = None) -> dict[str, Any]:
        """Return what /api/run says; without the person, what all pages are told."""
        desk = self.desk
        with desk.lock:
            colours = class_colours(max(len(desk.classes), 1))
            counted = desk.class_counts()
            classes = [
                {"name": str(name), "count_given": given, "count": count, "colours": [light, dark]}
                for name, (given, count), (light, dark) in zip(desk.classes.names, counted, colours, strict=False)
            ]
            return {
                "name": desk.opened.name,
                "kind": desk.opened.kind,
                "items": len(desk),
                **({} if person is None else {"person": person}),
                "version": desk.version,
                "classes": classes,
                "counts": desk.counts(),
                "progress": desk.progress.as_dict(),
                "audit": desk.audit(),
                "conflicts": len(desk.state.conflicts()),
                "has_map": self.positions.ready,
                "busy": self.worker.busy,
            }

    def item(self, row: int, *, short: bool) -> dict[str, Any]:
        """Return what is told of an item. short: for lists."""
        desk = self.desk
        like = [] if short else desk.carriers(row)
        answer = desk.answer
        told: dict[str, Any] = {
            "row": row,
            "id": desk.opened.id(row),
            "label": _text(desk.label(row)),
            "confidence": round(float(desk.confidence[row]) / 255, 4),
            "source": SOURCES[desk.source[row]],
            "content": self.contents.show(row, short=short, like=like),
        }
        if short:
            return told
        second = -1 if answer is None or desk.source[row] != PROPAGATED else int(answer.second[row])
        told |= {
            "margin": 0.0 if answer is None else round(float(answer.share[row] - answer.next_share[row]), 4),
            "runner_up": None if second < 0 else str(desk.classes.names[second]),
            "given": _text(desk.given_label(row)),
            "flagged": row in desk.state.flagged,
            "why": [
                {
                    "row": other,
                    "id": desk.opened.id(other),
                    "label": _text(desk.label(other)),
                    "share": round(share, 4),
                    "content": self.contents.show(other, short=True),
                }
                for other, share in like
            ],
            "group": [int(other) for other in self.duplicates.get(row, ())][:MOST_ITEMS],
            "decisions": [desk.record(one) for one in desk.state.standing(row)],
        }
        return told

    def search(self, words: str, most: int = MOST_ITEMS) -> tuple[list[int], str]:
        """Return rows by words in their id, their class or their text."""
        desk = self.desk
        if words in desk.classes:
            rows = np.flatnonzero(desk.codes == desk.classes.code(words))[:most].tolist()
            return rows, "Items of this class."
        hits = pc.indices_nonzero(pc.match_substring(desk.opened.ids, words, ignore_case=True))[:most].to_pylist()
        texts = [row for row in self.contents.text_matches(words, most) if row not in set(hits)]
        return [*hits, *texts][:most], "Items whose name or text holds these words."


def _text(label: Any) -> str | None:
    return None if label is None else str(label)


Handler = Callable[[Review, Request, Any], Response]


def make_app(review: Review) -> Starlette:
    """Return the application; who asks stands in `request.state.person`."""

    def route(path: str, function: Handler, method: str = "GET") -> Route:
        return Route(path, partial(_answer, review, function), methods=[method])

    async def events(request: Request) -> Response:
        first = [("run", await run_in_threadpool(review.run, request.state.person))]
        return StreamingResponse(review.events.listen(first), media_type="text/event-stream", headers=FRESH)

    async def failed(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return _error(error.status_code, str(error.detail))

    async def broken(request: Request, error: Exception) -> Response:
        return _error(500, "the server failed at this request; its words are where it was started.")

    routes = [
        route("/api/run", lambda review, request, body: JSONResponse(review.run(request.state.person))),
        route("/api/map", _map),
        route("/api/answer", _whole_answer),
        Route("/api/events", events),
        route("/api/queue", _queue),
        route("/api/items", _items),
        route("/api/items/{row:int}", _item),
        route("/api/items/{row:int}/media", _media),
        route("/api/decisions", _recent),
        route("/api/decisions", _decide, "POST"),
        route("/api/decisions/{number:int}", _edit, "PATCH"),
        route("/api/undo", _undo, "POST"),
        route("/api/search", _search),
        route("/api/classes", _add_class, "POST"),
        route("/api/clusters", _clusters),
        route("/api/audit", _audit, "POST"),
        route("/api/save", _save, "POST"),
        route("/api/export", _export, "POST"),
        route("/api/import", _import, "POST"),
        route("/api/openapi.json", lambda review, request, body: JSONResponse(openapi())),
        route("/api/docs", lambda review, request, body: HTMLResponse(docs_page())),
        Route("/{path:path}", page),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: failed, Exception: broken})


async def _answer(review: Review, function: Handler, request: Request) -> Response:
    """Return what a handler says of a request, run in a thread; bad input is a sentence."""
    try:
        body = await _body(request) if request.method in ("POST", "PATCH") else None
        return await run_in_threadpool(function, review, request, body)
    except Refused as error:
        return _error(507 if isinstance(error, Unwritten) else 409, str(error))
    except InputError as error:
        return _error(400, str(error))


async def _body(request: Request) -> dict[str, Any]:
    """Return the JSON object of a request. Raises InputError where it is none, or too large."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise InputError("a request with a body must be of the type application/json.")
    parts, size = [], 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > MOST_BODY:
            raise InputError(f"a request has at most {MOST_BODY >> 20} MB.")
    try:
        found = json.loads(b"".join(parts) or b"{}")
    except ValueError as error:
        raise InputError(f"the request is not JSON: {error}.") from None
    if not isinstance(found, dict):
        raise InputError("the request must be a JSON object.")
    return found


def _error(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status)


def _number(request: Request, name: str, usual: int) -> int:
    """Return a whole number of the address. Raises InputError where it is none."""
    value = request.query_params.get(name, str(usual))
    try:
        return int(value)
    except ValueError:
        raise InputError(f"{name} must be a whole number, got {value[:50]!r}.") from None


def _row(review: Review, row: int) -> int:
    if not 0 <= row < len(review.desk):
        raise HTTPException(404, f"row {row} is not in the run: rows are 0 to {len(review.desk) - 1}.")
    return row


def _map(review: Review, request: Request, body: Any) -> Response:
    places = review.positions.grid()
    content = b"".join(np.ascontiguousarray(column, dtype="<u2").tobytes() for column in places.T)
    return Response(content, media_type="application/octet-stream", headers=FRESH)


def _whole_answer(review: Review, request: Request, body: Any) -> Response:
    desk = review.desk
    with desk.lock:
        content = desk.codes.astype("<i2").tobytes() + desk.confidence.tobytes() + desk.source.tobytes()
        headers = {**FRESH, "X-Answer-Version": str(desk.version)}
    return Response(content, media_type="application/octet-stream", headers=headers)


def _queue(review: Review, request: Request, body: Any) -> Response:
    asked = request.query_params
    found = review.queues.make(
        asked.get("order", "suggest"),
        request.state.person,
        n=_number(request, "n", 50),
        name=asked.get("class"),
        seed=_number(request, "seed", int(review.rng.integers(2**31))),
    )
    return JSONResponse({"order": found.order, "rows": found.rows, "why": found.why})


def _items(review: Review, request: Request, body: Any) -> Response:
    asked = [part for part in request.query_params.get("rows", "").split(",") if part]
    if not asked or len(asked) > MOST_ITEMS or not all(part.isdecimal() for part in asked):
        raise InputError(f"rows must be 1 to {MOST_ITEMS} row numbers with commas between them.")
    return JSONResponse({"items": [review.item(_row(review, int(part)), short=True) for part in asked]}, headers=FRESH)


def _item(review: Review, request: Request, body: Any) -> Response:
    return JSONResponse(review.item(_row(review, request.path_params["row"]), short=False), headers=FRESH)


def _media(review: Review, request: Request, body: Any) -> Response:
    size = min(max(_number(request, "size", 640), 16), 1600)
    try:
        found = review.contents.media(_row(review, request.path_params["row"]), size)
    except Gone as error:
        raise HTTPException(404, str(error)) from None
    return _ranged(request, *found)


def _ranged(request: Request, content: bytes, kind: str) -> Response:
    """Return the bytes, or the range of them that was asked for: players seek so."""
    headers = {**KEPT, "Accept-Ranges": "bytes"}
    unit, _, ends = request.headers.get("range", "").partition("=")
    first, _, last = ends.partition("-")
    if unit != "bytes" or not first.isdecimal() or not (last.isdecimal() or last == ""):
        return Response(content, media_type=kind, headers=headers)
    start, stop = int(first), min(int(last) + 1 if last else len(content), len(content))
    if start >= stop:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{len(content)}"})
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
    return Response(content[start:stop], 206, media_type=kind, headers=headers)


def _recent(review: Review, request: Request, body: Any) -> Response:
    n = min(max(_number(request, "n", 10), 1), 1000)
    with review.desk.lock:
        numbers = list(review.desk.state.decisions)[-n:]
        told = [review.desk.record(review.desk.state.decisions[number]) for number in reversed(numbers)]
    return JSONResponse({"decisions": told}, headers=FRESH)


def _decide(review: Review, request: Request, body: Any) -> Response:
    rows, seen, key = body.get("rows"), body.get("seen"), body.get("key")
    if not isinstance(rows, list) or not (seen is None or isinstance(seen, list)):
        raise InputError("rows must be a list of row numbers, and seen, where it is given, one of class numbers.")
    if not (key is None or (isinstance(key, str) and len(key) <= 100)):
        raise InputError("key must be a text of at most 100 letters.")
    written, conflicts = review.desk.decide(
        request.state.person, rows, str(body.get("action")), label=body.get("label"), seen=seen, key=key
    )
    review.worker.renew()
    record = review.desk.record
    return JSONResponse(
        {"decisions": [record(one) for one in written], "conflicts": [record(one) for one in conflicts]}
    )


def _undo(review: Review, request: Request, body: Any) -> Response:
    number = body.get("number")
    if not (number is None or (isinstance(number, int) and not isinstance(number, bool))):
        raise InputError(f"number must be the number of a decision, got {str(number)[:50]!r}.")
    undone = review.desk.undo(request.state.person, number)
    review.worker.renew()
    return JSONResponse({"undone": review.desk.record(undone)})


def _edit(review: Review, request: Request, body: Any) -> Response:
    edited = review.desk.edit(request.state.person, request.path_params["number"], body.get("label"))
    review.worker.renew()
    return JSONResponse({"decision": review.desk.record(edited)})


def _search(review: Review, request: Request, body: Any) -> Response:
    words = request.query_params.get("q", "").strip()[:200]
    rows, why = review.search(words) if words else ([], "Nothing was asked for.")
    return JSONResponse({"rows": rows, "why": why})


def _add_class(review: Review, request: Request, body: Any) -> Response:
    review.desk.add_class(request.state.person, body.get("name"))
    return JSONResponse({"classes": review.run(request.state.person)["classes"]})


def _clusters(review: Review, request: Request, body: Any) -> Response:
    return JSONResponse({"groups": find_groups(review.desk, review.duplicates)})


def _audit(review: Review, request: Request, body: Any) -> Response:
    n = body.get("n", 20)
    if not isinstance(n, int) or isinstance(n, bool) or not 1 <= n <= 1000:
        raise InputError(f"n must be from 1 to 1000, got {str(n)[:50]!r}.")
    return JSONResponse({"rows": review.desk.draw_audit(request.state.person, n, review.rng)})


def _save(review: Review, request: Request, body: Any) -> Response:
    return JSONResponse({"path": str(save_labels(review.desk))})


def _export(review: Review, request: Request, body: Any) -> Response:
    place = _path(review, body)
    save_labels(review.desk)
    path, rows = export_run(review.desk.opened.run, str(body.get("format")), place, data=review.contents.data)
    return JSONResponse({"path": str(path), "rows": rows})


def _import(review: Review, request: Request, body: Any) -> Response:
    path = _path(review, body)
    if path is None:
        raise InputError("path must name a file or folder of labels on the machine that the server runs on.")
    labels = import_labels(path, body.get("format"))
    rows, conflicts = review.desk.take_labels(request.state.person, labels)
    review.worker.renew()
    return JSONResponse({"rows": rows, "conflicts": [review.desk.record(one) for one in conflicts]})


def _path(review: Review, body: dict[str, Any]) -> str | None:
    """Return the path in a request. Raises HTTPException where people elsewhere may name none."""
    path = body.get("path")
    if path is not None and not review.trusted:
        raise HTTPException(403, "paths can be named only where the review is open to this machine alone.")
    if not (path is None or (isinstance(path, str) and "\0" not in path)):
        raise InputError("path must be a text.")
    return path or None
