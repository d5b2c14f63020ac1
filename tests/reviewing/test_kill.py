"""A server that is killed loses no decision that it acknowledged, and the next one goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
from desks import COUNT

from handful.run.folder import Run, open_run

PEOPLE = ("ann", "bob", "cleo")
START = "import sys; from handful.cli import main; sys.argv[0] = 'handful'; main()"


def start(folder: Path, log: Path) -> tuple[subprocess.Popen[str], dict[str, str]]:
    """Start a real server on a run and return it with the address for each person."""
    options = [word for name in PEOPLE for word in ("--person", name)]
    with log.open("a") as words:
        server = subprocess.Popen(
            [sys.executable, "-c", START, "review", str(folder), "--no-browser", *options],
            stdout=subprocess.PIPE,
            stderr=words,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    assert server.stdout is not None
    lines = [server.stdout.readline().rstrip("\n").split("\t") for _ in PEOPLE]
    assert all(len(line) == 2 for line in lines), log.read_text()
    return server, dict(lines)  # type: ignore[arg-type]


def annotate(address: str, kept: list[int], ending: threading.Event) -> None:
    """Decide as fast as the server answers, until it is gone; keep the numbers that it acknowledged."""
    with httpx.Client(follow_redirects=True) as client:
        place = address.split("/?")[0]
        token = address.rpartition("=")[2]
        row = 0
        while not ending.is_set():
            row = (row + 7) % COUNT
            try:
                answer = client.post(
                    f"{place}/api/decisions",
                    json={"rows": [row], "action": "label", "label": "ab"[row % 2]},
                    headers={"Authorization": f"Bearer {token}"},
                    timeout=20,
                )
            except httpx.HTTPError:
                return
            kept.append(answer.json()["decisions"][0]["number"])


def end(server: subprocess.Popen[str], how: signal.Signals) -> int:
    """Send a signal to the server and return how it ended."""
    server.send_signal(how)
    code = server.wait(180)
    assert server.stdout is not None
    server.stdout.close()
    return code


def test_no_acknowledged_decision_is_lost_to_kill_9_and_the_next_server_goes_on(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "log"
    kept: list[int] = []
    server, addresses = start(run.folder, log)
    ending = threading.Event()
    threads = [threading.Thread(target=annotate, args=(one, kept, ending)) for one in addresses.values()]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 60
    while len(kept) < 60 and time.monotonic() < until:
        time.sleep(0.01)
    end(server, signal.SIGKILL)
    ending.set()
    for thread in threads:
        thread.join()
    assert len(kept) >= 60

    server, addresses = start(run.folder, log)
    place, token = addresses["ann"].split("/?token=")
    with httpx.Client(base_url=place, headers={"Authorization": f"Bearer {token}"}, timeout=20) as client:
        told = client.get("/api/decisions?n=1000").json()["decisions"]
        assert set(kept) <= {one["number"] for one in told}
        assert {one["who"] for one in told} == set(PEOPLE)
        words = [sys.executable, "-c", START, "review", str(run.folder), "--no-browser"]
        second = subprocess.run(words, capture_output=True, text=True)
        assert second.returncode == 2
        assert "in use by another run" in second.stderr
        assert "Traceback" not in second.stderr
        with client.stream("GET", "/api/events") as stream:
            assert "event: run" in next(stream.iter_lines())
            assert end(server, signal.SIGINT) in (0, 130)
    assert "Traceback" not in log.read_text()
    assert "reviewed" in open_run(run.folder).labels["source"].to_pylist()
