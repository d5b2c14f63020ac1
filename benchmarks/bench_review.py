"""The review: how soon the answer follows a decision, what a simulated person needs, whether the stop rule holds.

python benchmarks/bench_review.py answer --rows 100000 [--classes 10] [--known 200]   time and memory, made clusters
python benchmarks/bench_review.py person --set digits [--seeds 5] [--most 400]        decisions to 95 %, three orders
python benchmarks/bench_review.py stop --set digits [--seeds 20]                      is the accuracy in its interval?
python benchmarks/bench_review.py curves                                              the curves behind the confidence

The person decides on the first row of the queue, always rightly, and sees the queue made anew after each decision.
Sets: digits (scikit-learn, all of it); fashion (Fashion-MNIST test images, trouser, sandal, bag and boot); agnews (AG
News test, World and Sports, TF-IDF); minilm (the same by MiniLM). A seed draws nine rows in ten, linked anew.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import handful
from handful.data import Dataset
from handful.graph import Graph, knn_graph
from handful.graph.weights import edge_weights
from handful.propagation.fuse import fuse
from handful.reviewing.confidence import fit_curve, signs_of
from handful.reviewing.desk import PROPAGATED, Desk
from handful.reviewing.live import Live
from handful.reviewing.opened import open_for_review
from handful.reviewing.queues import Queues
from handful.run.folder import Run, make_run
from handful.run.journal import Journal
from handful.training.embed import Embeddings

ORDERS = ("suggest", "unsure", "random")
STAGES = (10, 15, 20, 30, 40, 60, 80, 120, 160, 240)
DATA = Path(os.environ.get("HANDFUL_DATA", "data"))


def digits(cache: Path) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the blocks of vectors and the classes of the digits."""
    from sklearn.datasets import load_digits

    vectors, classes = load_digits(return_X_y=True)
    return [vectors.astype(np.float32)], classes


def fashion(cache: Path) -> tuple[list[np.ndarray], np.ndarray]:
    """Return fifty principal components of the pixels of four classes of Fashion-MNIST's test images."""
    from sklearn.decomposition import PCA

    data = handful.read("/usr/share/datasets/fashion-mnist/t10k", "source", size=28)
    assert data.labels is not None
    classes = data.labels.classes[data.labels.codes].astype(int)
    rows = np.flatnonzero(np.isin(classes, (1, 5, 8, 9)))
    pixels = np.asarray(data.samples[rows], np.float32).reshape(len(rows), -1)
    return [PCA(50, random_state=0).fit_transform(pixels).astype(np.float32)], classes[rows]


