"""The page is there before the run is, and says how far it is."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from desks import COUNT, truth, write_photos
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from handful.errors import InputError
from handful.reviewing.preparing import Preparing, serving_meanwhile, waiting_app
from handful.reviewing.serve import listening, review_source
from handful.run.folder import Run, open_run
from handful.training.pretrain import Watch
from handful.training.schedule import Beat

START = "import sys; from handful.cli import main; sys.argv[0] = 'handful'; main()"


def test_what_is_being_done_is_told_and_nothing_else_can_be_asked() -> None:
    heard: list[object] = []
    preparing = Preparing("photos")
    watch = preparing.watching(Watch(stage=heard.append, step=heard.append))
    client = TestClient(waiting_app(preparing))
    assert client.get("/api/run").json() == {"name": "photos", "preparing": {"words": "Reading photos", "share": None}}
    beat = Beat(epoch=2, epochs=4, step=5, steps=10, loss=1, samples_per_second=9, seconds_left=300)
    watch.step(beat)
    told = client.get("/api/run").json()["preparing"]
    assert told == {"words": "Learning from the items, pass 2 of 4: 5 min left", "share": pytest.approx(15 / 40)}
    watch.stage("embedding 60 of 60 items")
    watch.rows(30, 60)
    assert client.get("/api/run").json()["preparing"] == {"words": "Embedding 60 of 60 items", "share": 0.5}
    assert heard == [beat, "embedding 60 of 60 items"]
    for path in ("/api/queue", "/api/map", "/api/events"):
        assert client.get(path).status_code == 503
    assert client.post("/api/decisions", json={}).json()["error"].startswith("the run is still being made")
    assert client.get("/nothing.js").status_code == 404


def test_the_next_server_takes_over_the_same_place() -> None:
    with listening("127.0.0.1", 0) as listener:
        place = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        for words in ("one", "two"):
            with serving_meanwhile(PlainTextResponse(words), listener), httpx.Client() as client:
                assert client.get(place, timeout=20).text == words


def test_bad_input_found_while_the_run_is_made_ends_the_review() -> None:
    def make(watch: Watch) -> Run:
        raise InputError("there is nothing to read in photos.")

    with pytest.raises(InputError, match="nothing to read"):
        review_source("photos", make, browser=False)
    with pytest.raises(InputError, match="name each person"):
        review_source("photos", make, host="0.0.0.0", browser=False)


def test_a_source_without_a_label_is_reviewed_from_its_address_on(tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos")
    words = [sys.executable, "-c", START, "review", str(photos), "--no-browser", "--method", "pca"]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert server.stdout is not None
    place, token = server.stdout.readline().strip().split("/?token=")
    waited = False
    with httpx.Client(base_url=place, headers={"Authorization": f"Bearer {token}"}, timeout=20) as client:
        until = time.monotonic() + 90
        while "items" not in (told := client.get("/api/run").json()):
            assert told["name"] == "photos"
            waited = True
            assert time.monotonic() < until
            time.sleep(0.05)
        assert waited
        assert told["items"] == COUNT
        for row in range(3):
            client.post("/api/decisions", json={"rows": [row], "action": "label", "label": truth(row)})
    server.send_signal(signal.SIGINT)
    _, said = server.communicate(timeout=120)
    assert "Traceback" not in said
    labels = open_run(tmp_path / "photos-run").labels.to_pylist()
    assert [row["source"] for row in labels[:4]] == ["reviewed", "reviewed", "reviewed", "propagated"]
