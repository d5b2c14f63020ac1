"""All-nearest-neighbour graphs of Fashion-MNIST: handful beside faiss, pynndescent, hnswlib and voyager.

    python benchmarks/bench_graph.py                      70,000 x 64, k 10
    python benchmarks/bench_graph.py --rows 1000000       the set and shifted copies of it
    python benchmarks/bench_graph.py --grow --plot FILE   handful alone, from 10,000 rows on: time and memory
    python benchmarks/bench_graph.py --clusters 10000000  handful alone: 32 columns of synthetic clusters, and a solve

Each measurement is a process of its own, from its start to its end, imports and all; repeats are interleaved. handful
makes the weighted graph, the others the lists alone. Compiled kernels are in their caches after an unmeasured run.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

K = 10
PEERS = {
    "handful exact": "handful",
    "handful approximate": "handful",
    "faiss HNSW": "faiss",
    "faiss IVF": "faiss",
    "pynndescent": "pynndescent",
    "hnswlib": "hnswlib",
    "voyager": "voyager",
}


def search(name: str, vectors: np.ndarray) -> np.ndarray:
    """Return lists [N, k + 1] that may hold the row itself, by the library `name`."""
    n, d = vectors.shape
    if name.startswith("handful"):
        from handful.graph import knn_graph

        return knn_graph(vectors, K, approximate=name.endswith("approximate")).neighbours
    if name == "faiss HNSW":
        import faiss

        index = faiss.IndexHNSWFlat(d, 16)
        index.hnsw.efConstruction, index.hnsw.efSearch = 40, 32
        index.add(vectors)
        return index.search(vectors, K + 1)[1]
    if name == "faiss IVF":
        import faiss

        cells = int(np.sqrt(n))
        index = faiss.IndexIVFFlat(faiss.IndexFlatL2(d), d, cells)
        index.cp.niter = 5
        index.train(vectors[:: max(1, n // (64 * cells))])
        index.add(vectors)
        index.nprobe = 9
        return index.search(vectors, K + 1)[1]
    if name == "pynndescent":
        import pynndescent

        return pynndescent.NNDescent(vectors, n_neighbors=K + 1, random_state=0).neighbor_graph[0]
    if name == "hnswlib":
        import hnswlib

        index = hnswlib.Index("l2", d)
        index.init_index(n, M=16, ef_construction=40)
        index.add_items(vectors)
        index.set_ef(32)
        return index.knn_query(vectors, K + 1)[0]
    import voyager

    index = voyager.Index(voyager.Space.Euclidean, d, M=16, ef_construction=40)
    index.add_items(vectors)
    return index.query(vectors, K + 1, query_ef=32)[0]


def peak_memory() -> float:
    """Return the peak memory of this process in GB; what the system counts for a child begins with its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 2**20


def measure(name: str, folder: Path) -> tuple[float, float, float]:
    """Run the search `name` on the vectors in `folder`: seconds, processor seconds and peak GB of the whole process."""
    arguments = ["--one", name, "--folder", str(folder)]
    started = os.times()
    process = subprocess.Popen([sys.executable, __file__, *arguments])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}")
    seconds = os.times().elapsed - started.elapsed
    return seconds, usage.ru_utime + usage.ru_stime, float((folder / "peak").read_text())


def read_idx(kind: str, header: int) -> np.ndarray:
    """Return the bytes of both parts of Fashion-MNIST after their headers, `kind` "images" or "labels"."""
    folder = Path(os.environ.get("HANDFUL_FASHION", "/usr/share/datasets/fashion-mnist"))
    dimensions = {"images": 3, "labels": 1}[kind]
    parts = []
    for part in ("train", "t10k"):
        with gzip.open(folder / f"{part}-{kind}-idx{dimensions}-ubyte.gz") as file:
            parts.append(np.frombuffer(file.read(), np.uint8, offset=header))
    return np.concatenate(parts)


def fashion_vectors(rows: int) -> np.ndarray:
    """Return [rows, 64] float32: the images and copies moved by a pixel or two, centred, PCA-64, of length 1."""
    images = read_idx("images", 16).reshape(-1, 28, 28)
    flat = images.reshape(len(images), -1).astype(np.float32) / 255
    mean = flat.mean(axis=0)
    axes = np.linalg.eigh(np.cov(flat.T))[1][:, ::-1][:, :64].astype(np.float32)
    moves = sorted(((y, x) for y in range(-2, 3) for x in range(-2, 3)), key=lambda m: abs(m[0]) + abs(m[1]))
    parts = []
    for move in moves[: -(-rows // len(images))]:
        moved = np.roll(images, move, axis=(1, 2)).reshape(len(images), -1).astype(np.float32) / 255
        parts.append((moved - mean) @ axes)
    vectors = np.concatenate(parts)[:rows]
    if rows < len(images):
        vectors = parts[0][np.random.default_rng(0).choice(len(images), rows, replace=False)]
    return np.ascontiguousarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))


def true_lists(vectors: np.ndarray, sample: np.ndarray) -> np.ndarray:
    from handful.graph.neighbours import nearest_to

    return nearest_to(vectors, np.ones(len(vectors), np.float32), sample, K).rows


def recall_of(lists: np.ndarray, true: np.ndarray, sample: np.ndarray) -> float:
    found = [[j for j in row if j != i][:K] for i, row in zip(sample, lists, strict=True)]
    return float(np.mean([np.isin(t, f).mean() for t, f in zip(true, found, strict=True)]))


