"""What can be asked of the server, and what comes of it."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from desks import COUNT, KINDS, asked, settled, truth
from starlette.testclient import TestClient

from handful.errors import InputError
from handful.run.folder import Run
from handful.run.journal import Refused


def decide(client: TestClient, rows: list[int], label: str | None = None, action: str = "label", **more: Any) -> Any:
    answer = client.post("/api/decisions", json={"rows": rows, "action": action, "label": label, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def whole_answer(client: TestClient) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    content = client.get("/api/answer").content
    codes = np.frombuffer(content, "<i2", COUNT)
    return codes, np.frombuffer(content, "u1", COUNT, 2 * COUNT), np.frombuffer(content, "u1", COUNT, 3 * COUNT)


def test_three_labels_label_all_the_pictures(run: Run) -> None:
    with asked(run) as (review, [client]):
        for row in range(3):
            decide(client, [row], truth(row))
        settled(review)
        told = client.get("/api/run").json()
        names = [one["name"] for one in told["classes"]]
        codes, confidence, source = whole_answer(client)
        right = np.mean([names[code] == truth(row) for row, code in enumerate(codes)])
        assert right > 0.9
        assert told["counts"] == {"propagated": 57, "given": 0, "reviewed": 3, "unreached": 0}
        assert told["items"] == COUNT
        assert (confidence[:3] == 255).all()
        assert list(source[:4]) == [2, 2, 2, 0]
        assert client.get("/api/map").content.__len__() == 4 * COUNT


def test_at_the_end_labels_are_written_and_propagate_honours_them(run: Run) -> None:
    from typer.testing import CliRunner

    from handful.cli import app

    with asked(run) as (_, [client]):
        for row in range(6):
            decide(client, [row], truth(row))
    table = pq.read_table(run.folder / "labels.parquet")
    assert table["source"].to_pylist()[:7] == ["reviewed"] * 6 + ["propagated"]
    assert table["label"].to_pylist()[:6] == [truth(row) for row in range(6)]
    assert table.column_names == ["id", "label", "confidence", "source", "reached", "margin", "runner_up"]
    told = CliRunner().invoke(app, ["propagate", str(run.folder)])
    assert told.exit_code == 0, told.output
    again = pq.read_table(run.folder / "labels.parquet")
    assert again["source"].to_pylist()[:7] == ["reviewed"] * 6 + ["propagated"]
    right = np.mean([name == truth(row) for row, name in enumerate(again["label"].to_pylist())])
    assert right > 0.9


def test_the_review_goes_on_where_it_was(run: Run) -> None:
    with asked(run) as (review, [client]):
        decide(client, [0], "one")
        decide(client, [1], "two")
        decide(client, [2], action="flag")
        client.post("/api/undo", json={"number": 1})
    with asked(run) as (review, [client]):
        settled(review)
        told = client.get("/api/decisions").json()["decisions"]
        assert [(one["number"], one["undone"]) for one in told] == [(3, False), (2, False), (1, True)]
        assert client.get("/api/items/2").json()["flagged"]
        assert client.get("/api/items/1").json()["source"] == "reviewed"
        assert client.get("/api/items/0").json()["source"] != "reviewed"


def test_undo_takes_the_propagation_back(run: Run) -> None:
    with asked(run) as (review, [client]):
        for row in range(3):
            decide(client, [row], truth(row))
        settled(review)
        before = whole_answer(client)
        decide(client, [3, 6, 9], "down")
        settled(review)
        assert not np.array_equal(whole_answer(client)[0], before[0])
        undone = client.post("/api/undo", json={}).json()["undone"]
        assert (undone["rows"], undone["undone"]) == ([3, 6, 9], True)
        settled(review)
        after = whole_answer(client)
        assert np.array_equal(after[0], before[0])
        assert np.array_equal(after[2], before[2])


def test_labels_of_one_class_alone_are_an_answer_without_an_accuracy(run: Run) -> None:
    with asked(run) as (review, [client]):
        decide(client, [0, 3, 6], "across")
        settled(review)
        progress = client.get("/api/run").json()["progress"]
        assert progress["expected_accuracy"] is None
        assert "Two classes are needed" in progress["enough_why"]
        assert client.get("/api/items/9").json()["label"] == "across"


def test_two_undos_of_one_decision_give_one_refusal(run: Run) -> None:
    with asked(run) as (_, [client]):
        number = decide(client, [0], "a")["decisions"][0]["number"]
        assert client.post("/api/undo", json={"number": number}).status_code == 200
        again = client.post("/api/undo", json={"number": number})
        assert again.status_code == 409
        assert again.json()["error"] == f"decision {number} was undone already."
        assert client.post("/api/undo", json={}).json()["error"] == "there is no decision of yours to undo."


def test_an_edit_changes_the_label_and_keeps_the_record(run: Run) -> None:
    with asked(run) as (review, [client]):
        number = decide(client, [0], "a")["decisions"][0]["number"]
        edited = client.patch(f"/api/decisions/{number}", json={"label": "b"}).json()["decision"]
        assert edited["label"] == "b"
        settled(review)
        assert client.get("/api/items/0").json()["label"] == "b"
        assert client.patch("/api/decisions/99", json={"label": "b"}).status_code == 409


def test_people_who_disagree_are_shown_and_settle_it(run: Run) -> None:
    with asked(run, "ann", "bob") as (_, [ann, bob]):
        decide(ann, [4, 5], "a")
        conflicts = decide(bob, [5], "b")["conflicts"]
        assert [(one["who"], one["label"]) for one in conflicts] == [("ann", "a")]
        assert ann.get("/api/queue?order=conflicts").json()["rows"] == [5]
        assert ann.get("/api/run").json()["conflicts"] == 1
        decide(ann, [5], "b")
        assert ann.get("/api/queue?order=conflicts").json()["rows"] == []
        assert [one["who"] for one in bob.get("/api/items/5").json()["decisions"]] == ["ann", "bob", "ann"]


def test_accept_takes_what_was_seen_and_reject_bars_it(run: Run) -> None:
    with asked(run) as (review, [client]):
        for row in range(3):
            decide(client, [row], truth(row))
        settled(review)
        records = decide(client, [3, 4], action="accept", seen=[0, 1])["decisions"]
        assert [(one["label"], one["rows"]) for one in records] == [("across", [3]), ("down", [4])]
        shown = client.get("/api/items/8").json()
        assert shown["label"] == "plain"
        decide(client, [8], action="reject", seen=[2])
        settled(review)
        after = client.get("/api/items/8").json()
        assert after["label"] != "plain"


def test_what_is_sent_again_after_a_cut_is_decided_once(run: Run) -> None:
    with asked(run) as (_, [client]):
        first = decide(client, [0], "a", key="one")
        assert decide(client, [0], "a", key="one") == first
        assert len(client.get("/api/decisions").json()["decisions"]) == 1


def test_an_item_tells_why_it_has_its_label(run: Run) -> None:
    with asked(run) as (review, [client]):
        for row in range(6):
            decide(client, [row], truth(row))
        settled(review)
        item = client.get("/api/items/9").json()
        assert item["label"] == "across"
        assert {one["row"] for one in item["why"]} == {0, 3}
        assert all(one["label"] == "across" and one["content"]["type"] == "image" for one in item["why"])
        assert sum(one["share"] for one in item["why"]) == pytest.approx(1, abs=1e-3)
        media = client.get(item["content"]["url"])
        assert (media.status_code, media.headers["content-type"]) == (200, "image/png")
        part = client.get(item["content"]["url"], headers={"range": "bytes=0-7"})
        assert (part.status_code, part.content) == (206, media.content[:8])
        listed = client.get("/api/items?rows=1,2").json()["items"]
        assert [one["row"] for one in listed] == [1, 2]


@pytest.mark.parametrize("order", ["suggest", "unsure", "random", "class", "issues"])
def test_queues_hold_open_rows_only_and_leave_skipped_ones_out(run: Run, order: str) -> None:
    with asked(run) as (review, [client]):
        for row in range(6):
            decide(client, [row], truth(row))
        decide(client, [7], action="skip")
        settled(review)
        rows = client.get(f"/api/queue?order={order}&class=down&n=50").json()["rows"]
        assert not set(rows) & {*range(6), 7} or order == "issues"
        assert len(rows) == len(set(rows))
        assert {"suggest": 50, "unsure": 50, "random": 50}.get(order, len(rows)) == len(rows)
        if order == "class":
            assert np.mean([truth(row) == "down" for row in rows]) > 0.8


def test_a_wrong_label_among_right_ones_is_an_issue(run: Run) -> None:
    with asked(run) as (review, [client]):
        for row in range(24):
            decide(client, [row], "down" if row == 6 else truth(row))
        settled(review)
        assert client.get("/api/queue?order=issues").json()["rows"][0] == 6


def test_the_audit_counts_what_stood_before(run: Run) -> None:
    with asked(run) as (review, [client]):
        for row in range(3):
            decide(client, [row], truth(row))
        settled(review)
        rows = client.post("/api/audit", json={"n": 10}).json()["rows"]
        assert len(set(rows)) == 10
        assert client.get("/api/run").json()["audit"] is None
        for row in rows:
            decide(client, [row], truth(row))
        audit = client.get("/api/run").json()["audit"]
        assert audit["done"] == 10
        assert audit["low"] < audit["right"] / 10 <= 1
        assert audit["right"] >= 8


def test_progress_says_enough_once_it_is(run: Run) -> None:
    with asked(run, asked=0.6) as (review, [client]):
        first = client.get("/api/run").json()["progress"]
        assert (first["enough"], first["expected_accuracy"]) == (False, None)
        for row in range(30):
            decide(client, [row], truth(row))
        settled(review)
        progress = client.get("/api/run").json()["progress"]
        assert progress["enough"], progress
        assert progress["low"] <= progress["expected_accuracy"] <= progress["high"]
        assert [step["labels"] for step in progress["more"]] == [10]
        assert progress["more"][0]["expected_accuracy"] >= progress["expected_accuracy"]


def test_bulk_groups_are_open_and_of_one_label(run: Run) -> None:
    with asked(run) as (review, [client]):
        for row in range(3):
            decide(client, [row], truth(row))
        settled(review)
        groups = client.get("/api/clusters").json()["groups"]
        assert groups
        rows = [row for group in groups for row in group["rows"]]
        assert len(rows) == len(set(rows))
        assert not set(rows) & {0, 1, 2}
        assert {group["label"] for group in groups} <= set(KINDS)


def test_search_finds_names_and_classes(run: Run) -> None:
    with asked(run) as (review, [client]):
        decide(client, [5], "a b")
        settled(review)
        assert client.get("/api/search", params={"q": "017"}).json()["rows"] == [17]
        assert 5 in client.get("/api/search", params={"q": "a b"}).json()["rows"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"rows": [COUNT], "action": "label", "label": "a"}, f"row {COUNT} is not in the run"),
        ({"rows": [-1], "action": "label", "label": "a"}, "row -1 is not in the run"),
        ({"rows": ["../../etc/passwd"], "action": "label", "label": "a"}, "is not in the run"),
        ({"rows": [], "action": "label", "label": "a"}, "at least one row"),
        ({"rows": [0], "action": "label", "label": "x" * 10_000}, "at most 200 letters, got 10000"),
        ({"rows": [0], "action": "label", "label": ""}, "a class needs a name"),
        ({"rows": [0], "action": "label", "label": "a\nb"}, "one line of visible letters"),
        ({"rows": [0], "action": "label", "label": ["a"]}, "a class needs a name"),
        ({"rows": [0], "action": "burn"}, "action 'burn' is not known"),
        ({"rows": [0], "action": "accept"}, "there is no label to accept"),
        ({"rows": "all", "action": "label", "label": "a"}, "rows must be a list"),
    ],
)
def test_bad_decisions_are_refused_in_words_and_not_written(run: Run, body: dict[str, Any], words: str) -> None:
    with asked(run) as (_, [client]):
        answer = client.post("/api/decisions", json=body)
        assert answer.status_code == 400
        assert words in answer.json()["error"]
        assert client.get("/api/decisions").json()["decisions"] == []


def test_markup_in_a_class_name_travels_as_text(run: Run) -> None:
    name = "<img src=x onerror=alert(1)>"
    with asked(run) as (_, [client]):
        decide(client, [0], name)
        answer = client.get("/api/run")
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["classes"][0]["name"] == name
        assert name not in client.get("/api/docs").text


def test_other_bad_requests_get_a_sentence(run: Run) -> None:
    with asked(run) as (_, [client]):
        for path, status in (
            (f"/api/items/{COUNT}", 404),
            (f"/api/items/{COUNT}/media", 404),
            ("/api/items/..%2F..%2Fetc%2Fpasswd", 404),
            ("/..%2F..%2F..%2Fetc%2Fpasswd", 404),
            ("/../../pyproject.toml", 404),
            ("/api/queue?order=best", 400),
            ("/api/queue?order=class&class=nobody", 400),
            ("/api/queue?n=x", 400),
            ("/api/items?rows=1,a", 400),
            ("/api/nothing", 404),
        ):
            answer = client.get(path)
            assert answer.status_code == status, path
            assert answer.json()["error"], path
        plain = client.post("/api/decisions", content=b"{}", headers={"content-type": "text/plain"})
        assert plain.status_code == 400
        broken = client.post("/api/decisions", content=b"{", headers={"content-type": "application/json"})
        assert "not JSON" in broken.json()["error"]


def test_a_disk_that_is_full_refuses_the_decision_and_the_answer_stays(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with asked(run) as (review, [client]):
        decide(client, [0], "a")
        pages = review.desk.journal._database.execute("PRAGMA page_count").fetchone()[0]
        review.desk.journal._database.execute(f"PRAGMA max_page_count={pages}")
        for number in range(200):
            answer = client.post(
                "/api/decisions", json={"rows": list(range(COUNT)), "action": "label", "label": f"{number}"}
            )
            if answer.status_code != 200:
                break
        assert answer.status_code == 507
        assert "nothing is lost" in answer.json()["error"]
        kept = len(client.get("/api/decisions?n=1000").json()["decisions"])
        assert kept == number + 1
        review.desk.journal._database.execute("PRAGMA max_page_count=1000000")
        decide(client, [1], "b")


def test_a_source_that_moved_leaves_the_review_working(run: Run) -> None:
    run.note(source="/nowhere/photos")
    with asked(run) as (_, [client]):
        content = client.get("/api/items/0").json()["content"]
        assert content["type"] == "missing"
        assert "nowhere" in content["why"]
        assert client.get("/api/items/0/media").status_code == 404
        decide(client, [0], "a")


def test_the_stream_tells_the_run_and_what_changed(run: Run) -> None:
    import asyncio
    import base64

    async def listen() -> list[tuple[str, str]]:
        stream = review.events.listen([("run", review.run("ann"))])
        told = [await anext(stream)]
        await asyncio.to_thread(review.desk.decide, "ann", [0, 1], "label", label="a")
        await asyncio.to_thread(review.desk.renew)
        while b"event: answer" not in told[-1]:
            told.append(await anext(stream))
        review.events.end()
        told += [frame async for frame in stream]
        return [tuple(frame.decode().split("\n")[:2]) for frame in told]  # type: ignore[misc]

    with asked(run) as (review, _):
        review.worker.stop()
        frames = asyncio.run(listen())
    names = [name.removeprefix("event: ") for name, _ in frames]
    assert names[0] == "run"
    assert {"decision", "answer"} <= set(names)
    data = next(data for name, data in frames if name == "event: answer").removeprefix("data: ")
    content = base64.b64decode(data)
    version, n = struct.unpack_from("<II", content)
    assert version == 2
    assert len(content) == 8 + n * (4 + 2 + 1 + 1)
    rows = np.frombuffer(content, "<u4", n, 8)
    sources = np.frombuffer(content, "u1", n, 8 + 7 * n)
    assert [int(sources[rows == row][0]) for row in (0, 1)] == [2, 2]


def test_the_description_names_every_route_and_no_other(run: Run) -> None:
    with asked(run) as (_, [client]):
        document = client.get("/api/openapi.json").json()
        from handful.reviewing.app import make_app
        from handful.reviewing.openapi import openapi

        assert json.dumps(document) == json.dumps(openapi())
        page = client.get("/api/docs").text
    with asked(run) as (review, _):
        routes = {
            (route.path.replace(":int", ""), method.lower())  # type: ignore[attr-defined]
            for route in make_app(review).routes
            for method in (route.methods or ()) - {"HEAD"}  # type: ignore[attr-defined]
            if route.path.startswith("/api")  # type: ignore[attr-defined]
        }
    assert {(path, method) for path, calls in document["paths"].items() for method in calls} == routes
    assert all(f"<code>{method.upper()} {path}</code>" in page for path, method in routes)


def test_a_run_that_cannot_be_reviewed_says_what_to_do(run: Run, tmp_path) -> None:  # type: ignore[no-untyped-def]
    import handful

    (run.folder / "embeddings.npy").unlink()
    with pytest.raises(InputError, match="run `handful embed`"):
        handful.review(run.folder, browser=False)
    with pytest.raises(InputError, match="is not a run folder"):
        handful.review(tmp_path / "nothing", browser=False)
    run.note(format=99)
    with pytest.raises(InputError, match="format 99"):
        handful.review(run.folder, browser=False)


def test_a_network_needs_names(run: Run) -> None:
    import handful

    with pytest.raises(InputError, match="name each person"):
        handful.review(run, host="0.0.0.0", browser=False)
    with pytest.raises(InputError, match="different names"):
        handful.review(run, people=["ann", "ann"], browser=False)


def test_a_second_server_and_a_used_port_are_refused(run: Run) -> None:
    import socket

    import handful
    from handful.run.folder import locked

    with locked(run), pytest.raises(InputError, match="in use by another run"):
        handful.review(run, browser=False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} of 127.0.0.1 is in use"):
            handful.review(run, port=port, browser=False)
    with pytest.raises(InputError, match="ports are 1 to 65535"):
        handful.review(run, port=70_000, browser=False)


def test_refused_is_bad_input() -> None:
    assert issubclass(Refused, InputError)
