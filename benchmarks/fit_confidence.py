"""Learns what each sign of `handful.propagation.evidence` is worth, and judges it on data sets left out.

    python benchmarks/fit_confidence.py gather --cache FOLDER      signs on many problems, one file a data set
    python benchmarks/fit_confidence.py fit --cache FOLDER         writes src/handful/propagation/learnt.py
    python benchmarks/fit_confidence.py judge --cache FOLDER       each data set judged by what the others teach

A problem is a data set (as it is, or with some of its classes only), up to 1,000 of its rows, a number of labels a
class, a draw of the labels and a rule. Data sets that share their source (news as TF-IDF and as MiniLM vectors) are
left out together. Four sources teach nothing at all: benchmarks judge by them.
"""

from __future__ import annotations

import argparse
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from confidence_sets import sets
from scipy.optimize import minimize
from scipy.special import logit

from handful.graph import knn_graph
from handful.propagation.calibrate import LEAST_SHARE
from handful.propagation.choose import take_rule
from handful.propagation.evidence import gather_evidence
from handful.propagation.problem import Problem

Record = dict[str, Any]
"""One problem under one rule: source, set, kind, n, rule, K, acc, ok [M] bool, signs: name -> [M]."""

HERE = Path(__file__).parent
LEARNT = HERE.parent / "src" / "handful" / "propagation" / "learnt.py"
SIGNS = ("regained", "regained_share", "kin_agrees", "smoothness", "balance", "stability", "kinship")
PARTNER_SIGNS = ("partner_agrees", "partnership")
HALVES_SIGNS = ("halves_agree", "unity", "held_out")
KINDS_OF_RULES = ("is_blend", "is_settled", "is_head", "is_head_spread", "is_spread_head")
NEUTRAL_SIGNS = (*KINDS_OF_RULES, "degree", "log_classes")
EITHER_WAY = (*NEUTRAL_SIGNS, "log_labels", "dimension")  # no signs of quality: no bound on their weights
MODELS = {
    "single, graph": SIGNS + NEUTRAL_SIGNS,
    "single, vectors": SIGNS + PARTNER_SIGNS + NEUTRAL_SIGNS + ("dimension",),
    "halves, graph": SIGNS + HALVES_SIGNS + NEUTRAL_SIGNS + ("log_labels",),
    "halves, vectors": SIGNS + PARTNER_SIGNS + HALVES_SIGNS + NEUTRAL_SIGNS + ("log_labels", "dimension"),
}
RIDGE = 30.0
OUTSIDE = (0.05, 0.95)
FOLDS = 18
ROBUST_ROUNDS, LEAST_MISS = 3, 0.1
TAUGHT_RULES = ("blend", "consensus", "laplace", "head_spread", "spread_head")
JUDGED = ("digits", "cancer", "ag", "fm")  # sources that teach nothing
KINDS = ("plain", "plain", "classes")
LABELS = (1, 2, 5, 10)
MOST_ROWS, SMALLEST_CLASS, ROWS_KEPT = 1000, 12, 60
SEED = 11


def make_problem(
    vectors: np.ndarray, classes: np.ndarray, kind: str, n: int, rng: np.random.Generator
) -> tuple[Problem, np.ndarray] | None:
    """Return a problem with `n` labels a class and its truth [N], or None where one class is left."""
    if kind == "classes" and classes.max() > 1:
        some = rng.permutation(classes.max() + 1)[: rng.integers(2, classes.max() + 1)]
        kept = np.isin(classes, some)
        vectors, classes = vectors[kept], classes[kept]
    if len(classes) > MOST_ROWS:
        rows = np.sort(rng.permutation(len(classes))[:MOST_ROWS])
        vectors, classes = vectors[rows], classes[rows]
    kept = np.isin(classes, np.flatnonzero(np.bincount(classes) >= SMALLEST_CLASS))
    vectors, classes = vectors[kept].astype(np.float32), np.unique(classes[kept], return_inverse=True)[1]
    if not len(classes) or classes.max() < 1:
        return None
    codes = np.full(len(classes), -1, dtype=np.int32)
    for code in range(classes.max() + 1):
        rows = np.flatnonzero(classes == code)
        codes[rng.choice(rows, min(n, len(rows) - 1), replace=False)] = code
    return Problem(knn_graph(vectors, min(10, len(vectors) - 1)), codes, int(classes.max()) + 1), classes


def gather(name: str, source: str, vectors: np.ndarray, classes: np.ndarray, draw: int) -> list[Record]:
    """Return the records of one set and draw: each number of labels a class under each rule."""
    kind, records = KINDS[draw % len(KINDS)], []
    for n in LABELS:
        rng = np.random.default_rng([zlib.crc32(name.encode()), draw, n, SEED])
        made = make_problem(vectors, classes, kind, n, rng)
        if made is None:
            continue
        problem, truth = made
        for rule in TAUGHT_RULES:
            choice = take_rule(problem, rule, "")
            scores = choice.scores
            evidence = gather_evidence(problem, scores, choice.judged, rng=np.random.default_rng(draw))
            right = scores.argmax(axis=1)[evidence.rows] == truth[evidence.rows]
            some = np.random.default_rng([draw, n]).permutation(len(right))[:ROWS_KEPT]
            record = {"source": source, "set": name, "kind": kind, "n": n, "rule": rule, "K": problem.n_classes}
            signs = {sign: values[some].astype(np.float32) for sign, values in evidence.signs.items()}
            records.append(record | {"acc": right.mean(), "ok": right[some], "signs": signs})
    return records


