"""The example of card transactions, on few of them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

EXAMPLE = Path(__file__).parents[2] / "examples" / "card_anomalies.py"


def load() -> ModuleType:
    """Return the example as a module."""
    spec = importlib.util.spec_from_file_location("card_anomalies", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_frauds_stand_out_and_known_ones_help(capsys) -> None:
    figures = load().main(n=2000)
    assert figures["without labels"] > 0.2  # one row in a hundred is a fraud
    assert figures["five frauds known"] > figures["without labels"]
    assert capsys.readouterr().out.startswith("synthetic transactions")
