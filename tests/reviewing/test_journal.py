"""The journal keeps all that was acknowledged and changes nothing that it holds."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from handful.errors import InputError
from handful.run.journal import Before, Journal, Refused, fold, reviewed_labels


def test_an_entry_comes_back_as_it_was_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    entry = journal.add("ann", "label", label=7, ids=["a", "é/b"], before=[Before("x", 0.5), Before()])
    assert Journal(tmp_path).entries() == [entry]
    assert entry.before == (Before("x", 0.5), Before(None, None))


def test_the_file_is_fully_synchronised(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    database = journal._database
    assert database.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert database.execute("PRAGMA synchronous").fetchone()[0] == 2


def test_an_undo_and_an_edit_are_entries_of_their_own(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    first = journal.add("ann", "label", label="cat", ids=["a"])
    second = journal.add("ann", "label", label="dog", ids=["b"])
    journal.add("bob", "edit", label="cow", target=second.number)
    journal.add("bob", "undo", target=first.number)
    assert [entry.kind for entry in journal.entries()] == ["label", "label", "edit", "undo"]
    decisions = fold(journal.entries())
    assert decisions[first.number].undone
    assert decisions[second.number].label == "cow"
    assert reviewed_labels(tmp_path) == {"b": "cow"}


def test_of_two_undos_at_once_one_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    number = journal.add("ann", "label", label="cat", ids=["a"]).number

    def undo(who: str) -> bool:
        try:
            return bool(journal.add(who, "undo", target=number))
        except Refused as error:
            return str(error) != f"decision {number} was undone already."

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(undo, ("ann", "bob"))) == [False, True]
    assert len(journal.entries()) == 2


def test_the_same_key_is_written_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    first = journal.add("ann", "label", label="cat", ids=["a"], key="k")
    assert journal.add("ann", "label", label="cat", ids=["a"], key="k") == first
    assert len(journal.entries()) == 1


def test_a_full_disk_refuses_the_decision_and_loses_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    kept = journal.add("ann", "label", label="cat", ids=["a"])
    pages = journal._database.execute("PRAGMA page_count").fetchone()[0]
    journal._database.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(Refused, match="could not be written") as told:
        journal.add("ann", "label", label="cat", ids=["x" * 200] * 500)
    assert "nothing is lost" in str(told.value)
    journal._database.execute("PRAGMA max_page_count=100000")
    after = journal.add("ann", "label", label="cat", ids=["b"])
    assert journal.entries() == [kept, after]


def test_a_journal_of_another_version_or_a_damaged_one_is_told(tmp_path: Path) -> None:
    Journal(tmp_path).close()
    with sqlite3.connect(tmp_path / "decisions.sqlite") as database:
        database.execute("PRAGMA user_version=9")
    database.close()
    with pytest.raises(InputError, match="format 9"):
        Journal(tmp_path)
    (tmp_path / "decisions.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(InputError, match="cannot be used"):
        Journal(tmp_path)