def save(records: Sequence[Record], path: Path) -> None:
    """Write records as arrays: one row for each row judged, with the number of its record."""
    signs = MODELS["halves, vectors"]
    names = ("source", "set", "kind", "n", "rule", "K", "acc")
    table = np.concatenate(
        [
            np.stack([record["signs"].get(sign, np.full(len(record["ok"]), np.nan)) for sign in signs], axis=1)
            for record in records
        ]
    )
    number = np.repeat(np.arange(len(records)), [len(record["ok"]) for record in records])
    columns = {name: np.array([record[name] for record in records]) for name in names}
    ok = np.concatenate([record["ok"] for record in records])
    np.savez(path, table=table, number=number, ok=ok, signs=np.array(signs), **columns)


def load(folder: Path) -> list[Record]:
    """Return all records under `folder`."""
    records = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as held:
            file = {name: held[name] for name in held}
        for at in range(len(file["n"])):
            rows = file["number"] == at
            record = {name: file[name][at].item() for name in ("source", "set", "kind", "n", "rule", "K", "acc")}
            signs = {sign: file["table"][rows, column] for column, sign in enumerate(file["signs"].tolist())}
            signs = {sign: values for sign, values in signs.items() if not np.isnan(values).any()}
            records.append(record | {"ok": file["ok"][rows], "signs": signs})
    return records


def stack(records: Sequence[Record], signs: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the signs [R, S] of all rows of all records, whether they are right [R], and their weights [R].

    Each source weighs the same, and within it each record.
    """
    table = np.concatenate([np.stack([record["signs"][name] for name in signs], axis=1) for record in records])
    right = np.concatenate([record["ok"] for record in records]).astype(float)
    counts = dict.fromkeys({record["source"] for record in records}, 0)
    for record in records:
        counts[record["source"]] += 1
    weights = np.concatenate(
        [np.full(len(record["ok"]), 1 / counts[record["source"]] / max(len(record["ok"]), 1)) for record in records]
    )
    return table.astype(float), right, weights * (len(weights) / weights.sum())


def fit(records: Sequence[Record], signs: Sequence[str]) -> dict[str, Any]:
    """Return a logistic regression of "right" on the signs that a few hopeless problems do not drag along.

    A problem counts less the further its stated accuracy misses, so that the mean absolute miss is what gets small:
    where two labels a class happen to be swapped, no sign can tell.
    """
    trust = np.ones(len(records))
    for _ in range(ROBUST_ROUNDS):
        model = _fit_weighted(records, signs, trust)
        misses = [abs(predict(model, record).mean() - record["acc"]) for record in records]
        trust = 1 / np.maximum(misses, LEAST_MISS)
    return model


def _fit_weighted(records: Sequence[Record], signs: Sequence[str], trust: np.ndarray) -> dict[str, Any]:
    """Return the logistic regression with the ranges of the signs, each record weighing by `trust`.

    More agreement never lowers what is stated: without that bound signs that move together get weights of both signs,
    which fit the taught sets and mislead on others.
    """
    table, right, weights = stack(records, signs)
    weights = weights * np.repeat(trust, [len(record["ok"]) for record in records])
    weights *= len(weights) / weights.sum()
    centre, scale = table.mean(axis=0), table.std(axis=0)
    scale[scale < 1e-9] = 1
    design = np.column_stack([(table - centre) / scale, np.ones(len(table))])
    penalty = np.array([RIDGE] * len(signs) + [1e-6])

    def loss(beta: np.ndarray) -> tuple[float, np.ndarray]:
        odds = np.clip(design @ beta, -30, 30)
        slope = design.T @ (weights * (1 / (1 + np.exp(-odds)) - right)) + penalty * beta
        return float((weights * (np.logaddexp(0, odds) - right * odds)).sum() + penalty @ beta**2 / 2), slope

    bounds = [(None if sign in EITHER_WAY else 0, None) for sign in signs] + [(None, None)]
    beta = minimize(loss, np.full(design.shape[1], 0.05), jac=True, method="L-BFGS-B", bounds=bounds).x
    rows = zip(centre, scale, beta[:-1], table.min(axis=0), table.max(axis=0), strict=True)
    return {"signs": {name: tuple(map(float, row)) for name, row in zip(signs, rows, strict=True)}, "offset": beta[-1]}


def predict(model: dict[str, Any], record: Record) -> np.ndarray:
    """Return [M] the probability that each row of a record is right."""
    odds = model["offset"] + sum(
        weight * (np.clip(record["signs"][name], least, most) - centre) / scale
        for name, (centre, scale, weight, least, most) in model["signs"].items()
    )
    return np.clip(1 / (1 + np.exp(-odds)), 1 / record["K"], 0.995)


def leave_out(records: Sequence[Record], signs: Sequence[str]) -> list[tuple[Record, np.ndarray]]:
    """Return each record with what it is told by records of other sources: in `FOLDS` folds of whole sources."""
    judged, sources = [], sorted({record["source"] for record in records})
    for fold in range(FOLDS):
        left_out = sources[fold::FOLDS]
        model = fit([record for record in records if record["source"] not in left_out], signs)
        judged += [(record, predict(model, record)) for record in records if record["source"] in left_out]
    return judged


def widths(judged: Sequence[tuple[Record, np.ndarray]]) -> list[tuple[float, float, float]]:
    """Return for each number of labels a class its logarithm, and from where to where nine in ten accuracies lie.

    In log odds from the stated one, one in twenty below and one in twenty above; each source weighs the same.
    """
    found = []
    for n in sorted({record["n"] for record, _ in judged}):
        kept = [(record, chance) for record, chance in judged if record["n"] == n]
        counts = Counter(record["source"] for record, _ in kept)
        shares = np.array([[record["acc"], chance.mean()] for record, chance in kept])
        right, stated = logit(np.clip(shares, LEAST_SHARE, 1 - LEAST_SHARE)).T
        weights = np.array([1 / counts[record["source"]] for record, _ in kept])
        order = np.argsort(right - stated)
        reached = np.cumsum(weights[order]) / weights.sum()
        ends = ((right - stated)[order][np.searchsorted(reached, share)] for share in OUTSIDE)
        found.append((float(np.log(n)), *map(float, ends)))
    return found


def write(models: dict[str, dict[str, Any]], sources: Iterable[str], path: Path = LEARNT) -> None:
    """Write the learnt figures as a module that holds nothing else."""
    lines = [
        '"""What each sign of `evidence` is worth. Written by benchmarks/fit_confidence.py, not by hand.',
        "",
        "A sign has its centre, scale and weight, and the range it was taught on. `widths` holds, by the logarithm of",
        "the labels a class, from where to where the accuracy of nine in ten problems from left-out data sets lay, in",
        "log odds from the stated one.",
        "",
        *_wrap("Taught on: " + ", ".join(sorted(sources)) + "."),
        '"""',
        "",
        "from typing import Any",
        "",
        "MODELS: dict[str, dict[str, Any]] = {",
    ]
    for name, model in models.items():
        lines += [f'    "{name}": {{', '        "signs": {']
        for sign, figures in model["signs"].items():
            lines.append(f'            "{sign}": ({", ".join(f"{figure:.4g}" for figure in figures)}),')
        lines += ["        },", f'        "offset": {model["offset"]:.4g},']
        pairs = ", ".join(f"({at:.4g}, {low:.4g}, {high:.4g})" for at, low, high in model["widths"])
        lines += [f'        "widths": ({pairs},),', "    },"]
    path.write_text("\n".join([*lines, "}", ""]), encoding="utf-8")


