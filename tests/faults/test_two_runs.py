"""Two runs on one folder: the second is refused, and the hold of a killed one is gone."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import label_in, results

import handful
from handful.errors import InputError

HOLDER = """
import sys, time
from handful.run.folder import locked, open_run
with locked(open_run(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_second_run_is_refused_until_the_first_ends(place: Path) -> None:
    wanted = results(place / "run")
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(place / "run")], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    with holder, holder.stdout:
        holder.stdout.readline()
        for second in (label_in(place), lambda: handful.report(place / "run")):
            with pytest.raises(InputError, match="is in use by another run: wait for it or choose another folder"):
                second()
        holder.send_signal(signal.SIGKILL)
    label_in(place)()
    assert results(place / "run") == wanted
