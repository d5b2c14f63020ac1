"""The review page in headless Chromium without a GPU: keys, the map, opening, memory.

python benchmarks/bench_review_page.py --rows 100000 [--keys 60] [--cache FOLDER]

Items are pictures made for this (256 x 256, scikit-learn's digits enlarged), in sixty clusters of the plane that are
linked to their ten nearest; the run is kept in --cache, its map with it. The server is the real one, in its own
process. Times are read from the page's marks: `handful:shown` when the picture of an item is there, `handful:painted`
when the worker has painted an answer. Processor time is that of the threads that draw, so it holds on a busy machine.
Needs playwright and Chromium.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

CLASSES = 10
# The driver's own way of waiting is forbidden by the page's content policy.
WATCH = """() => {
  window.marks = [];
  window.pressed = 0;
  addEventListener("keydown", event => (window.pressed = event.timeStamp), true);
  new PerformanceObserver(list => {
    for (const one of list.getEntries()) window.marks.push([one.name, one.startTime, one.detail]);
  }).observe({ type: "mark" });
}"""


class Pictures:
    """The digits, enlarged, over and over: [N, 3, 256, 256]."""

    def __init__(self, count: int) -> None:
        from sklearn.datasets import load_digits

        self.images = (load_digits().images * 15).astype(np.uint8)
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        one = np.kron(self.images[np.asarray(rows) % len(self.images)], np.ones((1, 32, 32), np.uint8))
        return np.repeat(one[:, None], 3, axis=1)


def dataset(rows: int) -> Any:
    """Return the data set of that many pictures."""
    from handful.data import Dataset

    ids = np.char.add("photos/", np.char.zfill(np.arange(rows).astype(str), 7))
    return Dataset("image", ids, Pictures(rows), ids, fingerprint=f"made-{rows}", source="made")


def make_run(folder: Path, rows: int) -> None:
    """Write the run of these pictures as the steps and a first visit would leave it, without a label."""
    from scipy import sparse
    from scipy.spatial import cKDTree

    from handful.files import write_array
    from handful.graph import Graph
    from handful.run import folder as folders
    from handful.training.embed import Embeddings

    draw = np.random.default_rng(0)
    places = draw.uniform(0, 1, (60, 2))[clusters(rows)] + draw.normal(0, 0.03, (rows, 2))
    distances, near = cKDTree(places).query(places, k=11)
    weights = np.exp(-((distances[:, 1:] / distances[:, -1:]) ** 2)).astype(np.float32)
    ends = np.arange(0, 10 * rows + 1, 10)
    one_way = sparse.csr_array((weights.ravel(), near[:, 1:].ravel().astype(np.int32), ends), shape=(rows, rows))
    both = sparse.csr_array(one_way.maximum(one_way.T))
    both.indices, both.indptr = both.indices.astype(np.int32), both.indptr.astype(np.int32)
    data, vectors = dataset(rows), places.astype(np.float32)
    run = folders.make_run(folder)
    run.note(source="<ndarray>", labels=None, reading={})
    run.write_data(data)
    run.write_embeddings(Embeddings(data.ids, vectors, {"all": slice(0, 2)}), data.ids, "none")
    made_of = {"embeddings": run.digest("embeddings.npy"), "n_neighbors": 10, "seed": 0}
    with run.writing("graph.npz", step="propagate", note={"graph": {"made_of": made_of, "notes": []}}) as (file,):
        Graph(both).save(file)
    with run.writing("map.npy", step="report", note={"map": made_of}) as (file,):
        write_array(file, vectors)
    run.forget()


def clusters(rows: int) -> np.ndarray:
    """Return [N] the cluster of each row."""
    return np.random.default_rng(1).integers(60, size=rows)


def serve(folder: Path, rows: int) -> None:
    """Serve the run until terminated; its address goes to stdout."""
    from handful.reviewing.serve import review

    review(folder, browser=False, data=dataset(rows), told=lambda links: print(*links.values(), flush=True))


@contextmanager
def server(folder: Path, rows: int) -> Iterator[tuple[int, str]]:
    """Give the process and the address of a server of the run."""
    asked = [sys.executable, __file__, "--serve", str(folder), "--rows", str(rows)]
    process = subprocess.Popen(asked, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.pid, process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(120)


def until(page: Any, condition: str, seconds: float = 120) -> None:
    """Wait until a condition of the page holds."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        if time.monotonic() > end:
            raise TimeoutError(condition)
        page.wait_for_timeout(5)


def marks(page: Any, name: str) -> list[list[Any]]:
    """Return the marks [name, milliseconds, detail] of a name since the last call, and forget all."""
    found: list[list[Any]] = page.evaluate("window.marks.splice(0)")
    return [one for one in found if one[0] == name]


def ask(page: Any, path: str, body: dict[str, Any] | None = None) -> Any:
    """Return what the server answers to a call from the page."""
    script = """async ([path, body]) => {
        const headers = { "Content-Type": "application/json" };
        const post = { method: "POST", headers, body: JSON.stringify(body) };
        return await (await fetch(path, body ? post : {})).json();
    }"""
    return page.evaluate(script, [path, body])


def give_labels(page: Any, rows: int) -> None:
    """Label five items of each cluster with one of ten classes and wait for the answer."""
    of = clusters(rows)
    for name in range(CLASSES):
        known = [int(row) for group in range(name, 60, CLASSES) for row in np.flatnonzero(of == group)[:5]]
        ask(page, "/api/classes", {"name": f"class {name}"})
        ask(page, "/api/decisions", {"rows": known, "action": "label", "label": f"class {name}"})
    end = time.monotonic() + 300
    while ask(page, "/api/run")["busy"] and time.monotonic() < end:
        page.wait_for_timeout(200)