def agnews(cache: Path) -> tuple[list[np.ndarray], np.ndarray]:
    """Return a hundred singular vectors of the TF-IDF of two classes of AG News, of length one."""
    import csv

    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    with (DATA / "ag_news_test.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file) if row[0] in ("1", "2")]
    counts = TfidfVectorizer(min_df=2, sublinear_tf=True, stop_words="english").fit_transform(
        [f"{row[1]} {row[2]}" for row in rows]
    )
    vectors = normalize(TruncatedSVD(100, random_state=0).fit_transform(counts))
    return [vectors.astype(np.float32)], np.array([int(row[0]) for row in rows])


def minilm(cache: Path) -> tuple[list[np.ndarray], np.ndarray]:
    """Return MiniLM's vectors of two classes of AG News, as `confidence_sets` makes them."""
    from confidence_sets import sets

    [(_, _, vectors, classes)] = sets(cache, ["ag_minilm"])
    rows = np.flatnonzero(classes < 2)
    return [vectors[rows]], classes[rows]


SETS = {"digits": digits, "fashion": fashion, "agnews": agnews, "minilm": minilm}


def load(name: str, cache: Path) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the blocks and classes of a set, kept in `cache`."""
    path = cache / f"{name}.npz"
    if not path.is_file():
        blocks, classes = SETS[name](cache)
        np.savez(path, classes=classes, **{f"block{place}": block for place, block in enumerate(blocks)})
    with np.load(path) as file:
        return [file[key] for key in file.files if key.startswith("block")], file["classes"]


def linked(blocks: list[np.ndarray]) -> Graph:
    """Return the graph of a run over these blocks."""
    return knn_graph(blocks[0], 10) if len(blocks) == 1 else fuse(blocks, n_neighbors=10)


def write_run(folder: Path, graph: Graph, vectors: np.ndarray) -> Run:
    """Return a run folder around a graph, as the steps would have left it without a label."""
    run = make_run(folder)
    ids = np.array([f"item-{row}" for row in range(len(graph))])
    data = Dataset("series", ids, vectors, ids, fingerprint=f"made-{len(graph)}", source="made")
    run.note(source="<ndarray>", labels=None, reading={})
    run.write_data(data)
    run.write_embeddings(Embeddings(ids, vectors, {"all": slice(0, vectors.shape[1])}), ids, "none")
    made_of = {"embeddings": run.digest("embeddings.npy"), "n_neighbors": 10, "seed": 0}
    with run.writing("graph.npz", step="propagate", note={"graph": {"made_of": made_of, "notes": []}}) as (file,):
        graph.save(file)
    return run


@contextmanager
def desk_of(graph: Graph, vectors: np.ndarray, asked: float = 0.95) -> Iterator[Desk]:
    """Give the desk of a run around a graph."""
    with tempfile.TemporaryDirectory() as folder:
        run = write_run(Path(folder) / "run", graph, vectors)
        journal = Journal(run.folder)
        yield Desk(open_for_review(run, journal), journal, tell=lambda name, value: None, asked=asked)
        journal.close()


def drawn(name: str, cache: Path, seed: int) -> tuple[Graph, np.ndarray, np.ndarray]:
    """Return the graph, the vectors and the classes of nine rows in ten."""
    blocks, classes = load(name, cache)
    rows = np.random.default_rng(seed).permutation(len(classes))[: round(0.9 * len(classes))]
    return linked([block[rows] for block in blocks]), blocks[0][rows], classes[rows]


def reviewed(desk: Desk, order: str, classes: np.ndarray, most: int, seed: int) -> Iterator[float]:
    """Yield the accuracy over all rows after each decision of the simulated person."""
    queues = Queues(desk)
    if order == "suggest":
        queues.find_typical().join()
    for number in range(most):
        row = queues.make(order, "person", n=1, seed=seed * 10_000 + number).rows[0]
        desk.decide("person", [row], "label", label=f"class {classes[row]}")
        desk.renew()
        names = np.array([int(str(one).split()[1]) for one in desk.classes.names])
        yield float((np.where(desk.codes >= 0, names[desk.codes], -1) == classes).mean())


def person(name: str, cache: Path, seeds: range, most: int, orders: list[str]) -> None:
    """Print how many decisions each order needs to 95 %, and the accuracy after 20, 50 and 100."""
    for seed in seeds:
        graph, vectors, classes = drawn(name, cache, seed)
        for order in orders:
            with desk_of(graph, vectors) as desk:
                found: list[float] = []
                for accuracy in reviewed(desk, order, classes, most, seed):
                    found.append(accuracy)
                    if accuracy >= 0.95 and len(found) >= 50:
                        break
            reached = np.flatnonzero(np.array(found) >= 0.95)
            needed = str(int(reached[0]) + 1) if len(reached) else f"over {most}"
            course = ", ".join(f"{found[at - 1]:.3f} after {at}" for at in (10, 20, 50, 100) if at <= len(found))
            print(f"{name} {order} seed {seed}: {needed} decisions to 95 %; {course}", flush=True)


def audit(desk: Desk, n: int, classes: np.ndarray, seed: int) -> None:
    """Let the person check `n` rows drawn at random."""
    for row in desk.draw_audit("person", n, np.random.default_rng([seed, n])):
        desk.decide("person", [row], "label", label=f"class {classes[row]}")
    desk.renew()


def stop(name: str, cache: Path, seeds: range, most: int, checked: int) -> None:
    """Print, run by run, the stated accuracy with its interval and the true one, and where the rule said enough.

    checked: rows at random that the person looks at after every stage but the last.
    """
    inside = stages = 0
    for seed in seeds:
        graph, vectors, classes = drawn(name, cache, seed)
        stopped, told_at = "not enough", []
        with desk_of(graph, vectors, asked=0.9) as desk:
            for number, _ in enumerate(reviewed(desk, "suggest", classes, most, seed), 1):
                names = np.array([int(str(one).split()[1]) for one in desk.classes.names])
                open_rows = desk.source == PROPAGATED
                right = float((names[desk.codes[open_rows]] == classes[open_rows]).mean())
                told = desk.progress
                if told.expected_accuracy is None or told.low is None or told.high is None:
                    continue
                if told.low <= right <= told.high:
                    word = "in"
                else:
                    word = "BELOW" if right < told.low else "ABOVE"
                line = (
                    f"{number}: {told.expected_accuracy:.3f} [{told.low:.3f}, {told.high:.3f}] true {right:.3f} {word}"
                )
                if number in STAGES:
                    told_at.append(line)
                    stages, inside = stages + 1, inside + (word == "in")
                    if checked and number != STAGES[-1]:
                        audit(desk, checked, classes, seed)
                if told.enough and stopped == "not enough":
                    stopped = f"enough at {line}"
        print(f"{name} seed {seed} | {stopped} | {' | '.join(told_at)}", flush=True)
    print(
        f"{name}, {checked} rows checked after each stage: within the interval {inside} times of {stages}", flush=True
    )


def curves(cache: Path, seeds: int) -> None:
    """Print the logistic curve from the signs to the chance of being right, by set and number of labels."""
    from sklearn.datasets import load_breast_cancer, load_iris, load_wine

    sets = {name: load(name, cache) for name in SETS if name == "digits" or (cache / f"{name}.npz").is_file()}
    for name, loader in {"wine": load_wine, "iris": load_iris, "cancer": load_breast_cancer}.items():
        vectors, classes = loader(return_X_y=True)
        sets[name] = ([((vectors - vectors.mean(0)) / vectors.std(0)).astype(np.float32)], classes)
    found = []
    for name, (blocks, classes) in sets.items():
        graph = linked(blocks)
        present, codes = np.unique(classes, return_inverse=True)
        for known in (10, 20, 40, 80, 160):
            for seed in range(seeds) if known < len(codes) // 2 else ():
                rows = np.random.default_rng(seed).choice(len(codes), known, replace=False)
                if len(np.unique(codes[rows])) < len(present):
                    continue
                live = Live(graph.weights)
                live.grow(len(present))
                live.set_labels(rows, codes[rows])
                answer = live.answer()
                open_rows = (live.codes < 0) & (answer.codes >= 0)
                signs = signs_of(answer.share, answer.next_share, answer.nearness)[open_rows]
                right = (answer.codes == codes)[open_rows]
                at = fit_curve(signs, right, np.ones(len(right)), len(present)).at
                found.append(at)
                print(f"{name} {known} {seed}: {right.mean():.3f} right, curve {at.round(2)}", flush=True)
    print("mean", np.mean(found, axis=0).round(2), "spread", np.std(found, axis=0).round(2))


def answer(rows: int, n_classes: int, known: int) -> None:
    """Print how long a decision takes to become a new whole answer, and what the server holds in memory."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(60, 4))
    cluster = rng.integers(60, size=rows)
    vectors = (centres[cluster] + rng.normal(size=(rows, 4)) * 0.2).astype(np.float32)
    classes = cluster % n_classes
    with tempfile.TemporaryDirectory() as folder:
        run = write_run(Path(folder) / "run", by_tree(vectors, 10), vectors)
        run.forget()
        del vectors
        before = resident()
        begin = time.perf_counter()
        journal = Journal(run.folder)
        desk = Desk(open_for_review(run, journal), journal, tell=lambda name, value: None)
        opened = time.perf_counter() - begin
        begin = time.perf_counter()
        desk.renew()
        first = time.perf_counter() - begin
        seconds, processor = [], []
        for number, row in enumerate(rng.choice(rows, known + 20, replace=False).tolist()):
            begin, used = time.perf_counter(), time.process_time()
            desk.decide("person", [row], "label", label=f"class {classes[row]}")
            desk.renew()
            if number >= known:
                seconds.append(time.perf_counter() - begin)
                processor.append(time.process_time() - used)
        queues = Queues(desk)
        begin = time.perf_counter()
        queues.make("suggest", "person")
        queue = time.perf_counter() - begin
        names = np.array([int(str(one).split()[1]) for one in desk.classes.names])
        right = (names[desk.codes] == classes)[desk.codes >= 0].mean()
        print(
            f"{rows} rows, {n_classes} classes, {known} known: opened in {opened:.2f} s, first answer {first:.2f} s; "
            f"decision to whole answer median {np.median(seconds):.3f} s, 95th percentile "
            f"{np.quantile(seconds, 0.95):.3f} s (processor {np.median(processor):.3f} s); queue {queue:.2f} s; memory "
            f"{resident() / 1e9:.2f} GB, {(resident() - before) / 1e9:.2f} GB of it the review's, peak "
            f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB with the graph made; {right:.3f} right",
            flush=True,
        )
        journal.close()


def by_tree(vectors: np.ndarray, k: int) -> Graph:
    """Return the graph of vectors of few dimensions, whose neighbours a tree finds soonest."""
    from scipy.spatial import cKDTree

    distances, rows = cKDTree(vectors).query(vectors, k + 1, workers=-1)
    return Graph(
        edge_weights(rows[:, 1:].astype(np.int32), (distances[:, 1:] ** 2).astype(np.float32)), vectors=vectors
    )


def resident() -> int:
    """Return the bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["answer", "person", "stop", "curves"])
    parser.add_argument("--set", default="digits", choices=SETS)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--orders", nargs="*", default=list(ORDERS), choices=ORDERS)
    parser.add_argument("--most", type=int, default=400)
    parser.add_argument("--checked", type=int, default=0, help="rows at random looked at after each stage of `stop`")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--known", type=int, default=200)
    options = parser.parse_args()
    if options.what == "answer":
        answer(options.rows, options.classes, options.known)
    elif options.what == "curves":
        curves(options.cache, options.seeds)
    else:
        seeds = range(options.first_seed, options.first_seed + options.seeds)
        if options.what == "stop":
            stop(options.set, options.cache, seeds, options.most, options.checked)
        else:
            person(options.set, options.cache, seeds, options.most, options.orders)


if __name__ == "__main__":
    main()
