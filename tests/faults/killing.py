"""Commands run in children that are killed with SIGKILL: at a moment, or before or after a change of a file."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def run_child(arguments: list[str], *, said: Path, prepare: Callable[[], None], kill_after: float | None = None) -> int:
    """Run a command of handful in a forked child and return how it ended: its exit code, or minus the signal.

    said: where its words go. prepare: called in the child before. kill_after: seconds, after which it is killed.
    """
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        words = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(words, 1)
        os.dup2(words, 2)
        prepare()
        run_command(arguments)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run_command(arguments: list[str]) -> None:
    """Run the command line as a person does, and end this process with its exit code."""
    from handful import files
    from handful.cli import main as handful

    files._swept.clear()  # a process of its own has looked at no folder yet
    sys.argv = ["handful", *arguments]
    try:
        handful()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 99
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def watch_changes(before: Callable[[], None], after: Callable[[], None]) -> None:
    """Call `before` and `after` around each change of a file."""
    from handful import files

    def watched(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            before()
            answer = function(*given, **named)
            after()
            return answer

        return call

    for name in ("replace", "fsync", "unlink"):
        setattr(os, name, watched(getattr(os, name)))
    files._open_temporary = watched(files._open_temporary)


def count_changes(told: Path) -> None:
    """Note in `told` how many changes there were."""
    count = [0]

    def note() -> None:
        count[0] += 1
        told.write_text(str(count[0]))

    watch_changes(lambda: None, note)


def kill_at_change(at: int, late: bool) -> None:
    """Kill this process before, or right after, change number `at`."""
    count = [0]

    def look(now: bool) -> None:
        if now and count[0] == at:
            os.kill(os.getpid(), signal.SIGKILL)
        if now == late:
            count[0] += 1

    watch_changes(lambda: look(not late), lambda: look(late))