def _wrap(text: str, width: int = 116) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return lines


def records_for(records: Sequence[Record], name: str) -> list[Record]:
    return [record for record in records if (record["n"] == 1) == name.startswith("single")]


def report(judged: Sequence[tuple[Record, np.ndarray]]) -> str:
    """Return the mean error of the stated accuracy and the share of intervals that would hold, by labels a class."""
    words = []
    for n in sorted({record["n"] for record, _ in judged}):
        by_source: dict[str, list[float]] = {}
        for record, chance in judged:
            if record["n"] == n:
                by_source.setdefault(record["source"], []).append(100 * abs(chance.mean() - record["acc"]))
        means = [np.mean(errors) for errors in by_source.values()]
        words.append(f"{n} a class: {np.mean(means):.1f} (median over {len(means)} sources {np.median(means):.1f})")
    return "; ".join(words)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("gather", "judge", "fit"))
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--draws", type=int, default=3)
    options = parser.parse_args()
    folder = options.cache / "records"
    if options.step == "gather":
        folder.mkdir(parents=True, exist_ok=True)
        for draw in range(options.draws):
            for name, source, vectors, classes in sets(options.cache / "sets"):
                path = folder / f"{name}.{draw}.npz"
                if not path.exists() and (records := gather(name, source, vectors, classes, draw)):
                    save(records, path)
        return
    records, models = load(folder), {}
    print(f"{len(records)} problems from {len({record['set'] for record in records})} sets")
    for name, signs in MODELS.items():
        of_kind = records_for(records, name)
        fitting = [record for record in of_kind if record["source"] not in JUDGED]
        judged = leave_out(fitting, signs)
        print(f"{name}: error of the stated accuracy in points, each source left out, {report(judged)}")
        model = fit(fitting, signs)
        never = [(record, predict(model, record)) for record in of_kind if record["source"] in JUDGED]
        print(f"    {', '.join(JUDGED)}: {report(never)}")
        models[name] = model | {"widths": widths(judged)}
    if options.step == "fit":
        write(models, {record["set"] for record in records if record["source"] not in JUDGED})


if __name__ == "__main__":
    main()
