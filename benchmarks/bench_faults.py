"""Kill the commands with SIGKILL, at random moments and around changes of files, and compare what they end with.

    python benchmarks/bench_faults.py --kills 200 --minutes 12 --folder /dev/shm/faults

The source is 96 real pictures of digits (scikit-learn's), 20 of them labelled. A trial begins with an empty folder and
cache (for `embed` and `propagate`: with what the steps before wrote), kills the same command one to six times and lets
it run to its end. Counted are kills, trials whose result differs in a bit from that of an uninterrupted run, and
temporary files left. Half of the kills come at a moment drawn evenly over the time that the command takes, half before
or after a drawn call that changes a file (making, settling, naming, deleting one). The state of a training and the rows
embedded are kept at every step here, not every 30 and 10 s: so kills meet them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "faults"))

from killing import count_changes, kill_at_change, run_child

PICTURES, LABELLED = 96, 20
VARYING = {"run.json", "config.json", "README.md", "loop.safetensors", ".lock"}
"""Files that say how long something took, or hold the state of a training: not part of the result."""


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--minutes", type=float, default=12)
    options.add_argument("--folder", type=Path, default=Path("/dev/shm/handful-faults"))
    options.add_argument("--seed", type=int, default=0)
    asked = options.parse_args()
    shutil.rmtree(asked.folder, ignore_errors=True)
    bench = Bench(asked.folder, random.Random(asked.seed))
    until = time.monotonic() + 60 * asked.minutes
    while bench.count["kills"] < asked.kills and time.monotonic() < until:
        for step in bench.steps:
            bench.trial(step)
        print(json.dumps(bench.count), flush=True)
    print(json.dumps({"by step": bench.by_step, **bench.count, "seed": asked.seed}, indent=1))
    if bench.count["differing"] or bench.count["temporaries"] or bench.count["failed"]:
        sys.exit(1)


class Bench:
    """A folder of pictures, the commands on it, what each ends with uninterrupted, and what was counted."""

    def __init__(self, folder: Path, draw: random.Random) -> None:
        self.folder, self.draw = folder, draw
        self.run, self.cache = folder / "run", folder / "cache"
        self.count: Counter[str] = Counter(kills=0, trials=0, differing=0, temporaries=0, failed=0)
        self.by_step: dict[str, Counter[str]] = {}
        os.environ["HANDFUL_CACHE"] = str(self.cache)
        pictures, labels = folder / "pictures", folder / "labels.csv"
        labels.write_text("".join(["id,label\n", *write_digits(pictures)[:LABELLED]]))
        how = ["--method", "gradients+simclr", "--epochs", "2", "--batch-size", "16"]
        rule = ["--n-neighbors", "5", "--rule", "laplace"]
        self.steps = {
            "label": ["label", str(pictures), "--labels", str(labels), "--out", str(self.run), *rule, *how],
            "pretrain": ["pretrain", str(pictures), "--out", str(self.run), *how],
            "embed": ["embed", str(self.run)],
            "propagate": ["propagate", str(self.run), "--labels", str(labels), *rule],
        }
        self.before: dict[str, Path | None] = {"label": None, "pretrain": None}
        self.wanted: dict[str, dict[str, str]] = {}
        self.seconds: dict[str, float] = {}
        self.changes: dict[str, int] = {}
        warm_up(folder / "warm", pictures, labels)
        for step in self.steps:
            self._learn(step)

    def _learn(self, step: str) -> None:
        """Run a step uninterrupted, for its result, its time and how often it changes a file."""
        self._set_up(step)
        began = time.monotonic()
        told = self.folder / "changes"
        assert self._child(step, lambda: count_changes(told)) == 0, (self.folder / "said").read_text()
        self.seconds[step], self.changes[step] = time.monotonic() - began, int(told.read_text())
        self.wanted[step] = digests(self.run)
        after = {"pretrain": "embed", "embed": "propagate"}.get(step)
        if after:
            self.before[after] = self.folder / f"before-{after}"
            shutil.copytree(self.run, self.folder / f"before-{after}")

    def _set_up(self, step: str) -> None:
        for path in (self.run, self.cache):
            shutil.rmtree(path, ignore_errors=True)
        found = self.before[step]
        if found is not None:
            shutil.copytree(found, self.run)

    def trial(self, step: str) -> None:
        """Kill a step one to six times, let it end, and count what is wrong then."""
        self._set_up(step)
        counted = self.by_step.setdefault(step, Counter())
        self.count["trials"] += 1
        for _ in range(self.draw.randint(1, 6)):
            if self.draw.random() < 0.5:
                ended = self._child(step, lambda: None, kill_after=self.draw.uniform(0, self.seconds[step]))
            else:
                at, late = self.draw.randrange(self.changes[step]), self.draw.random() < 0.5
                ended = self._child(step, lambda at=at, late=late: kill_at_change(at, late))
            killed = ended == -signal.SIGKILL
            self.count["kills"] += killed
            counted["kills"] += killed
            if not killed and ended:
                self._blame(step, f"ended with {ended}: {(self.folder / 'said').read_text()[-300:]}")
        ended = self._child(step, lambda: None)
        if ended:
            self._blame(step, f"ended with {ended}: {(self.folder / 'said').read_text()[-300:]}")
            return
        found = digests(self.run)
        different = sorted(
            name for name in {*found, *self.wanted[step]} if found.get(name) != self.wanted[step].get(name)
        )
        if different:
            self.count["differing"] += 1
            print(step, "differs in", different, flush=True)
        left = [path for root in (self.run, self.cache) for path in root.rglob("*") if is_temporary(path)]
        self.count["temporaries"] += len(left)
        if left:
            print(step, "left", left, flush=True)

    def _blame(self, step: str, words: str) -> None:
        self.count["failed"] += 1
        print(step, words, flush=True)

    def _child(self, step: str, prepare: Callable[[], None], kill_after: float | None = None) -> int:
        """Run a step in a child and return how it ended: its exit code, or minus the signal."""

        def begin() -> None:
            keep_often()
            prepare()

        return run_child(self.steps[step], said=self.folder / "said", prepare=begin, kill_after=kill_after)


def keep_often() -> None:
    """Keep the state of a training at every step, and the rows embedded at every 16."""
    from handful.run import embedding
    from handful.training import loop
    from handful.training.encoder import Encoder

    embedding.SECONDS = 0.0
    Encoder.batch_size = lambda self, data: 16  # type: ignore[method-assign]
    kept: Any = loop.train.__kwdefaults__
    kept["checkpoint_seconds"] = 0.0


def write_digits(folder: Path) -> list[str]:
    """Write pictures of digits, and return a line `id,label` for each."""
    from PIL import Image
    from sklearn.datasets import load_digits

    folder.mkdir(parents=True)
    digits, lines = load_digits(), []
    for number, (pixels, digit) in enumerate(zip(digits.images[:PICTURES], digits.target, strict=False)):
        Image.fromarray((pixels * 15).astype("uint8")).save(folder / f"{number:03d}.png")
        lines.append(f"{number:03d}.png,{digit}\n")
    return lines


def warm_up(folder: Path, pictures: Path, labels: Path) -> None:
    """Import and compile what the commands need, so that children only fork."""
    import handful

    handful.report(handful.label(pictures, labels, out=folder, method="gradients+simclr", epochs=1, n_neighbors=5))


def digests(run: Path) -> dict[str, str]:
    """Return the digest of each file of a result."""
    files = [path for path in run.rglob("*") if path.is_file() and path.name not in VARYING]
    return {str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def is_temporary(path: Path) -> bool:
    return path.name.endswith(".tmp") or path.name.startswith("embedding.part")


if __name__ == "__main__":
    main()
