"""Fuzz every reader of files under coverage guidance (atheris, libFuzzer), and keep what makes one fail.

    pip install atheris
    python benchmarks/fuzz_readers.py --minutes 10          # each reader of tests/faults/readers.py in turn
    python benchmarks/fuzz_readers.py npz wav --minutes 10

An input that raises anything but InputError or Undecodable, or takes more than 20 s or 4 GB, is written to
tests/faults/crashes/READER/, where `tests/faults/test_readers.py` reads it again. One input is kept for each place in
the source that fails.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import re
import resource
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

HOME = Path(__file__).parent.parent / "tests"
CRASHES = HOME / "faults" / "crashes"
sys.path[:0] = [str(HOME), str(HOME / "faults")]


def main() -> None:
    import atheris

    options = argparse.ArgumentParser()
    options.add_argument("readers", nargs="*")
    options.add_argument("--minutes", type=float, default=10)
    asked = options.parse_args()
    with atheris.instrument_imports(include=["handful"]):
        import readers
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as scratch:
        for name in asked.readers or readers.READERS:
            place = Path(scratch) / name
            place.mkdir()
            seeds = list(readers.READERS[name].seeds())
            began, said = time.process_time() + child_seconds(), place / "said"
            child = os.fork()  # what was imported and instrumented is used by all
            if child == 0:
                error = os.open(said, os.O_WRONLY | os.O_CREAT)
                os.dup2(error, 2)
                fuzz(name, readers.READERS[name], seeds, asked.minutes, place)
            ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            tell(name, said.read_text(errors="replace"), time.process_time() + child_seconds() - began, ended)


def tell(name: str, said: str, seconds: float, ended: int) -> None:
    """Print how many inputs one reader was given and what was kept."""
    runs = re.findall(r"Done (\d+) runs", said) or re.findall(r"#(\d+)\s", said) or ["0"]
    covered = (re.findall(r"cov: (\d+)", said) or ["?"])[-1]
    kept = len(list((CRASHES / name).glob("*"))) if (CRASHES / name).is_dir() else 0
    print(f"{name:16} {runs[-1]:>9} inputs {seconds:6.0f} processor s, {covered} places; kept: {kept}", flush=True)
    faults = [line for line in said.splitlines() if line.startswith(f"{name}: ") or "ERROR" in line]
    if faults or ended:
        print("\n".join([f"ended with {ended}", *faults[:20]]), flush=True)


def child_seconds() -> float:
    """Return the processor seconds of the children that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def fuzz(name: str, reader: Any, seeds: list[bytes], minutes: float, place: Path) -> None:
    """Fuzz one reader in this process, and end it."""
    import atheris
    import readers

    corpus = place / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(seeds):
        (corpus / str(number)).write_bytes(seed)
    seen: set[str] = set()

    def one(content: bytes) -> None:
        try:
            readers.read(name, content, place / "input")
        except Exception as error:
            at = traceback.extract_tb(error.__traceback__)[-1]
            mark = f"{type(error).__name__} {Path(at.filename).name}:{at.lineno}"
            if mark not in seen:
                seen.add(mark)
                keep(name, content)
                print(f"{name}: {mark}: {str(error)[:200]}", file=sys.stderr, flush=True)

    (CRASHES / name).mkdir(parents=True, exist_ok=True)
    limits = [f"-max_total_time={int(60 * minutes)}", "-timeout=20", "-rss_limit_mb=4096", "-max_len=20000"]
    atheris.Setup([name, *limits, f"-artifact_prefix={CRASHES / name}/", str(corpus)], one)
    atheris.Fuzz()


def keep(name: str, content: bytes) -> None:
    """Keep an input that makes a reader fail."""
    (CRASHES / name).mkdir(parents=True, exist_ok=True)
    (CRASHES / name / hashlib.sha256(content).hexdigest()[:12]).write_bytes(content)


if __name__ == "__main__":
    main()
