"""Label a folder again and again while its pictures and labels change, beside a review, and watch memory and handles.

    python benchmarks/bench_soak.py --minutes 120 --folder /dev/shm/soak --out soak.csv --plot benchmarks/soak.svg

Each round replaces a tenth of 400 pictures by new ones, gives other labels, and calls `handful.label` and
`handful.report` on the same run folder in the same process. Beside it the server of a review, a process of its own on a
copy of the first run, is asked for the queue, the items and a picture, is given decisions and undos, and saves; each
round as often as `--acts` says. A line a round: seconds since the start, resident memory, open files and threads of
both processes, megabytes of the run folder, of the cache and of the review's folder, the share that is right. The first
quarter of the rounds is left out of the slopes that are printed: caches fill in it. `--rest` seconds between the rounds
leave the machine to others.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import os
import random
import shutil
import time
from multiprocessing.connection import Connection
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import httpx
import numpy as np
from PIL import Image

import handful

PICTURES, REPLACED = 400, 40
WATCHED = ("resident_mb", "open_files", "threads")
COLUMNS = ["round", "seconds", *WATCHED, *(f"review_{name}" for name in WATCHED)]
COLUMNS += ["run_mb", "cache_mb", "review_run_mb", "acts", "right"]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=120)
    options.add_argument("--folder", type=Path, default=Path("/dev/shm/handful-soak"))
    options.add_argument("--out", type=Path, default=Path("soak.csv"))
    options.add_argument("--plot", type=Path, default=None)
    options.add_argument("--acts", type=int, default=40, help="of the review's person, a round")
    options.add_argument("--rest", type=float, default=0.0, help="seconds between two rounds")
    asked = options.parse_args()
    shutil.rmtree(asked.folder, ignore_errors=True)
    pictures = asked.folder / "pictures"
    pictures.mkdir(parents=True)
    os.environ["HANDFUL_CACHE"] = str(asked.folder / "cache")
    for number in range(PICTURES):
        write_picture(pictures, number)
    label_once(asked.folder, pictures, np.random.default_rng(0))
    shutil.copytree(pictures, asked.folder / "review-pictures")
    handful.label(asked.folder / "review-pictures", asked.folder / "labels.csv", out=asked.folder / "review", **HOW)
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(asked.folder / "review", there))
    server.start()
    assert server.pid is not None
    try:
        with Reviewer(next(iter(here.recv().values()))) as reviewer, asked.out.open("w", newline="") as file:
            lines = csv.writer(file)
            lines.writerow(COLUMNS)
            rows = soak(asked, pictures, reviewer, server.pid, lambda row: (lines.writerow(row), file.flush()))
    finally:
        server.terminate()
        server.join()
    table = {name: np.array([row[place] for row in rows]) for place, name in enumerate(COLUMNS)}
    if asked.plot is not None:
        asked.plot.write_text(drawn(table))
    tell(table)


HOW = {"method": "gradients+simclr", "epochs": 2, "rule": "laplace"}


def soak(asked, pictures, reviewer, server, keep) -> list[list[float]]:  # type: ignore[no-untyped-def]
    """Return the row of each round, each given to `keep` as well."""
    began, number, rows = time.monotonic(), PICTURES, []
    while time.monotonic() - began < 60 * asked.minutes:
        right = label_once(asked.folder, pictures, np.random.default_rng(number))
        for _ in range(asked.acts):
            reviewer.act()
        sizes = [megabytes(asked.folder / name) for name in ("run", "cache", "review")]
        seen = [*handles(os.getpid()), *handles(server), *sizes, reviewer.acts, right]
        rows.append([round(value, 3) for value in (len(rows), time.monotonic() - began, *seen)])
        keep(rows[-1])
        for _ in range(REPLACED):
            write_picture(pictures, number)
            min(pictures.iterdir()).unlink()
            number += 1
        time.sleep(asked.rest)
    return rows


def serve(folder: Path, told: Connection) -> None:
    """Serve the review of a run; in a process of its own."""
    from handful.reviewing.serve import review

    review(folder, browser=False, told=told.send)


class Reviewer:
    """A person at the review's page: asks for what the page asks for, decides, and takes back now and then."""

    def __init__(self, address: str) -> None:
        place, token = address.split("/?token=")
        self.client = httpx.Client(base_url=place, headers={"Authorization": f"Bearer {token}"}, timeout=60)
        self.draw, self.acts, self.made = random.Random(0), 0, []

    def __enter__(self) -> Reviewer:
        return self

    def __exit__(self, *told: object) -> None:
        self.client.close()

    def act(self) -> None:
        """Do one thing; an answer that tells of a failure ends the soak."""
        kind, self.acts = self.draw.random(), self.acts + 1
        if self.made and (kind < 0.15 or len(self.made) > PICTURES // 4):
            self.ask("POST", "/api/undo", {"number": self.made.pop()})
        elif kind < 0.17:
            self.ask("POST", "/api/save", {})
        elif kind < 0.25:
            self.ask("GET", "/api/answer")
        else:
            row = self.draw.choice(self.ask("GET", "/api/queue").json()["rows"])
            self.ask("GET", f"/api/items/{row}")
            self.ask("GET", f"/api/items/{row}/media")
            decided = {"rows": [row], "action": "label", "label": self.draw.choice(["dark", "light"])}
            decided["key"] = f"soak-{self.acts}"
            self.made.append(self.ask("POST", "/api/decisions", decided).json()["decisions"][0]["number"])

    def ask(self, how: str, path: str, body: dict[str, object] | None = None) -> httpx.Response:
        reply = self.client.request(how, path, json=body)
        reply.raise_for_status()
        return reply


def label_once(folder: Path, pictures: Path, draw: np.random.Generator) -> float:
    """Label the pictures by ten labels of each sort, and return the share that is right."""
    names = np.array(sorted(path.name for path in pictures.iterdir()))
    given = [name for sort in ("dark", "light") for name in draw.choice([n for n in names if sort in n], 10, False)]
    labels = folder / "labels.csv"
    labels.write_text("id,label\n" + "".join(f"{name},{sort_of(name)}\n" for name in given))
    run = handful.label(pictures, labels, out=folder / "run", **HOW)
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


def handles(process: int) -> tuple[float, int, int]:
    """Return the resident memory in MB, the open files and the threads of a process (Linux)."""
    place = Path(f"/proc/{process}")
    resident = int((place / "status").read_text().split("VmRSS:")[1].split()[0]) / 1024
    return resident, len(os.listdir(place / "fd")), len(os.listdir(place / "task"))


def megabytes(folder: Path) -> float:
    """Return how much a folder holds."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def tell(table: dict[str, np.ndarray]) -> None:
    """Print where memory, files and threads began and ended once they had settled, and what memory grew by."""
    settled = {name: values[len(values) // 4 :] for name, values in table.items()}
    print(f"{len(table['round'])} rounds, {table['acts'][-1]:.0f} acts, {table['seconds'][-1] / 60:.1f} min")
    for of in ("", "review_"):
        memory, hours = settled[f"{of}resident_mb"], settled["seconds"] / 3600
        parts = [f"memory {memory[0]:.0f} to {memory[-1]:.0f} MB, {np.polyfit(hours, memory, 1)[0]:+.1f} MB an hour"]
        for name in ("open_files", "threads"):
            values = settled[of + name]
            parts.append(f"{name.replace('_', ' ')} {values.min():.0f} to {values.max():.0f}, last {values[-1]:.0f}")
        print(f"{of.removesuffix('_') or 'label'}: {'; '.join(parts)}")
    for name in ("run_mb", "cache_mb", "review_run_mb"):
        print(f"{name}: {settled[name][0]:.2f} to {settled[name][-1]:.2f}")
    print(f"right: {table['right'].min():.3f} to {table['right'].max():.3f}")


def drawn(table: dict[str, np.ndarray]) -> str:
    """Return an SVG of the resident memory and the open files of both processes over the minutes."""
    minutes, panels = table["seconds"] / 60, []
    for place, (words, name) in enumerate((("resident memory, MB", "resident_mb"), ("open files", "open_files"))):
        base, of = 150 + 180 * place, {"label, again and again": name, "server of the review": f"review_{name}"}
        top = 1.2 * max(float(table[column].max()) for column in of.values())
        panels.append(
            f'<text x="60" y="{base - 130}">{words}</text><path d="M60 {base - 120}V{base}H580" stroke="#999"/>'
            f'<text x="54" y="{base}" text-anchor="end">0</text>'
            f'<text x="54" y="{base - 110}" text-anchor="end">{top:.0f}</text>'
            f'<text x="580" y="{base + 16}" text-anchor="end">{minutes[-1]:.0f} minutes, {len(minutes)} rounds</text>'
        )
        for number, (said, column) in enumerate(of.items()):
            colour = ("#0b62a8", "#b5520a")[number]
            x, y = 60 + 520 * minutes / minutes[-1], base - 120 * table[column] / top
            path = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
            panels.append(
                f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
                f'<text x="{240 + 170 * number}" y="{base - 130}" fill="{colour}">{said}</text>'
            )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 360" font-family="sans-serif" font-size="12"'
        f' fill="#333"><rect width="600" height="360" fill="#fff"/><g>{"".join(panels)}</g></svg>\n'
    ).replace('stroke="#999"/>', 'stroke="#999" fill="none"/>')


if __name__ == "__main__":
    main()
