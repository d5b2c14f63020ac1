"""Texts that share no word with any other: what they are labelled is a guess, and is said to be one."""

from __future__ import annotations

import numpy as np
import torch

from handful.encoders.lexical import LexicalEncoder
from handful.run.folder import Run

_NAMED = 5
_SAME = 1e-5  # of a coordinate of vectors of length one


def lone_notes(run: Run) -> list[str]:
    """Return a sentence that names the items of `run` whose words say nothing of them; none where there are none.

    Such a text is nowhere on the axes of the words, and ends where all vectors of nothing end: it is linked to what
    lies in the middle of the others, not to what is like it.
    """
    rows = np.flatnonzero(_lone_rows(run))
    if not len(rows):
        return []
    named = ", ".join(map(repr, run.embeddings.ids[rows[:_NAMED]].tolist())) + (", ..." if len(rows) > _NAMED else "")
    say, them = ("1 text shares no word", "it") if len(rows) == 1 else (f"{len(rows)} texts share no word", "them")
    return [f"{say} with any other ({named}): what is said of {them} is a guess by chance; look at {them} by hand."]


def _lone_rows(run: Run) -> np.ndarray:
    """Return [N] bool, whether the only thing known of an item is that none of its words is known."""
    embeddings = run.embeddings
    lone = np.zeros(len(embeddings), dtype=bool)
    if "tfidf" not in embeddings.blocks:
        return lone
    encoder = run.encoder
    network = encoder.networks["tfidf"]
    assert isinstance(network, LexicalEncoder)
    with torch.inference_mode():
        nothing = encoder.finishes["tfidf"](torch.zeros(1, network.width)).numpy()
    return np.abs(embeddings.block("tfidf") - nothing).max(axis=1) < _SAME