def opening(browser: Any, address: str, size: dict[str, int]) -> tuple[Any, float, float]:
    """Return the page, and the seconds from the address to its first item and to its map."""
    page = browser.new_context(viewport=size).new_page()
    page.add_init_script(f"({WATCH})()")
    page.goto(address, wait_until="commit")
    begin = "performance.getEntriesByType('navigation')[0].startTime"
    until(page, "marks.some(one => one[0] === 'handful:shown') && marks.some(one => one[0] === 'handful:painted')")
    script = f"name => marks.find(one => one[0] === name)[1] - {begin}"
    shown, painted = (page.evaluate(script, f"handful:{name}") / 1000 for name in ("shown", "painted"))
    return page, shown, painted


def next_items(page: Any, keys: int, gap: int) -> list[float]:
    """Return the milliseconds from each press of a key that decides to the next item on screen."""
    found = []
    for number in range(keys):
        row = page.evaluate("performance.getEntriesByName('handful:shown').at(-1).detail")
        page.evaluate("window.marks.length = 0")
        page.keyboard.press(str(1 + number % 9))
        until(page, f"marks.some(one => one[0] === 'handful:shown' && one[2] !== {row})")
        script = f"marks.find(one => one[0] === 'handful:shown' && one[2] !== {row})[1] - pressed"
        found.append(page.evaluate(script))
        page.wait_for_timeout(gap)
    return found


def recoloured(page: Any, keys: int) -> list[float]:
    """Return the milliseconds from a press of a key that decides to the map painted with the new answer."""
    found = []
    for number in range(keys):
        version = "Math.max(...marks.filter(one => one[0] === 'handful:painted').map(one => one[2].version), 0)"
        before = ask(page, "/api/run")["version"]
        page.evaluate("window.marks.length = 0")
        page.keyboard.press(str(1 + number % 9))
        until(page, f"{version} > {before}")
        last = page.evaluate("window.pressed")
        settle(page)
        painted = [one for one in marks(page, "handful:painted") if one[2]["version"] > before]
        found.append(painted[-1][1] - last)
    return found


def settle(page: Any) -> None:
    """Wait until the answer has followed all decisions and nothing is painted any more."""
    while ask(page, "/api/run")["busy"]:
        page.wait_for_timeout(20)
    page.wait_for_timeout(150)


def panning(page: Any, moves: int, pids: list[int]) -> tuple[list[float], float, int]:
    """Return the milliseconds of each frame while the map is dragged, and the processor's for each in the worker."""
    page.keyboard.press("g")
    page.wait_for_timeout(800)
    box = page.get_by_role("application").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.evaluate("window.marks.length = 0")
    before = worker_seconds(pids)
    for number in range(moves):
        page.mouse.move(box["x"] + box["width"] / 2 + number, box["y"] + box["height"] / 2 + number % 30)
        page.wait_for_timeout(12)
    page.wait_for_timeout(300)
    used = worker_seconds(pids) - before
    page.mouse.up()
    frames = [one[2]["milliseconds"] for one in marks(page, "handful:painted")]
    return frames, 1000 * used / max(len(frames), 1), round(box["width"]) * round(box["height"])


def renderers() -> list[int]:
    """Return the processes below this one that run pages."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    below = {os.getpid()}
    while more := {child for child, parent in parents.items() if parent in below} - below:
        below |= more
    return [one for one in below if b"--type=renderer" in Path(f"/proc/{one}/cmdline").read_bytes()]


def worker_seconds(pids: list[int]) -> float:
    """Return the processor seconds of the pages' workers so far."""
    ticks = 0
    for pid in pids:
        for path in Path(f"/proc/{pid}/task").iterdir():
            if (path / "comm").read_text().startswith("Dedicated"):
                fields = (path / "stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """Return the megabytes that a process holds, its share of what is shared."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("Pss:"))) / 1e3


def quantiles(values: list[float]) -> str:
    return f"median {np.median(values):.0f}, 95th percentile {np.quantile(values, 0.95):.0f} ms"


def measure(rows: int, cache: Path, keys: int, chromium: str) -> None:
    """Print what the page takes at that many items."""
    from playwright.sync_api import sync_playwright

    made = cache / f"review-page-{rows}"
    if not made.is_dir():
        make_run(made, rows)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        run = Path(folder) / "run"
        shutil.copytree(made, run)
        size = {"width": 1440, "height": 900}
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        with server(run, rows) as (pid, address):
            page, *_ = opening(browser, address, size)
            give_labels(page, rows)
            page.context.close()
            times = []
            for _ in range(3):
                page, shown, painted = opening(browser, address, size)
                times.append((shown, painted))
                if len(times) < 3:
                    page.context.close()
            shown, painted = np.median(times, axis=0)
            print(f"{rows} items: opened, item after {shown:.2f} s, map after {painted:.2f} s", flush=True)
            page.wait_for_timeout(1000)
            print("key to next item:", quantiles(next_items(page, keys, 250)), f"({keys} keys)", flush=True)
            settle(page)
            print("key to the whole map in the new answer's colours:", quantiles(recoloured(page, 10)), flush=True)
            pids = renderers()
            frames, used, pixels = panning(page, 120, pids)
            held = max(memory(one) for one in pids)
            shown_as = f"{len(frames)} frames of {pixels} pixels; processor {used:.0f} ms a frame"
            print(f"panning: {quantiles(frames)} a frame, {shown_as}", flush=True)
            busy = f"load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"
            print(f"memory: page {held:.0f} MB, server {memory(pid):.0f} MB; {busy}", flush=True)
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--keys", type=int, default=60)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("google-chrome"))
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.rows)
    else:
        measure(options.rows, options.cache, options.keys, options.chromium)


if __name__ == "__main__":
    main()
