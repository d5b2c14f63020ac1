"""What goes wrong around a review: files and disks that change, browsers that stop, two acts at once."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from desks import COUNT, asked, make_photo_run, settled, truth

from handful.reviewing.events import MOST_WAITING, Events
from handful.reviewing.saving import save_labels
from handful.run.folder import Run, open_run
from handful.run.journal import reviewed_labels


def test_items_deleted_under_the_page_are_said_to_be_gone_and_can_still_be_decided(tmp_path: Path) -> None:
    run = make_photo_run(tmp_path)
    (tmp_path / "photos" / "004.png").unlink()
    with asked(run) as (review, [client]):
        (tmp_path / "photos" / "005.png").unlink()
        assert client.get("/api/items/3").json()["content"]["type"] == "image"
        gone = client.get("/api/items/4").json()["content"]
        assert (gone["type"], gone["why"]) == ("missing", "this item is no longer in the source.")
        assert client.get("/api/items/4/media").status_code == 404
        assert client.get("/api/items/5/media").status_code in (200, 404)
        for row in (3, 4, 5):
            answer = client.post("/api/decisions", json={"rows": [row], "action": "label", "label": truth(row)})
            assert answer.status_code == 200
        settled(review)
    assert set(reviewed_labels(run.folder)) == {"003.png", "004.png", "005.png"}


@pytest.mark.parametrize(
    "trick", ["../secret.png", "a/../../secret.png", "/etc/hostname", "link.png", "a\0b.png", "." * 5000]
)
def test_an_id_never_leads_out_of_the_source(run: Run, tmp_path: Path, trick: str) -> None:
    source = Path(run.record["source"])
    secret = source.parent / "secret.png"
    secret.write_bytes(b"secret")
    link = source / "link.png"
    link.unlink(missing_ok=True)
    link.symlink_to(secret)
    try:
        table = pq.read_table(run.folder / "ids.parquet")
        ids = pa.array([trick, *table["id"].to_pylist()[1:]])
        table = table.set_column(table.column_names.index("id"), "id", ids)
        with run.writing("ids.parquet", step="embed") as (file,):
            pq.write_table(table, file)
        with asked(open_run(run.folder)) as (_, [client]):
            answer = client.get("/api/items/0/media")
            assert answer.status_code == 404
            assert b"secret" not in answer.content
            assert client.get("/api/items/0").json()["id"] == trick
    finally:
        link.unlink()


def test_two_undos_at_once_take_one_decision_back_each(run: Run) -> None:
    with asked(run) as (review, [client]):
        for row in range(3):
            review.desk.decide("ann", [row], "label", label=truth(row))
        answers: list[int] = []
        last = threading.Barrier(4)

        def undo(number: int | None) -> None:
            last.wait()
            answers.append(client.post("/api/undo", json={"number": number}).status_code)

        threads = [threading.Thread(target=undo, args=(number,)) for number in (3, 3, 2, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers) == [200, 200, 409, 409]
        assert [one["undone"] for one in client.get("/api/decisions").json()["decisions"]] == [True, True, False]


def test_a_browser_that_stopped_reading_is_let_go_and_the_others_are_told() -> None:
    async def listen() -> tuple[int, bytes]:
        events = Events()
        stopped, other = events.listen([("run", 1)]), events.listen([("run", 1)])
        await anext(stopped)
        await anext(other)
        for number in range(MOST_WAITING + 5):
            events.publish_json("decision", number)
            latest = await anext(other)
        left = [frame async for frame in stopped]
        events.end()
        return len(left), latest

    left, latest = asyncio.run(asyncio.wait_for(listen(), 30))
    assert left == 0  # the stream ends, and the page asks for everything when it comes back
    assert latest.endswith(f"data: {MOST_WAITING + 4}\n\n".encode())


def test_who_comes_back_after_a_day_gets_the_whole_answer_with_the_old_address(run: Run) -> None:
    with asked(run, "ann", "bob") as (review, [ann, bob]):
        before = ann.get("/api/answer")
        for row in range(3):
            bob.post("/api/decisions", json={"rows": [row], "action": "label", "label": truth(row)})
        settled(review)
        after = ann.get("/api/answer")
        assert int(after.headers["x-answer-version"]) > int(before.headers["x-answer-version"])
        assert len(after.content) == 4 * COUNT
        assert ann.post("/api/decisions", json={"rows": [5], "action": "label", "label": "down"}).status_code == 200


def test_a_disk_that_is_full_at_the_end_keeps_the_decisions(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    with asked(run) as (review, _):
        review.desk.decide("ann", [0], "label", label="across")
        review.desk.decide("ann", [1], "label", label="down")
        monkeypatch.setattr("handful.reviewing.saving.write_parquet", full)
        with pytest.raises(OSError, match="No space left"):
            save_labels(review.desk)
        assert not (run.folder / "labels.parquet").exists()
        monkeypatch.undo()
    assert reviewed_labels(run.folder) == {"000.png": "across", "001.png": "down"}
    assert open_run(run.folder).labels["source"].to_pylist()[:2] == ["reviewed", "reviewed"]
