"""The program's door, described: an OpenAPI document, and a plain page made from it."""

from __future__ import annotations

import html
from typing import Any

from handful import __version__

# path, method, what it does, parameters (name: what), body (name: what), answer
CALLS: tuple[tuple[str, str, str, dict[str, str], dict[str, str], str], ...] = (
    ("/api/run", "get", "The run, its classes, counts and progress.", {}, {}, "an object"),
    ("/api/map", "get", "N uint16 x, then N uint16 y, little-endian.", {}, {}, "bytes"),
    ("/api/answer", "get", "N int16 class, N uint8 confidence, N uint8 source.", {}, {}, "bytes"),
    ("/api/events", "get", "Server-sent events: run, answer, decision, busy.", {}, {}, "a stream"),
    (
        "/api/queue",
        "get",
        "The rows to decide on next.",
        {
            "order": "suggest, unsure, class, issues, random or conflicts",
            "class": "a class name",
            "n": "how many",
            "seed": "of the random order",
        },
        {},
        "{order, rows, why}",
    ),
    ("/api/items", "get", "Items for lists.", {"rows": "row numbers with commas between"}, {}, "{items}"),
    ("/api/items/{row}", "get", "One item, why it has its label, its near-duplicates.", {}, {}, "an object"),
    ("/api/items/{row}/media", "get", "The picture, sound or clip.", {"size": "pixels at most"}, {}, "bytes"),
    ("/api/decisions", "get", "The last decisions, newest first.", {"n": "how many"}, {}, "{decisions}"),
    (
        "/api/decisions",
        "post",
        "Decide. It is on the disk when this answers.",
        {},
        {
            "rows": "row numbers",
            "action": "label, accept, reject, flag or skip",
            "label": "a class, known or new",
            "seen": "the class number that was seen at each row",
            "key": "names the decision, so that sending it again does not write it twice",
        },
        "{decisions, conflicts}",
    ),
    ("/api/decisions/{number}", "patch", "Give a decision another label.", {}, {"label": "a class"}, "{decision}"),
    ("/api/undo", "post", "Undo a decision.", {}, {"number": "its number; your last one if left out"}, "{undone}"),
    ("/api/search", "get", "Find items by name, text or class.", {"q": "words"}, {}, "{rows, why}"),
    ("/api/classes", "post", "Name a class.", {}, {"name": "its name"}, "{classes}"),
    ("/api/clusters", "get", "Near-duplicates and tight groups to decide on together.", {}, {}, "{groups}"),
    ("/api/audit", "post", "Draw rows at random for an honest check.", {}, {"n": "how many"}, "{rows}"),
    ("/api/save", "post", "Write labels.parquet and labels.csv now.", {}, {}, "{path}"),
    (
        "/api/export",
        "post",
        "Write the labels in another tool's form.",
        {},
        {
            "format": "csv, parquet, jsonl, labelstudio, folders, hf or coco",
            "path": "where; in the run folder if left out",
        },
        "{path, rows}",
    ),
    (
        "/api/import",
        "post",
        "Take labels from a file or folder as decisions.",
        {},
        {"path": "of the file or folder", "format": "found from it if left out"},
        "{rows, conflicts}",
    ),
    ("/api/openapi.json", "get", "This description.", {}, {}, "an object"),
    ("/api/docs", "get", "This description as a page.", {}, {}, "a page"),
)


def openapi() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the server."""
    paths: dict[str, dict[str, Any]] = {}
    for path, method, words, parameters, body, answer in CALLS:
        names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        listed = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "integer"}, "description": f"its {name}"}
            for name in names
        ]
        listed += [
            {"name": name, "in": "query", "schema": {"type": "string"}, "description": what}
            for name, what in parameters.items()
        ]
        call: dict[str, Any] = {
            "summary": words,
            "parameters": listed,
            "responses": {"200": {"description": answer}, "400": {"description": "{error}: one sentence"}},
        }
        if body:
            properties = {name: {"description": what} for name, what in body.items()}
            schema = {"type": "object", "properties": properties}
            call["requestBody"] = {"content": {"application/json": {"schema": schema}}}
        paths.setdefault(path, {})[method] = call
    bearer = {"type": "http", "scheme": "bearer"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "handful review", "version": __version__, "description": "Rows are numbered from 0."},
        "paths": paths,
        "components": {"securitySchemes": {"token": bearer}},
        "security": [{"token": []}],
    }


def docs_page() -> str:
    """Return the document as a page without script or style."""
    parts = []
    for path, method, words, parameters, body, answer in CALLS:
        rows = "".join(
            f"<li><code>{html.escape(name)}</code>: {html.escape(what)}</li>"
            for name, what in {**parameters, **body}.items()
        )
        parts.append(
            f"<h2><code>{method.upper()} {html.escape(path)}</code></h2><p>{html.escape(words)}</p>"
            f"<ul>{rows}</ul><p>Gives {html.escape(answer)}.</p>"
        )
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>handful review: calls</title>"
        "<h1>What can be asked of the review</h1><p>Each call needs the header "
        "<code>Authorization: Bearer TOKEN</code>, or the page's cookie; a body is JSON. Errors are "
        f'<code>{{"error": "one sentence"}}</code>.</p>{"".join(parts)}</html>'
    )
