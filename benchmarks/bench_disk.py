"""Run the commands on disks of every size from none to enough, and on one that is mounted read-only.

    sudo python benchmarks/bench_disk.py

The source is 96 real pictures of digits. For each step a tmpfs is mounted (so it needs the right to mount) that holds
what the steps before left and has room for nothing more, then for a little more (`--rooms` steps up to what the step
writes), and so on until the step ends well. Where it does not, it must end with one sentence, leave no temporary file,
and leave every file that stood before as it was, or as the whole new result has it where a step of the command had
ended: those that one step writes all old or all new. With more room the same command must then end with the bits of a
run that never met a full disk. At last the finished folder is mounted read-only under each command. `label, its cache`
has only the cache on the small disk.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "faults"))

from bench_faults import digests, is_temporary, warm_up, write_digits
from killing import run_child

PAGE, ENOUGH = 4, 262144  # KB
TOGETHER = ({"labels.csv", "labels.parquet", "label_issues.csv"}, {"embeddings.npy", "ids.parquet"})
"""Files that one step writes."""


@dataclass(frozen=True)
class Step:
    """A command of the command line, and what stands in its run folder before: None for nothing."""

    command: list[str]
    before: Path | None
    cache_too: bool = False


class Bench:
    """A folder of pictures, the steps on it, a small disk, and what was counted."""

    def __init__(self, folder: Path, rooms: int) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self.folder, self.disk, self.said, self.rooms = folder, folder / "disk", folder / "said", rooms
        self.disk.mkdir(parents=True)
        self.run = self.disk / "run"
        self.use_cache(folder / "cache")
        pictures, labels, others = folder / "pictures", folder / "labels.csv", folder / "others.csv"
        lines = write_digits(pictures)
        labels.write_text("".join(["id,label\n", *lines[:20]]))
        others.write_text("".join(["id,label\n", *lines[20:50]]))
        warm_up(folder / "warm", pictures, labels)
        run, how = str(self.run), ["--method", "gradients+simclr", "--epochs", "1"]
        rule = ["--n-neighbors", "5", "--rule", "laplace"]
        label = ["label", str(pictures), "--labels", str(labels), "--out", run, *how, *rule]
        again = [*label[:3], str(others), *label[4:]]
        pretrain = ["pretrain", str(pictures), "--out", run, *how]
        propagate = ["propagate", run, "--labels", str(labels), *rule]
        trained = self.left("trained", None, pretrain)
        embedded = self.left("embedded", trained, ["embed", run])
        finished = self.left("finished", embedded, propagate)
        self.steps = {
            "label": Step(label, None),
            "label, other labels": Step(again, self.left("labelled", None, label)),
            "label, its cache": Step(label, None, cache_too=True),
            "pretrain": Step(pretrain, None),
            "embed": Step(["embed", run], trained),
            "propagate": Step(propagate, embedded),
            "propagate, other labels": Step([*propagate[:3], str(others), *rule], finished),
            "report": Step(["report", run], finished),
            "export": Step(["export", run, "--format", "jsonl"], finished),
            "export of folders": Step(["export", run, "--format", "folders"], finished),
        }

    def use_cache(self, folder: Path) -> None:
        os.environ["HANDFUL_CACHE"] = str(folder)

    def left(self, name: str, before: Path | None, command: list[str]) -> Path:
        """Return a copy of what a command leaves in the run folder on a disk without bounds."""
        self.set_up(before)
        assert self.child(command) == 0, self.said.read_text()
        shutil.copytree(self.run, self.folder / name)
        return self.folder / name

    def set_up(self, before: Path | None) -> None:
        shutil.rmtree(self.run, ignore_errors=True)
        if before is not None:
            shutil.copytree(before, self.run)

    def child(self, command: list[str]) -> int:
        return run_child(command, said=self.said, prepare=lambda: None)

    def fill(self, name: str) -> dict[str, int]:
        """Return how often a step met a full disk on its way to one with enough room, and how often that went wrong."""
        step, full, wrong = self.steps[name], 0, 0
        wanted: dict[str, str] = {}
        room, between = ENOUGH, PAGE
        while True:
            mount("-t", "tmpfs", "-o", f"size={ENOUGH}k", "tmpfs", str(self.disk))
            try:
                self.use_cache(self.disk / "cache" if step.cache_too else self.folder / "cache")
                run = self.folder / "run" if step.cache_too else self.run
                shutil.rmtree(run, ignore_errors=True)
                command = [str(run) if part == str(self.run) else part for part in step.command]
                if step.before is not None:
                    shutil.copytree(step.before, run)
                held, before = digests(run), used(self.disk)
                mount("-o", f"remount,size={max(before + room, PAGE)}k", str(self.disk))
                met_full = ended = self.child(command)
                if met_full:
                    full += 1
                    wrong += self.is_wrong(f"{name}, room of {room} KB", run, held, wanted, ended)
                    mount("-o", f"remount,size={ENOUGH}k", str(self.disk))
                    ended = self.child(command)
                if not wanted:
                    wanted, between = digests(run), max(PAGE, (used(self.disk) - before) // self.rooms)
                if ended or digests(run) != wanted:
                    wrong += 1
                    print(name, room, "KB: with more room it", self.said.read_text()[-300:], flush=True)
            finally:
                unmount(self.disk)
            if room != ENOUGH and not met_full:
                return {"full": full, "wrong": wrong}
            room = 0 if room == ENOUGH else room + between

    def lock(self) -> dict[str, int]:
        """Return how many commands met a read-only disk under their finished folder, and how often that went wrong."""
        met = wrong = 0
        for name, step in self.steps.items():
            if step.cache_too:
                continue
            mount("-t", "tmpfs", "-o", f"size={ENOUGH}k", "tmpfs", str(self.disk))
            try:
                self.use_cache(self.folder / "cache")
                shutil.copytree(step.before or self.folder / "finished", self.run)
                held = digests(self.run)
                mount("-o", "remount,ro", str(self.disk))
                wrong += self.is_wrong(f"{name}, read-only", self.run, held, held, self.child(step.command))
                met += 1
                print(f"{name}: {self.said.read_text().splitlines()[-1]}", flush=True)
            finally:
                unmount(self.disk)
        return {"read-only": met, "wrong": wrong}

    def is_wrong(self, name: str, run: Path, held: dict[str, str], wanted: dict[str, str], ended: int) -> bool:
        """Tell whether a command that met the disk ended without a sentence or left neither the old nor the new.

        held, wanted: the digests of what stood before and of the whole new result.
        """
        words = self.said.read_text().splitlines()
        last = words[-1] if words else ""
        told = "cannot be written (" in last and not any("Traceback" in line for line in words)
        found = digests(run)
        new = {name for name in held if found.get(name) != held[name]}
        changed = sorted(name for name in new if found.get(name) != wanted.get(name))
        changed += [f"half of {sorted(group)}" for group in TOGETHER if not as_one(group, held, wanted, new)]
        left = [path for root in (run, self.disk) for path in root.rglob("*") if is_temporary(path)]
        left = [path for path in left if not path.name.startswith("embedding.part")]  # the next run goes on from it
        wrong = ended not in (1, 2) or not told or bool(changed) or bool(left)
        if wrong:
            print(f"{name}: ended with {ended}, {words[-3:]}; changed {changed}; left {left}", flush=True)
        return wrong


def as_one(group: set[str], held: dict[str, str], wanted: dict[str, str], new: set[str]) -> bool:
    """Tell whether the files of a group that stood before and come out otherwise are all old or all new."""
    differing = {name for name in group & held.keys() if held[name] != wanted.get(name)}
    return not differing & new or differing <= new


def used(disk: Path) -> int:
    """Return the KB that are taken of a disk."""
    found = os.statvfs(disk)
    return (found.f_blocks - found.f_bfree) * found.f_frsize // 1024


def mount(*how: str) -> None:
    subprocess.run(["mount", *how], check=True)


def unmount(disk: Path) -> None:
    subprocess.run(["umount", str(disk)], check=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("steps", nargs="*", help="the names of steps; all of them if none is given")
    options.add_argument("--folder", type=Path, default=Path("/tmp/handful-disk"))
    options.add_argument("--rooms", type=int, default=40, help="about how many disks a step meets that are too small")
    asked = options.parse_args()
    bench = Bench(asked.folder, asked.rooms)
    counts = {}
    for name in asked.steps or bench.steps:
        counts[name] = bench.fill(name)
        print(json.dumps({name: counts[name]}), flush=True)
    if not asked.steps:
        counts["read-only"] = bench.lock()
    total = {key: sum(count.get(key, 0) for count in counts.values()) for key in ("full", "read-only", "wrong")}
    print(json.dumps(total))
    sys.exit(bool(total["wrong"]))


if __name__ == "__main__":
    main()
