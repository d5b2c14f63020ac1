"""Nobody speaks to the server without a token, by another name or from another page."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from handful.reviewing.guard import Guard, make_tokens


@pytest.fixture
def client() -> TestClient:
    async def who(request) -> JSONResponse:  # type: ignore[no-untyped-def]
        return JSONResponse({"person": request.state.person})

    app = Starlette(routes=[Route("/", who), Route("/who", who, methods=["GET", "POST"])])
    guarded = Guard(app, people={"t-ann": "ann", "t-bob": "bob"}, hosts=["127.0.0.1:81"])
    return TestClient(guarded, base_url="http://127.0.0.1:81", follow_redirects=False)


@pytest.mark.parametrize(
    ("headers", "status", "words"),
    [
        ({}, 401, "a token is needed"),
        ({"authorization": "Bearer wrong"}, 401, "a token is needed"),
        ({"authorization": "Bearer t-ann", "host": "evil.example"}, 403, "the host"),
        ({"authorization": "Bearer t-ann", "host": "127.0.0.1:82"}, 403, "the host"),
        ({"authorization": "Bearer t-ann", "origin": "http://evil.example"}, 403, "only this server's own page"),
        ({"authorization": "Bearer t-ann", "origin": "null"}, 403, "only this server's own page"),
    ],
)
def test_a_stranger_is_refused_in_one_sentence(
    client: TestClient, headers: dict[str, str], status: int, words: str
) -> None:
    for method in ("GET", "POST"):
        answer = client.request(method, "/who", headers=headers)
        assert answer.status_code == status
        assert words in answer.json()["error"]


def test_the_token_in_the_address_becomes_a_cookie_of_a_person(client: TestClient) -> None:
    assert client.get("/?token=wrong").status_code == 401
    answer = client.get("/?token=t-bob")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert client.get("/who").json() == {"person": "bob"}
    assert client.get("/who", headers={"origin": "http://127.0.0.1:81"}).status_code == 200


def test_every_answer_carries_a_policy_that_lets_nothing_in_from_outside(client: TestClient) -> None:
    for answer in (client.get("/who"), client.get("/who", headers={"authorization": "Bearer t-ann"})):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "http" not in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_tokens_are_long_and_differ() -> None:
    tokens = make_tokens(["ann", "bob"])
    assert sorted(tokens.values()) == ["ann", "bob"]
    assert all(len(token) >= 32 for token in tokens)
