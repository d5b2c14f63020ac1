"""Odd card transactions, found without labels and with five known ones.

The transactions are SYNTHETIC: drawn here by a few rules, so the figures printed say only that the path works. The
public table with the columns Time, V1 to V28, Amount, Class is read as it is:

    handful anomalies creditcard.csv --out run
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from handful.run.anomalies import find_anomalies

SHOPS = ("groceries", "fuel", "restaurant", "online", "travel", "electronics")
TYPICAL = {"groceries": 40, "fuel": 55, "restaurant": 30, "online": 45, "travel": 180, "electronics": 160}


def make_transactions(n: int = 4000, *, fraud_share: float = 0.01, seed: int = 0) -> tuple[list[dict], np.ndarray]:
    """Return SYNTHETIC transactions and which are frauds [n] bool.

    A fraud is mostly an online or electronics purchase at night, abroad, of several times the usual amount, shortly
    after another one.
    """
    draw = np.random.default_rng(seed)
    fraud = draw.random(n) < fraud_share
    rows = []
    for row in range(n):
        shop = str(draw.choice(SHOPS, p=[0.35, 0.15, 0.2, 0.2, 0.04, 0.06]))
        hour, gap = draw.normal(14, 3.5) % 24, draw.exponential(600)
        amount = TYPICAL[shop] * draw.lognormal(0, 0.5)
        abroad = draw.random() < 0.04
        if fraud[row]:
            shop = str(draw.choice(["online", "electronics"]))
            hour, gap = draw.normal(3, 2) % 24, draw.exponential(20)
            amount, abroad = TYPICAL[shop] * draw.lognormal(1.2, 0.5), draw.random() < 0.7
        rows.append(
            {
                "id": f"transaction-{row:05d}",
                "shop": shop,
                "amount": round(float(amount), 2),
                "hour": round(float(hour), 2),
                "minutes_since_last": round(float(gap), 1),
                "abroad": "yes" if abroad else "no",
            }
        )
    return rows, fraud


def write_csv(rows: list[dict], path: Path) -> Path:
    """Write rows with a header and return the path."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def main(n: int = 4000, out: Path | None = None) -> dict[str, float]:
    """Print and return how well the frauds are ranked, without labels and with five of them known."""
    rows, fraud = make_transactions(n)
    figures = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = out or Path(scratch)
        table = write_csv(rows, folder / "transactions.csv")
        told = np.flatnonzero(fraud)[:5]
        labels = write_csv([{"id": rows[row]["id"], "label": "fraud"} for row in told], folder / "known.csv")
        rest = np.setdiff1d(np.arange(n), told)
        for name, known in (("without labels", None), ("five frauds known", labels)):
            found = find_anomalies(table, out=folder / name.replace(" ", "-"), labels=known)
            scores = found.table["score"].to_numpy()[rest]
            figures[name] = float(average_precision_score(fraud[rest], scores))
            area = roc_auc_score(fraud[rest], scores)
            print(f"synthetic transactions, {name}: AUROC {area:.3f}, average precision {figures[name]:.3f}")
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=4000)
    main(parser.parse_args().n)
