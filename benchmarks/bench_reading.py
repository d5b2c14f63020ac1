"""Peak memory of reading a folder of many files and large arrays, all generated.

    python benchmarks/bench_reading.py --files 100000 --gigabytes 20 --folder /tmp/reading

Each reading runs in a process of its own. "Anonymous" is memory that only this process holds; "resident" adds the pages
of mapped files that lie in memory at the time, which the system takes back when it needs them. Both are counted above
what the process holds once handful is imported.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

FILES_A_FOLDER = 1000
SIDES = {"uint8": 64, "float32": 64, "large": 224}


def make_folder(root: Path, first: int, stop: int) -> None:
    """Write pictures number `first` to `stop` as JPEG files of 80 x 60 pixels, each another one."""
    from PIL import Image

    for number in range(first, stop):
        path = root / f"{number // FILES_A_FOLDER:03}" / f"{number:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(coarse).resize((80, 60)).save(buffer, "JPEG", quality=85)
        path.write_bytes(buffer.getvalue())


def make_array(path: Path, kind: str, gigabytes: float) -> None:
    """Write a .npy file of about `gigabytes` GB: images [N, S, S, 3], as bytes or as floats from 0 to 1."""
    dtype, side = np.dtype("f4" if kind == "float32" else "u1"), SIDES[kind]
    row_bytes = side * side * 3 * dtype.itemsize
    n_rows = int(gigabytes * 1e9 / row_bytes)
    block = np.random.default_rng(0).random((max(1, (64 << 20) // row_bytes), side, side, 3), dtype=np.float32)
    block = block if kind == "float32" else (255 * block).astype(np.uint8)
    with path.open("wb") as file:
        header = {"descr": dtype.str, "fortran_order": False, "shape": (n_rows, side, side, 3)}
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, n_rows, len(block)):
            block.reshape(-1)[0] = start % 251 / 251 if kind == "float32" else start % 251
            file.write(block[: n_rows - start].data)


def memory() -> tuple[int, int]:
    """Return the anonymous and the resident memory of this process in bytes."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["RssAnon"].split()[0]) * 1024, int(status["VmRSS"].split()[0]) * 1024


def measure(source: str, cache: str) -> dict[str, float]:
    """Read `source` and return the seconds it took and the peaks of memory, in MB above the start."""
    import handful

    handful.read([np.zeros((8, 8), np.uint8)] * 2, cache=cache)  # loads what reading needs
    start, peak, done = memory(), [0, 0], threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            peak[:] = map(max, peak, memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    data = handful.read(source, cache=cache)
    seconds = time.perf_counter() - began
    done.set()
    watcher.join()
    anonymous, resident = ((high - low) / 1e6 for high, low in zip(peak, start, strict=True))
    return {"rows": len(data), "seconds": seconds, "anonymous": anonymous, "resident": resident}


def report(name: str, source: Path, cache: Path) -> None:
    """Print one line of the table, measured in a new process."""
    command = [sys.executable, __file__, "--measure", str(source), str(cache)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    megabytes = f"{found['anonymous']:.0f} MB | {found['resident']:.0f} MB"
    print(f"| {name} | {found['rows']:,} | {found['seconds']:.0f} s | {megabytes} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--gigabytes", type=float, default=20)
    parser.add_argument("--kinds", nargs="*", default=list(SIDES), choices=list(SIDES), help="arrays to read")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/bench_reading"), help="removed at the end")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        print(json.dumps(measure(*args.measure)))
        return
    cache, photos = args.folder / "cache", args.folder / "photos"
    args.folder.mkdir(parents=True)
    try:
        print("| read | rows | time | anonymous | resident |\n|---|---|---|---|---|")
        if args.files:
            make_folder(photos, 0, args.files)
            time.sleep(3)  # files just written are not remembered
            report("a folder, first time", photos, cache)
            report("the same, second time", photos, cache)
            make_folder(photos, args.files, args.files + max(1, args.files // 100))
            report("the same, 1 % more files", photos, cache)
        for kind in args.kinds if args.gigabytes else ():
            array = args.folder / "array.npy"
            make_array(array, kind, args.gigabytes)
            size = f"{args.gigabytes:g} GB, {SIDES[kind]} px"
            name = f"uint8 array, {size}" if kind != "float32" else f"float32 array, {size}"
            time.sleep(3)
            report(f"{name}, first time", array, cache)
            report(f"{name}, second time", array, cache)
            array.unlink()
    finally:
        shutil.rmtree(args.folder)


if __name__ == "__main__":
    main()
