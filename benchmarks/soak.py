"""Label a folder again and again while its pictures and labels change, and watch memory, handles and threads.

    python benchmarks/soak.py --minutes 120 --folder /dev/shm/soak --out soak.csv

Each round replaces a tenth of 400 pictures by new ones, gives other labels, and calls `handful.label` and
`handful.report` on the same run folder in the same process. A line a round: seconds since the start, resident memory,
open files, threads, megabytes of the run folder and of the cache, the share that is right. The first tenth of the
rounds is left out of the slope that is printed.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from PIL import Image

import handful

PICTURES, REPLACED = 400, 40


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--minutes", type=float, default=120)
    options.add_argument("--folder", type=Path, default=Path("/dev/shm/handful-soak"))
    options.add_argument("--out", type=Path, default=Path("soak.csv"))
    asked = options.parse_args()
    shutil.rmtree(asked.folder, ignore_errors=True)
    pictures = asked.folder / "pictures"
    pictures.mkdir(parents=True)
    os.environ["HANDFUL_CACHE"] = str(asked.folder / "cache")
    for number in range(PICTURES):
        write_picture(pictures, number)
    began, number, rows = time.monotonic(), PICTURES, []
    with asked.out.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["round", "seconds", "resident_mb", "open_files", "threads", "run_mb", "cache_mb", "right"])
        while time.monotonic() - began < 60 * asked.minutes:
            right = label_once(asked.folder, pictures, np.random.default_rng(number))
            rows.append([len(rows), time.monotonic() - began, *handles(), *map(megabytes, ("run", "cache")), right])
            lines.writerow([round(value, 3) for value in rows[-1]])
            file.flush()
            for _ in range(REPLACED):
                write_picture(pictures, number)
                next(iter(sorted(pictures.iterdir()))).unlink()
                number += 1
    settled = np.array(rows[len(rows) // 10 :])
    slope = np.polyfit(settled[:, 0], settled[:, 2], 1)[0]
    print(f"{len(rows)} rounds, {rows[-1][1] / 60:.1f} min: memory {settled[0, 2]:.0f} to {settled[-1, 2]:.0f} MB, ")
    print(
        f"{slope:.4f} MB a round; open files {settled[:, 3].min():.0f} to {settled[:, 3].max():.0f}, threads ", end=""
    )
    print(f"{settled[:, 4].min():.0f} to {settled[:, 4].max():.0f}; cache {rows[0][6]:.1f} to {rows[-1][6]:.1f} MB")


def label_once(folder: Path, pictures: Path, draw: np.random.Generator) -> float:
    """Label the pictures by ten labels of each sort, and return the share that is right."""
    names = np.array(sorted(path.name for path in pictures.iterdir()))
    given = [name for sort in ("dark", "light") for name in draw.choice([n for n in names if sort in n], 10, False)]
    labels = folder / "labels.csv"
    labels.write_text("id,label\n" + "".join(f"{name},{sort_of(name)}\n" for name in given))
    run = handful.label(pictures, labels, out=folder / "run", method="gradients+simclr", epochs=2, rule="laplace")
    handful.report(run)
    table = run.labels
    found = zip(table["id"].to_pylist(), table["label"].to_pylist(), strict=True)
    return float(np.mean([sort_of(name) == label for name, label in found]))


def sort_of(name: str) -> str:
    return name.split("-")[1].removesuffix(".png")


def write_picture(folder: Path, number: int) -> None:
    """Write a dark or a light noisy picture; its name begins with its number, so that the oldest stands first."""
    pixels = np.random.default_rng(number).integers(0, 120, (12, 12)) + 90 * (number % 2)
    Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number:07d}-{('dark', 'light')[number % 2]}.png")


def handles() -> tuple[float, int, int]:
    """Return the resident memory in MB, the open files and the threads of this process (Linux)."""
    status = Path("/proc/self/status").read_text()
    resident = int(status.split("VmRSS:")[1].split()[0]) / 1024
    return resident, len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))


def megabytes(name: str) -> float:
    """Return how much a folder beside the pictures holds."""
    folder = Path(os.environ["HANDFUL_CACHE"]).parent / name
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


if __name__ == "__main__":
    main()
