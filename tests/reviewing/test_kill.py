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

from handful.run.folder import Run
from handful.run.journal import Journal, fold

PEOPLE = ("ann", "bob", "cleo")
START = "import sys; from handful.cli import main; sys.argv[0] = 'handful'; main()"


def start(folder: Path, log: Path) -> tuple[subprocess.Popen[str], dict[str, str]]:
    """Start a real server on a run and return it with the address for each person."""
    options = [word for name in PEOPLE for word in ("--person", name)]
    server = subprocess.Popen(
        [sys.executable, "-c", START, "review", str(folder), "--no-browser", *options],
        stdout=subprocess.PIPE,
        stderr=log.open("a"),
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


def test_no_acknowledged_decision_is_lost_to_kill_9(run: Run, tmp_path: Path) -> None:
    kept: list[int] = []
    for _ in range(2):
        server, addresses = start(run.folder, tmp_path / "log")
        ending = threading.Event()
        threads = [threading.Thread(target=annotate, args=(one, kept, ending)) for one in addresses.values()]
        before = len(kept)
        for thread in threads:
            thread.start()
        until = time.monotonic() + 30
        while len(kept) < before + 30 and time.monotonic() < until:
            time.sleep(0.01)
        server.send_signal(signal.SIGKILL)
        server.wait()
        ending.set()
        for thread in threads:
            thread.join()
    assert len(kept) >= 60
    journal = Journal(run.folder)
    decisions = fold(journal.entries())
    journal.close()
    assert set(kept) <= set(decisions)
    assert {decisions[number].entry.who for number in kept} == set(PEOPLE)


def test_it_stops_cleanly_and_writes_the_labels(run: Run, tmp_path: Path) -> None:
    server, addresses = start(run.folder, tmp_path / "log")
    place, token = addresses["ann"].split("/?token=")
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.stream("GET", f"{place}/api/events", headers=headers, timeout=20) as stream:
        assert "event: run" in next(stream.iter_lines())
        for row, label in ((0, "a"), (1, "b")):
            body = {"rows": [row], "action": "label", "label": label}
            assert httpx.post(f"{place}/api/decisions", json=body, headers=headers, timeout=20).status_code == 200
        server.send_signal(signal.SIGINT)
        assert server.wait(60) in (0, 130)
    assert "Traceback" not in (tmp_path / "log").read_text()
    assert run.labels["source"].to_pylist()[:2] == ["reviewed", "reviewed"]


def test_a_second_server_is_refused_in_one_sentence(run: Run, tmp_path: Path) -> None:
    server, _ = start(run.folder, tmp_path / "log")
    try:
        told = subprocess.run(
            [sys.executable, "-c", START, "review", str(run.folder), "--no-browser"], capture_output=True, text=True
        )
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
    assert told.returncode == 2
    assert "in use by another run" in told.stderr
    assert "Traceback" not in told.stderr
