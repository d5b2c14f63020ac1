"""One run under review: decisions come in, go to the journal, and the answer follows. All threads go through here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from handful.errors import InputError, quoted
from handful.reviewing.classes import Classes
from handful.reviewing.confidence import Curve, fit_curve, signs_of
from handful.reviewing.live import Answer, Live
from handful.reviewing.opened import Opened
from handful.reviewing.progress import ASKED, audit_result, judge
from handful.reviewing.state import State
from handful.run.journal import ACTIONS, LABELLING, Before, Decision, Journal, Refused

PROPAGATED, GIVEN, REVIEWED, UNREACHED = range(4)
STEP = 3  # of 255: a confidence that changes by less is not sent again
SHOWN = 0.25  # of a case that was shown because it was in doubt
MOST_JUDGED = 500  # known rows that the confidence is learnt from
Tell = Callable[[str, Any], None]


class Desk:
    """Holds the decisions and the answer of a run.

    tell: called with the name of an event and JSON values, or for "answer" (version, rows), when something changed.
    asked: the accuracy that is enough.
    """

    def __init__(self, opened: Opened, journal: Journal, *, tell: Tell, asked: float = ASKED) -> None:
        self.opened, self.journal, self.asked = opened, journal, asked
        self._tell = tell
        self.lock = threading.RLock()
        self._live_lock, self._renewing = threading.Lock(), threading.Lock()
        self.classes = Classes(opened.start.classes)
        self.state = State(len(opened), self.classes)
        self._given = np.where(opened.start.given, opened.start.codes, -1).astype(np.int32)
        entries = journal.entries()
        found = iter(opened.rows_of([name for entry in entries for name in entry.ids]).tolist())
        for entry in entries:
            self.state.take(entry, [row for row in islice(found, len(entry.ids)) if row >= 0])
        self.version = 1
        self.codes = np.where(opened.start.codes >= 0, opened.start.codes, -1).astype(np.int16)
        self.confidence = np.round(255 * opened.start.confidence).astype(np.uint8)
        self.source = np.full(len(opened), UNREACHED, np.uint8)
        self._first_sources()
        self.answer: Answer | None = None
        self.signs = np.zeros((len(opened), 2))
        self.curve = fit_curve(np.empty((0, 2)), np.empty(0), np.empty(0), max(len(self.classes), 2))
        self.history: list[tuple[int, float]] = []
        self.progress = judge(
            None, below=0, open_rows=0, unreached=0, decisions=self.state.count(), labels=0, asked=asked, history=()
        )
        self._live: Live | None = None
        self._counted = self._count()

    def __len__(self) -> int:
        return len(self.opened)

    # ---- what people do

    def decide(
        self,
        who: str,
        rows: Sequence[int],
        action: str,
        *,
        label: Any = None,
        seen: Sequence[int] | None = None,
        key: str | None = None,
    ) -> tuple[list[Decision], list[Decision]]:
        """Write a decision on `rows` and return what was written, and what other people had decided otherwise.

        seen: the class that the person saw at each row, by number, -1 for none; what "accept" accepts and "reject"
        rejects. key: as in `Journal.add`.
        Raises InputError for what cannot be decided, Refused where the journal does not take it.
        """
        if action not in ACTIONS:
            raise InputError(f"action {action!r} is not known: choose one of {', '.join(ACTIONS)}.")
        rows = self._checked(rows)
        with self.lock:
            parts = self._by_label(rows, action, label, seen)
            written = []
            for number, (name, part) in enumerate(parts):
                entry = self.journal.add(
                    who,
                    action,
                    label=name,
                    ids=self.opened.ids_of(part),
                    before=[self._before(row) for row in part],
                    key=None if key is None else f"{key}#{number}",
                )
                if entry.number not in self.state.decisions:
                    self.state.take(entry, part)
                written.append(self.state.decisions[entry.number])
            disputed = rows if action in LABELLING else ()
            conflicts = [one for row in disputed for one in self.state.conflicting(row) if one.entry.who != who]
        for one in written:
            self._tell("decision", self.record(one))
        return written, list({one.entry.number: one for one in conflicts}.values())

    def undo(self, who: str, number: int | None = None) -> Decision:
        """Undo a decision, the last of this person if no number is given; return it.

        Raises Refused where there is none, or it was undone already.
        """
        with self.lock:
            number = self.state.last_of(who) if number is None else number
            if number is None:
                raise Refused("there is no decision of yours to undo.")
            decision = self._decision(number)
            self.state.take(self.journal.add(who, "undo", target=number))
        self._tell("decision", self.record(decision))
        return decision

    def edit(self, who: str, number: int, label: Any) -> Decision:
        """Give a decision another label and return it. Raises Refused where it gave none, or was undone."""
        with self.lock:
            decision = self._decision(number)
            if decision.undone or decision.entry.kind not in LABELLING:
                raise Refused(f"decision {number} stands for no label: decide on its items again.")
            name = self._named(label)
            self.state.take(self.journal.add(who, "edit", label=name, target=number))
        self._tell("decision", self.record(decision))
        return decision

    def add_class(self, who: str, name: Any) -> None:
        """Name a class. Raises InputError where it cannot be one."""
        with self.lock:
            if name not in self.classes:
                self.state.take(self.journal.add(who, "class", label=self.classes.check(name)))
        self._tell("run", None)

    def draw_audit(self, who: str, n: int, rng: np.random.Generator) -> list[int]:
        """Return `n` rows drawn at random from those that no person decided on."""
        with self.lock:
            open_rows = np.flatnonzero((self.state.codes < 0) & (self._given < 0))
            rows = rng.choice(open_rows, min(n, len(open_rows)), replace=False).tolist()
            if rows:
                self.state.take(self.journal.add(who, "audit", ids=self.opened.ids_of(rows)), rows)
        return rows

    def take_labels(self, who: str, labels: Mapping[str, Any]) -> tuple[int, list[Decision]]:
        """Decide on items by id, as an import tells; return how many, and what other people had decided otherwise.

        A label that a row has from a person already is not decided again. Raises InputError where an id is not in the
        run.
        """
        rows = self.opened.rows_of(list(labels))
        unknown = next((name for name, row in zip(labels, rows.tolist(), strict=True) if row < 0), None)
        if unknown is not None:
            raise InputError(f"{quoted(unknown)} is not an id of this run.")
        with self.lock:
            parts: dict[Any, list[int]] = {}
            known = self.known()
            for row, label in zip(rows.tolist(), labels.values(), strict=True):
                name = self._named(label)
                if known[row] < 0 or self.classes.names[known[row]] != name:
                    parts.setdefault(name, []).append(row)
            conflicts = [one for name, part in parts.items() for one in self.decide(who, part, "label", label=name)[1]]
        return sum(map(len, parts.values())), conflicts

    # ---- what the worker does

    def renew(self) -> None:
        """Let the answer follow the decisions, and tell what changed; the first time takes a while on a large run."""
        with self._renewing:  # else an older answer could be told after a newer one
            self._renew()

    def _renew(self) -> None:
        with self._live_lock:
            self._live = self._live or Live(self.opened.weights)
        with self.lock:
            known = self.known()
            masked = {row: set(codes) for row, codes in self.state.rejected.items()}
            n_classes, decisions = len(self.classes), self.state.count()
        with self._live_lock:
            self._live.grow(n_classes)
            rows = np.flatnonzero(self._live.codes != known)
            self._live.set_labels(rows, known[rows])
            answer = self._live.answer(masked)
            curve, audited = self._fit(known), self._tell_again(known)
        signs = signs_of(answer.share, answer.next_share, answer.nearness)
        confidence = curve(signs).astype(np.float32) * (answer.codes >= 0)
        known_rows = known >= 0
        confidence[known_rows] = 1
        source = np.where(answer.codes >= 0, PROPAGATED, UNREACHED).astype(np.uint8)
        with self.lock:
            source[known_rows] = GIVEN
            source[self.state.codes >= 0] = REVIEWED
            self.answer, self.signs, self.curve = answer, signs, curve
            self._publish(answer.codes.astype(np.int16), np.round(255 * confidence).astype(np.uint8), source)
            self._judge(curve, known_rows, decisions, audited)
        self._tell("run", None)

    def carriers(self, row: int, most: int = 6) -> list[tuple[int, float]]:
        """Return the known rows that carried a row's label to it, and their share of it."""
        code = int(self.codes[row])
        if self._live is None or code < 0 or self.source[row] != PROPAGATED:
            return []
        with self._live_lock:
            return self._live.carriers(row, code, most)

    def issues(self) -> tuple[np.ndarray, np.ndarray]:
        """Return [m] known rows that the labels of the others contradict, and how much: the share of another class."""
        if self._live is None:
            return np.empty(0, np.int64), np.empty(0)
        with self._live_lock:
            rows = np.flatnonzero(self._live.codes >= 0)
            rows = rows[-MOST_JUDGED:]
            (shares, _), codes = self._live.left_out(rows), self._live.codes[rows]
        wrong = (shares.max(axis=1, initial=0) > 0) & (shares.argmax(axis=1) != codes) if shares.size else codes < 0
        return rows[wrong], (1 - shares[np.arange(len(rows)), codes])[wrong]

    # ---- what is asked

    def known(self) -> np.ndarray:
        """Return [N] the class of each row that a person decided on or that was given, -1 for the others."""
        return np.where(self.state.codes >= 0, self.state.codes, self._given)

    def given_label(self, row: int) -> Any:
        """Return the label that a row came with, None for none."""
        return None if self._given[row] < 0 else self.classes.names[self._given[row]]

    def label(self, row: int) -> Any:
        """Return the label of a row as it is told now, None for none."""
        code = int(self.codes[row])
        return None if code < 0 else self.classes.names[code]

    def record(self, decision: Decision) -> dict[str, Any]:
        """Return a decision as it is told."""
        entry = decision.entry
        return {
            "number": entry.number,
            "when": entry.moment,
            "who": entry.who,
            "rows": self.state.rows.get(entry.number, []),
            "action": entry.kind,
            "label": None if decision.label is None else str(decision.label),
            "before": [None if one.label is None else str(one.label) for one in entry.before],
            "undone": decision.undone,
        }

    def counts(self) -> dict[str, int]:
        """Return how many rows are given, reviewed, propagated and unreached."""
        return dict(zip(("propagated", "given", "reviewed", "unreached"), self._counted[1].tolist(), strict=True))

    def class_counts(self) -> list[tuple[int, int]]:
        """Return for each class how many rows people gave it, and how many have it in all."""
        known = np.bincount(self.known()[self.known() >= 0], minlength=len(self.classes))
        return list(zip(known.tolist(), [*self._counted[0].tolist(), *[0] * len(known)], strict=False))

    def audit(self) -> dict[str, float] | None:
        """Return what the random checks say of the labels that stood before them."""
        pairs = [self._checked_by(row) for row in dict.fromkeys(self.state.audited)]
        return audit_result(sum(pair is True for pair in pairs), sum(pair is not None for pair in pairs))

    # ---- inside

    def _checked(self, rows: Sequence[int]) -> list[int]:
        for row in rows:
            if isinstance(row, bool) or not isinstance(row, int) or not 0 <= row < len(self):
                raise InputError(f"row {quoted(row)} is not in the run: rows are 0 to {len(self) - 1}.")
        if not rows:
            raise InputError("a decision needs at least one row.")
        return list(dict.fromkeys(rows))

    def _by_label(
        self, rows: list[int], action: str, label: Any, seen: Sequence[int] | None
    ) -> list[tuple[Any, list[int]]]:
        """Return the label of the decision and its rows; several where what is accepted or rejected differs."""
        if action == "label":
            return [(self._named(label), rows)]
        if action in ("flag", "skip"):
            return [(None, rows)]
        codes = [int(self.codes[row]) for row in rows] if seen is None else list(seen)
        if len(codes) != len(rows):
            raise InputError(f"seen must name one class for each of the {len(rows)} rows, got {len(codes)}.")
        if not all(isinstance(code, int) and 0 <= code < len(self.classes) for code in codes):
            raise InputError(f"there is no label to {action} at one of the rows: give it one.")
        parts: dict[int, list[int]] = {}
        for row, code in zip(rows, codes, strict=True):
            parts.setdefault(code, []).append(row)
        return [(self.classes.names[code], part) for code, part in parts.items()]

    def _named(self, label: Any) -> Any:
        """Return a label as this run's classes are written; a new one becomes a class with the decision."""
        return self.classes.names[self.classes.code(label)] if label in self.classes else self.classes.check(label)

    def _before(self, row: int) -> Before:
        propagated = self.source[row] == PROPAGATED
        return Before(self.label(row), round(float(self.confidence[row]) / 255, 4) if propagated else None)

    def _decision(self, number: int) -> Decision:
        if number not in self.state.decisions:
            raise Refused(f"there is no decision {number}.")
        return self.state.decisions[number]

    def _first_sources(self) -> None:
        """Show what the run came with, and what was decided before, until the live answer is there."""
        self.source[self.codes >= 0] = PROPAGATED
        self.source[self._given >= 0] = GIVEN
        reviewed = self.state.codes >= 0
        self.codes[reviewed], self.source[reviewed] = self.state.codes[reviewed], REVIEWED
        self.confidence[self.source == REVIEWED] = 255

    def _fit(self, known: np.ndarray) -> Curve:
        """Return the confidence curve, learnt from the known rows, the reviewed ones and the latest first."""
        assert self._live is not None
        rows = np.flatnonzero(known >= 0)
        if len(rows) > MOST_JUDGED:
            rows = np.random.default_rng(0).choice(rows, MOST_JUDGED, replace=False)
        n_classes = len(np.unique(known[rows]))
        shares, nearness = self._live.left_out(rows)
        judged = (shares.max(axis=1, initial=0) > 0) & (n_classes > 1)
        shares, rows = shares[judged], rows[judged]
        if not len(rows):
            return fit_curve(np.empty((0, 2)), np.empty(0), np.empty(0), n_classes)
        ranked = np.sort(shares, axis=1)
        signs = signs_of(ranked[:, -1], ranked[:, -2], nearness[judged])
        return fit_curve(signs, shares.argmax(axis=1) == known[rows], self._weights(rows), n_classes)

    def _weights(self, rows: np.ndarray) -> np.ndarray:
        """Return [m] what each known row counts.

        The rows of one decision count as one, and where they were not drawn at random for a fourth: people are shown
        what is in doubt, which is harder than the rest however alike the signs.
        """
        with self.lock:
            standing = [self.state.standing(int(row)) for row in rows]
            drawn = set(self.state.audited)
        weight = np.array([1 / len(self.state.rows[one[-1].entry.number]) if one else 1.0 for one in standing])
        chosen = np.array([bool(one) and int(row) not in drawn for row, one in zip(rows, standing, strict=True)], bool)
        return np.where(chosen, SHOWN * weight, weight)

    def _publish(self, codes: np.ndarray, confidence: np.ndarray, source: np.ndarray) -> None:
        """Replace what is told of the rows that changed visibly, and tell which."""
        moved = np.abs(confidence.astype(np.int16) - self.confidence) >= STEP
        rows = np.flatnonzero(moved | (codes != self.codes) | (source != self.source))
        if not len(rows):
            return
        self.codes[rows], self.confidence[rows], self.source[rows] = codes[rows], confidence[rows], source[rows]
        self.version += 1
        self._counted = self._count()
        self._tell("answer", (self.version, rows, codes[rows], confidence[rows], source[rows]))

    def _count(self) -> tuple[np.ndarray, np.ndarray]:
        by_class = np.bincount(self.codes[self.codes >= 0], minlength=len(self.classes))
        return by_class, np.bincount(self.source, minlength=4)

    def _judge(self, curve: Curve, known: np.ndarray, decisions: int, audited: tuple[int, int]) -> None:
        open_rows = (self.source == PROPAGATED) & ~known
        two = len(np.unique(self.known()[known])) > 1
        expected = curve.expect(self.signs[open_rows]) if two else None
        labels = int(known.sum())
        if expected is not None and (not self.history or self.history[-1][0] < labels):
            self.history.append((labels, 1 - expected[0]))
        self.progress = judge(
            expected,
            below=int((self.confidence[open_rows] < round(255 * self.asked)).sum()),
            open_rows=int(open_rows.sum()),
            unreached=int((self.source == UNREACHED).sum()),
            decisions=decisions,
            labels=labels,
            asked=self.asked,
            history=self.history,
            audited=audited,
        )

    def _tell_again(self, known: np.ndarray) -> tuple[int, int]:
        """Return how many of the checked rows the labels of the others tell rightly now, and how many there are."""
        assert self._live is not None
        with self.lock:
            rows = np.array([row for row in dict.fromkeys(self.state.audited) if known[row] >= 0], int)
        if not len(rows):
            return 0, 0
        shares = self._live.left_out(rows)[0]
        return int(((shares.argmax(1) == known[rows]) & (shares.max(1) > 0)).sum()), len(rows)

    def _checked_by(self, row: int) -> bool | None:
        """Return whether the label that stood at an audited row was right, None where nobody looked yet."""
        labelled = [one for one in self.state.standing(row) if one.entry.kind in LABELLING]
        if not labelled:
            return None
        place = labelled[0].entry.ids.index(self.opened.id(row))
        return str(labelled[0].entry.before[place].label) == str(labelled[-1].label)
