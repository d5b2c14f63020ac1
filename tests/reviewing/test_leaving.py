"""Labels are written when the last page has gone."""

from __future__ import annotations

import asyncio
import time

import pytest
from desks import asked, truth

from handful.reviewing.leaving import Leaving
from handful.run.folder import Run, open_run


def test_labels_are_written_once_nobody_is_there_and_not_before() -> None:
    saved: list[float] = []
    there = [True]
    leaving = Leaving(lambda: saved.append(time.monotonic()), lambda: there[0], wait=0.05)
    leaving.left()
    time.sleep(0.2)
    assert saved == []
    there[0] = False
    leaving.left()
    leaving.left()
    time.sleep(0.2)
    assert len(saved) == 1
    leaving.left()
    leaving.end()
    leaving.left()
    time.sleep(0.2)
    assert len(saved) == 1


def test_a_save_that_fails_is_said_and_does_not_end_the_review(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise OSError("no space left on the device")

    leaving = Leaving(fail, lambda: False, wait=0)
    leaving.left()
    time.sleep(0.1)
    leaving.end()
    assert "the decisions are kept" in caplog.text


def test_a_run_has_the_labels_of_all_decisions_after_its_page_is_closed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Leaving.__init__, "__kwdefaults__", {"wait": 0.05})

    async def visit() -> None:
        stream = review.events.listen([("run", {})])
        await anext(stream)
        for row in range(3):
            await asyncio.to_thread(review.desk.decide, "ann", [row], "label", label=truth(row))
        await stream.aclose()

    with asked(run) as (review, _):
        asyncio.run(visit())
        until = time.monotonic() + 60
        while not (run.folder / "labels.parquet").is_file() and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.2)
        rows = open_run(run.folder).labels.to_pylist()
        assert [row["source"] for row in rows[:4]] == ["reviewed"] * 3 + ["propagated"]