def compare(rows: int, repeats: int, names: list[str], folder: Path) -> None:
    vectors = fashion_vectors(rows)
    np.save(folder / "vectors.npy", vectors)
    sample = np.sort(np.random.default_rng(1).choice(rows, min(rows, 1000), replace=False)).astype(np.int32)
    np.save(folder / "sample.npy", sample)
    true = true_lists(vectors, sample)
    at_hand = [name for name in names if importlib.util.find_spec(PEERS[name])]
    figures: dict[str, list[tuple[float, float, float]]] = {name: [] for name in at_hand}
    if importlib.util.find_spec("numba"):
        for name in at_hand:
            if PEERS[name] in ("handful", "pynndescent"):
                measure(name, folder)
    for _ in range(repeats):
        for name in at_hand:
            figures[name].append(measure(name, folder))
    peers = [name for name in at_hand if not name.startswith("handful")]
    best = min((np.median([f[0] for f in figures[name]]) for name in peers), default=np.nan)
    print(f"\n{rows} x 64, k {K}, {repeats} interleaved repeats, medians of whole processes\n")
    print("| library | recall | seconds | times the fastest peer | processor seconds | peak GB |\n" + "|---" * 6 + "|")
    for name in names:
        if name not in figures:
            print(f"| {name} | not installed | | | | |")
            continue
        seconds, processor, memory = np.median(figures[name], axis=0)
        found = recall_of(np.load(folder / f"{name}.npy"), true, sample)
        print(f"| {name} | {found:.4f} | {seconds:.2f} | {seconds / best:.2f} | {processor:.2f} | {memory:.2f} |")


def grow(folder: Path, plot: Path | None) -> None:
    print("| rows | seconds | processor seconds | peak GB | recall |\n|---|---|---|---|---|")
    grown = []
    for rows in (10_000, 30_000, 100_000, 300_000, 1_000_000):
        vectors = fashion_vectors(rows)
        np.save(folder / "vectors.npy", vectors)
        sample = np.arange(0, rows, rows // 500, dtype=np.int32)
        np.save(folder / "sample.npy", sample)
        name = "handful exact" if rows <= 100_000 else "handful approximate"
        seconds, processor, memory = measure(name, folder)
        found = recall_of(np.load(folder / f"{name}.npy"), true_lists(vectors, sample), sample)
        print(f"| {rows} | {seconds:.1f} | {processor:.1f} | {memory:.2f} | {found:.4f} |", flush=True)
        grown.append((rows, processor, memory))
    if plot is not None:
        draw_growth(grown, plot)


def draw_growth(grown: list[tuple[int, float, float]], path: Path) -> None:
    """Draw processor seconds and peak memory over the number of rows, both axes by powers of ten, to `path`."""
    from matplotlib import pyplot

    rows, processor, memory = zip(*grown, strict=True)
    figure, sides = pyplot.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    for side, values, words in zip(sides, (processor, memory), ("processor seconds", "peak memory, GB"), strict=True):
        side.loglog(rows, values, "o-")
        side.set(xlabel="rows of 64 numbers", ylabel=words)
        side.grid(alpha=0.3)
    figure.savefig(path)


def one_clusters(rows: int, folder: Path) -> None:
    """Build the graph of memory-mapped clusters and spread one label a cluster over it."""
    import time

    from handful.graph import knn_graph
    from handful.graph.solver import solve_spreading

    rng = np.random.default_rng(0)
    centres = rng.normal(size=(20, 32)).astype(np.float32) * 2
    mapped = np.lib.format.open_memmap(folder / "clusters.npy", "w+", np.float32, (rows, 32))
    truth = rng.integers(0, 20, rows)
    for start in range(0, rows, 100_000):
        inside = slice(start, min(start + 100_000, rows))
        noise = rng.normal(size=(inside.stop - start, 32)).astype(np.float32)
        mapped[inside] = centres[truth[inside]] + noise
    mapped.flush()
    started = time.perf_counter()
    graph = knn_graph(np.load(folder / "clusters.npy", mmap_mode="r"), K)
    print(f"graph: {time.perf_counter() - started:.0f} s, peak {peak_memory():.1f} GB", flush=True)
    given = np.array([np.flatnonzero(truth == c)[0] for c in range(20)])
    Y = np.zeros((rows, 20), np.float32)
    Y[given, np.arange(20)] = 1
    started = time.perf_counter()
    found = solve_spreading(graph, Y, 0.99, tol=1e-3)
    print(f"solve: {time.perf_counter() - started:.0f} s, peak {peak_memory():.1f} GB", flush=True)
    right = (found.x.argmax(axis=1) == truth).mean()
    print(f"{rows} rows: recall {graph.recall:.4f}, {found.steps} steps, right {100 * right:.2f} %")
    print(f"peak {peak_memory():.1f} GB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=70_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="*", choices=list(PEERS), help="by default all, the exact search up to 200,000")
    parser.add_argument("--grow", action="store_true")
    parser.add_argument("--plot", type=Path, help="with --grow: draw it there (matplotlib)")
    parser.add_argument("--clusters", type=int)
    parser.add_argument("--one", choices=list(PEERS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        lists = search(options.one, np.load(options.folder / "vectors.npy"))
        np.save(options.folder / f"{options.one}.npy", lists[np.load(options.folder / "sample.npy")])
        (options.folder / "peak").write_text(str(peak_memory()))
        return
    with tempfile.TemporaryDirectory() as folder:
        if options.grow:
            grow(Path(folder), options.plot)
        elif options.clusters:
            one_clusters(options.clusters, Path(folder))
        else:
            all_of_them = [name for name in PEERS if name != "handful exact" or options.rows <= 200_000]
            compare(options.rows, options.repeats, options.only or all_of_them, Path(folder))


if __name__ == "__main__":
    main()
