"""What people decided, by row: the journal folded into arrays, one entry at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from handful.reviewing.classes import Classes
from handful.run.journal import LABELLING, Decision, Entry, apply_entry

NONE = -1


class State:
    """The decisions as they stand, by row.

    codes: [N] int32 the class people decided on, -1 for none. flagged: rows set aside for a second look.
    rejected: by row, the classes it is known not to have. audited: rows that were drawn at random.
    rows: of each decision, by its number.
    """

    def __init__(self, n_rows: int, classes: Classes) -> None:
        self.classes = classes
        self.codes = np.full(n_rows, NONE, np.int32)
        self.decisions: dict[int, Decision] = {}
        self.flagged: set[int] = set()
        self.rejected: dict[int, set[int]] = {}
        self.audited: list[int] = []
        self.rows: dict[int, list[int]] = {}
        self._of_row: dict[int, list[int]] = defaultdict(list)

    def take(self, entry: Entry, rows: Sequence[int] = ()) -> list[int]:
        """Take one more entry in; return the rows that it may have changed.

        rows: of the entry's ids, in their order, without those that are no longer in the run.
        """
        apply_entry(self.decisions, entry)
        if entry.kind == "audit":
            self.audited = [*self.audited, *rows]
            return []
        if entry.kind == "class":
            self.classes.add(entry.label)
            return []
        number = entry.number
        if entry.target is None:
            self.rows[number] = list(rows)
            for row in rows:
                self._of_row[row].append(number)
        elif entry.target in self.rows:
            number = entry.target
        if entry.label is not None:
            self.classes.add(entry.label)
        changed = self.rows.get(number, [])
        for row in changed:
            self._settle(row)
        return changed

    def standing(self, row: int) -> list[Decision]:
        """Return the decisions on a row that were not undone, in their order."""
        return [self.decisions[number] for number in self._of_row.get(row, ()) if not self.decisions[number].undone]

    def last_of(self, who: str) -> int | None:
        """Return the number of a person's last decision that stands, None where there is none."""
        numbers = reversed(self.decisions)
        return next((n for n in numbers if self.decisions[n].entry.who == who and not self.decisions[n].undone), None)

    def conflicting(self, row: int) -> list[Decision]:
        """Return the last labels that different people gave a row, where they differ; else nothing."""
        last = {one.entry.who: one for one in self.standing(row) if one.entry.kind in LABELLING}
        return list(last.values()) if len({str(one.label) for one in last.values()}) > 1 else []

    def conflicts(self) -> list[int]:
        """Return the rows that people disagree on."""
        return [row for row, numbers in self._of_row.items() if len(numbers) > 1 and self.conflicting(row)]

    def count(self) -> int:
        """Return how many decisions stand that gave labels."""
        return sum(not one.undone and one.entry.kind in LABELLING for one in self.decisions.values())

    def _settle(self, row: int) -> None:
        """Fold what stands at a row."""
        self.codes[row] = NONE
        self.flagged.discard(row)
        rejected: set[int] = set()
        for one in self.standing(row):
            if one.entry.kind in LABELLING:
                self.codes[row] = self.classes.code(one.label)
            elif one.entry.kind == "reject" and one.label is not None:
                rejected.add(self.classes.code(one.label))
            elif one.entry.kind == "flag":
                self.flagged ^= {row}
        self.rejected.pop(row, None)
        if rejected and self.codes[row] == NONE:
            self.rejected[row] = rejected
