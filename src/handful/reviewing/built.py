"""The built page: the files that a browser is given, as they lie in the package."""

from __future__ import annotations

import hashlib
import mimetypes
from importlib import resources
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

PAGE = Path(str(resources.files("handful.reviewing"))) / "page"


async def page(request: Request) -> Response:
    """Return a file of the built page; names are looked up among those that are there."""
    if request.method != "GET":
        raise HTTPException(405, "the page can only be read.")
    wanted = request.path_params["path"] or "index.html"
    files: dict[str, Path] = await run_in_threadpool(_page_files)
    if wanted not in files:
        if wanted == "index.html":
            return PlainTextResponse(
                "The page of the review is not in this install; /api/docs tells what can be asked.", 404
            )
        raise HTTPException(404, "there is no such page.")
    content = files[wanted].read_bytes()
    tag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    kind = mimetypes.guess_type(wanted)[0] or "application/octet-stream"
    return Response(content, media_type=kind, headers=headers)


def _page_files() -> dict[str, Path]:
    return {path.relative_to(PAGE).as_posix(): path for path in PAGE.rglob("*") if path.is_file()}
