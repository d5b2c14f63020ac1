"""The model card: README.md beside a saved encoder, in the form the hubs read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FIGURES = ("loss", "rank", "agreement", "alignment", "uniformity")


def model_card(config: Mapping[str, Any], *, parameters: int) -> str:
    """Return the card of an encoder as Markdown, from what its config.json says.

    parameters: how many numbers were learnt.
    """
    modality, record = dict(config["modality"]), config["record"]
    names = list(config["networks"])
    identity = record.get("identity", {})
    schedule = identity.get("schedule", {})
    parts = [
        f"---\nlibrary_name: handful\ntags: [self-supervised, {modality['name']}, {', '.join(names)}]\n---",
        f"# An encoder of {modality.pop('name')} data",
        f"It maps samples to vectors whose angles mean likeness. Representations side by side: {', '.join(names)}; "
        f"{parameters:,} parameters. It was trained without labels.",
        "## Use",
        '```python\nfrom handful import Encoder, read\n\nencoder = Encoder.from_pretrained("this folder")\n'
        'vectors = encoder.embed(read("your data")).vectors\n```',
        f"## How it reads\n{_as_list(modality)}",
    ]
    if schedule:
        parts.append(f"## How it was trained\n{_as_list({'method': identity.get('method'), **schedule})}")
        parts.append(f"Data: fingerprint `{identity.get('data')}`; {record.get('seconds', 0):.0f} seconds.")
    if record.get("history"):
        parts.append(f"## How the training went\n{record['verdict']}\n\n{_table(record['history'])}")
    parts.append(
        "## Limits\nIt knows the data it was trained on. Nearness of vectors is likeness to the network, not to a "
        "person: check it with labels before decisions rest on it."
    )
    return "\n\n".join(parts) + "\n"


def _as_list(values: Mapping[str, Any]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in values.items())


def _table(history: list[Mapping[str, Any]]) -> str:
    """Return the first and the last epochs as a table."""
    kept = history if len(history) <= 6 else [*history[:3], *history[-3:]]
    figures = [name for name in _FIGURES if name in history[-1]]
    lines = [f"| epoch | {' | '.join(figures)} |", "|---" * (len(figures) + 1) + "|"]
    for line in kept:
        lines.append(f"| {line['epoch']} | {' | '.join(f'{line[name]:.3g}' for name in figures)} |")
    return "\n".join(lines)
