"""Who may speak to the server: a token for each person, the right host and origin, and a strict content policy."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self'; worker-src 'self'; font-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def make_tokens(people: Iterable[str]) -> dict[str, str]:
    """Return a fresh token for each person: token -> name."""
    return {secrets.token_urlsafe(24): name for name in people}


class Guard:
    """Passes on a request that carries the token of a person and came to one of `hosts`; `person` is in its state.

    people: token -> name. hosts: as a browser writes them, with the port.
    """

    def __init__(self, app: ASGIApp, *, people: Mapping[str, str], hosts: Iterable[str]) -> None:
        self._app, self._people, self._hosts = app, dict(people), frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        answer = self._refuse_place(headers) or self._welcome(scope, headers)
        if answer is None:
            person = self._person(headers)
            if person is None:
                answer = _error(401, "a token is needed: open the address that handful review printed.")
            else:
                scope.setdefault("state", {})["person"] = person

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await (answer or self._app)(scope, receive, send_guarded)

    def _refuse_place(self, headers: Headers) -> Response | None:
        """Return why a request by another name or from another page is refused: a rebound name, a foreign page."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if host not in self._hosts:
            return _error(
                403, f"the host {host[:100]!r} is not this server: use the address that handful review printed."
            )
        if origin is not None and origin != f"http://{host}":
            return _error(403, f"requests from {origin[:100]!r} are refused: only this server's own page may ask.")
        return None

    def _welcome(self, scope: Scope, headers: Headers) -> Response | None:
        """Return what takes a person who came with the token in the address to the page, the token in a cookie."""
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("token")
        if scope["path"] != "/" or not asked:
            return None
        if self._known(asked[0]) is None:
            return _error(401, "the token in the address is not right: open the address that handful review printed.")
        answer = RedirectResponse("/", status_code=303)
        answer.set_cookie(_cookie_name(headers), asked[0], httponly=True, samesite="strict", path="/")
        return answer

    def _person(self, headers: Headers) -> str | None:
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self._known(token.strip())
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(_cookie_name(headers))
        except CookieError:
            return None
        return None if cookie is None else self._known(cookie.value)

    def _known(self, token: str) -> str | None:
        """Return whose token it is; every one is compared, in the same time."""
        matches = [name for known, name in self._people.items() if hmac.compare_digest(known.encode(), token.encode())]
        return matches[0] if matches else None


def _cookie_name(headers: Headers) -> str:
    """Return a name with the port: browsers send one host's cookies to all its ports."""
    return f"handful-{urlsplit('//' + headers.get('host', '')).port or 80}"


def _error(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status)
