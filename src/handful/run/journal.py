"""decisions.sqlite: everything that people decided on a run, in the order in which they did, never changed again.

An entry is on the disk (SQLite in WAL mode with full synchronisation) before it is acknowledged. An undo and an edit
are entries of their own that point at the entry they change, so that what was decided before stays readable. Rows
are kept by id: a run that grows keeps its decisions.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from handful.errors import InputError

NAME = "decisions.sqlite"
FORMAT = 1
LABELLING = ("label", "accept")
ACTIONS = (*LABELLING, "reject", "flag", "skip")
_TABLES = """
CREATE TABLE entries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    moment TEXT NOT NULL,
    who TEXT NOT NULL,
    kind TEXT NOT NULL,
    label TEXT NOT NULL,
    ids TEXT NOT NULL,
    before TEXT NOT NULL,
    target INTEGER REFERENCES entries (number),
    key TEXT
);
CREATE UNIQUE INDEX one_key ON entries (key) WHERE key IS NOT NULL;
CREATE UNIQUE INDEX one_undo ON entries (target) WHERE kind = 'undo';
CREATE TABLE given (id TEXT PRIMARY KEY, label TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Before:
    """What stood at a row when it was decided. label: None for none; confidence: of a propagated one, else None."""

    label: Any = None
    confidence: float | None = None


@dataclass(frozen=True)
class Entry:
    """One line of the journal.

    kind: one of `ACTIONS`, or "undo" or "edit" of the entry `target`, or "class": a class was named, or "audit": rows
        were drawn at random.
    label: the class; None where the kind has none.
    """

    number: int
    moment: str
    who: str
    kind: str
    label: Any
    ids: tuple[str, ...]
    before: tuple[Before, ...]
    target: int | None = None


@dataclass
class Decision:
    """A decision as it stands now: the entry, with the label of its last edit, and whether it was undone."""

    entry: Entry
    label: Any
    undone: bool = False


class Refused(InputError):
    """A decision that was not taken: it contradicts the journal, or could not be written."""


class Unwritten(Refused):
    """A decision that the disk did not take."""


class Journal:
    """The journal of a run folder, opened by one process. Methods may be called from any thread.

    Raises InputError where the file is damaged or of another version.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._lock = threading.Lock()
        try:
            self._database = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None, timeout=10)
            self._prepare()
        except sqlite3.Error as error:
            raise InputError(f"{self.path} cannot be used ({error}): move it aside, or free the disk.") from error

    def _prepare(self) -> None:
        run = self._database.execute
        run("PRAGMA journal_mode=WAL")
        run("PRAGMA synchronous=FULL")
        version = run("PRAGMA user_version").fetchone()[0]
        if version == 0:
            statements = [line for line in _TABLES.split(";") if line.strip()]
            with self._writing():
                for statement in statements:
                    run(statement)
                run(f"PRAGMA user_version={FORMAT}")
        elif version != FORMAT:
            raise InputError(f"{self.path} is of format {version}, this handful writes {FORMAT}: use the newer one.")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Hold a transaction that is on the disk when the block ends well, and never was when it does not."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close the file; what was acknowledged is in it."""
        with self._lock:
            self._database.close()

    def add(
        self,
        who: str,
        kind: str,
        *,
        label: Any = None,
        ids: Sequence[str] = (),
        before: Sequence[Before] = (),
        target: int | None = None,
        key: str | None = None,
    ) -> Entry:
        """Write one entry and return it once it is on the disk.

        key: names the entry for the one who asked; with a key that was written before, that entry is returned instead,
        so that what is sent again after a cut is not written twice.
        Raises Refused where the target was undone already, Unwritten where the disk does not take it: then nothing was
        written.
        """
        moment = datetime.now(UTC).isoformat(timespec="milliseconds")
        stood = json.dumps([[one.label, one.confidence] for one in before])
        row = (moment, who, kind, json.dumps(label), json.dumps(list(ids)), stood, target, key)
        with self._lock:
            try:
                with self._writing():
                    known = self._database.execute("SELECT * FROM entries WHERE key = ?", (key,)).fetchone()
                    if known is not None:
                        return _entry(known)
                    number = self._database.execute(
                        "INSERT INTO entries (moment, who, kind, label, ids, before, target, key) "
                        "VALUES (?,?,?,?,?,?,?,?)",
                        row,
                    ).lastrowid
            except sqlite3.IntegrityError as error:
                raise Refused(f"decision {target} was undone already.") from error
            except (sqlite3.Error, OSError) as error:
                raise Unwritten(
                    f"the decision was not taken: {self.path.name} could not be written ({error}); nothing is lost, "
                    "decide again when the disk has room."
                ) from error
        assert number is not None
        return Entry(number, moment, who, kind, label, tuple(ids), tuple(before), target)

    def entries(self, *, after: int = 0) -> list[Entry]:
        """Return the entries in their order, those with a number above `after`."""
        with self._lock:
            rows = self._database.execute("SELECT * FROM entries WHERE number > ? ORDER BY number", (after,)).fetchall()
        return [_entry(row) for row in rows]

    def keep_given(self, labels: Mapping[str, Any]) -> None:
        """Remember the labels that came with the run, by id, in the place of earlier ones.

        An undone decision falls back to them.
        """
        rows = [(name, json.dumps(label)) for name, label in labels.items()]
        with self._lock, self._writing():
            self._database.execute("DELETE FROM given")
            self._database.executemany("INSERT INTO given VALUES (?, ?)", rows)

    def given(self) -> dict[str, Any]:
        """Return the labels that came with the run, by id."""
        with self._lock:
            rows = self._database.execute("SELECT id, label FROM given").fetchall()
        return {name: json.loads(label) for name, label in rows}


def _entry(row: tuple[Any, ...]) -> Entry:
    number, moment, who, kind, label, ids, before, target, _ = row
    stood = tuple(Before(*pair) for pair in json.loads(before))
    return Entry(number, moment, who, kind, json.loads(label), tuple(json.loads(ids)), stood, target)


def fold(entries: Sequence[Entry]) -> dict[int, Decision]:
    """Return the decisions by number, as they stand after all `entries`."""
    decisions: dict[int, Decision] = {}
    for entry in entries:
        apply_entry(decisions, entry)
    return decisions


def apply_entry(decisions: dict[int, Decision], entry: Entry) -> None:
    """Take one more entry into `decisions`."""
    if entry.kind in ACTIONS:
        decisions[entry.number] = Decision(entry, entry.label)
    elif entry.target in decisions:
        changed = decisions[entry.target]
        changed.undone = changed.undone or entry.kind == "undo"
        changed.label = entry.label if entry.kind == "edit" else changed.label


def reviewed_labels(folder: Path) -> dict[str, Any]:
    """Return the labels that people decided on in a run folder, by id: the last decision on an item holds."""
    if not (folder / NAME).is_file():
        return {}
    journal = Journal(folder)
    try:
        decisions = fold(journal.entries())
    finally:
        journal.close()
    return {
        name: one.label
        for one in decisions.values()
        if one.entry.kind in LABELLING and not one.undone
        for name in one.entry.ids
    }
