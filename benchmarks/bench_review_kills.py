"""Kills of the review's server under three people who decide at once: is a decision lost that was acknowledged?

python benchmarks/bench_review_kills.py --kills 200 [--rows 5000] [--seed 0]

Each round a server process is started on the same run folder and killed (kill -9) after up to a second of work, at a
moment drawn at random. Three people label, edit and undo as fast as a tenth of a second allows. What was sent and not
acknowledged is sent again to the next server with the same key, as the page does. After each kill the journal is read:
every acknowledged act must be in it as it was acknowledged, and none twice.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import signal
import tempfile
import threading
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import httpx
import numpy as np
from bench_review import by_tree, write_run

from handful.reviewing.serve import review
from handful.run.folder import open_run
from handful.run.journal import Entry, Journal, fold

PEOPLE = ("ann", "bob", "cleo")
FORK = multiprocessing.get_context("fork")  # a server without the seconds that its imports take


@dataclass
class Person:
    """One who decides: what the server acknowledged, and what is still without an answer."""

    name: str
    rows: int
    draw: random.Random
    labels: dict[int, tuple[int, str]] = field(default_factory=dict)  # number: row and label
    undone: set[int] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    pending: dict[str, object] | None = None
    acts: int = 0
    fault: str = ""

    def work(self, address: str) -> None:
        """Act until the server is gone."""
        place, token = address.split("/?token=")
        with httpx.Client(base_url=place, headers={"Authorization": f"Bearer {token}"}, timeout=20) as client:
            try:
                while not self.fault:
                    self.act(client)
                    time.sleep(self.draw.uniform(0, 0.1))
            except httpx.HTTPError:
                return

    def act(self, client: httpx.Client) -> None:
        """Label mostly; now and then change or undo what was labelled before."""
        standing = [number for number in self.labels if number not in self.undone]
        kind = self.draw.random()
        if self.pending is None and standing and kind < 0.1:
            number = self.draw.choice(standing)
            reply = client.post("/api/undo", json={"number": number})
            self.undone.add(number)  # refused only where the undo before the kill was written
            self.expect(reply, 200, 409)
        elif self.pending is None and standing and kind < 0.2:
            number, label = self.draw.choice(standing), f"class {self.draw.randrange(5)}"
            row, before = self.labels[number]
            self.labels[number] = row, f"{before}|{label}"  # either, until it is acknowledged
            self.expect(client.patch(f"/api/decisions/{number}", json={"label": label}), 200)
            self.labels[number] = row, label
        else:
            if self.pending is None:
                key = f"{self.name}-{self.draw.getrandbits(64):x}"
                row, label = self.draw.randrange(self.rows), f"class {self.draw.randrange(5)}"
                self.pending = {"rows": [row], "action": "label", "label": label, "key": key}
            reply = client.post("/api/decisions", json=self.pending)
            self.expect(reply, 200)
            self.keys.add(f"{self.pending['key']}#0")
            self.labels[reply.json()["decisions"][0]["number"]] = self.pending["rows"][0], str(self.pending["label"])  # type: ignore[index]
            self.pending = None
        self.acts += 1

    def expect(self, reply: httpx.Response, *statuses: int) -> None:
        if reply.status_code not in statuses:
            self.fault = f"{self.name}: {reply.status_code} {reply.text}"


def lost(person: Person, entries: list[Entry], ids: list[str]) -> list[str]:
    """Return what the journal does not have as it was acknowledged."""
    decisions = fold(entries)
    undone = {entry.target for entry in entries if entry.kind == "undo"}
    found = []
    for number, (row, label) in person.labels.items():
        one = decisions.get(number)
        if one is None or one.entry.who != person.name or one.entry.ids != (ids[row],):
            found.append(f"decision {number} is missing")
        elif number not in person.undone and one.label not in label.split("|"):
            found.append(f"decision {number} is {one.label}, {label} was acknowledged")
    return found + [f"the undo of {number} is missing" for number in sorted(person.undone - undone)]


def serve(folder: Path, told: Connection) -> None:
    """Serve the run; in a process of its own."""
    review(folder, browser=False, people=PEOPLE, told=told.send)


def make(folder: Path, rows: int) -> None:
    vectors = np.random.default_rng(0).normal(size=(rows, 4)).astype(np.float32)
    write_run(folder, by_tree(vectors, 10), vectors)


def in_process(target, *given) -> multiprocessing.process.BaseProcess:  # type: ignore[no-untyped-def]
    process = FORK.Process(target=target, args=given)
    process.start()
    return process


def kill_and_check(folder: Path, people: list[Person], wait: float) -> list[str]:
    """Let the people work for `wait` seconds, kill the server, and return what was lost."""
    here, there = FORK.Pipe()
    server = in_process(serve, folder, there)
    there.close()
    links = here.recv()
    threads = [threading.Thread(target=one.work, args=(links[one.name],)) for one in people]
    for thread in threads:
        thread.start()
    time.sleep(wait)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    server.join()
    for thread in threads:
        thread.join()
    journal = Journal(folder)
    entries = journal.entries()
    keys = [key for (key,) in journal._database.execute("SELECT key FROM entries WHERE key IS NOT NULL")]
    journal.close()
    ids = open_run(folder).embeddings.ids.tolist()
    twice = len(keys) - len(set(keys))
    missing = {key for one in people for key in one.keys} - set(keys)
    found = [words for one in people for words in ([one.fault] if one.fault else []) + lost(one, entries, ids)]
    return found + ([f"{twice} decisions were written twice"] if twice else []) + [f"{key} is lost" for key in missing]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    people = [Person(name, options.rows, random.Random(f"{options.seed} {name}")) for name in PEOPLE]
    failures = 0
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "run"
        in_process(make, folder, options.rows).join()
        for kill in range(1, options.kills + 1):
            found = kill_and_check(folder, people, draw.uniform(0, 1))
            failures += len(found)
            if found or kill % 20 == 0 or kill == options.kills:
                acts = sum(one.acts for one in people)
                written = sum(len(one.labels) for one in people)
                words = f"{kill} kills, {acts} acts acknowledged, {written} of them decisions, {failures} lost"
                print("; ".join([words, *found[:5]]), f"({time.monotonic() - begin:.0f} s)", flush=True)
    raise SystemExit(failures > 0)


if __name__ == "__main__":
    main()
