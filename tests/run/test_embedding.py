"""Embedding goes on where a killed run was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy import toy_images

from handful import pretrain
from handful.run import embedding
from handful.run.embedding import embed_rows, forget_rows
from handful.training.encoder import Encoder


class Breaking:
    """Samples that count the rows that are read, and break off once `most` are."""

    def __init__(self, samples: Any, most: int) -> None:
        self.samples, self.most, self.read = samples, most, 0

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, rows: Any) -> Any:
        self.read += len(rows)
        if self.read > self.most:
            raise KeyboardInterrupt
        return self.samples[rows]


@pytest.mark.parametrize(("digest", "anew"), [("same", 15), ("other", 40)])
def test_rows_of_a_killed_run_are_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digest: str, anew: int
) -> None:
    monkeypatch.setattr(Encoder, "batch_size", lambda encoder, data: 5)
    monkeypatch.setattr(embedding, "SECONDS", 0.0)
    data = toy_images(40)
    encoder = pretrain(data, "pca")
    rows, told = np.arange(40), {"encoder_digest": "same", "progress": lambda done, total: None}
    wanted = encoder.embed(data).vectors
    broken = replace(data, samples=Breaking(data.samples, 25))
    with pytest.raises(KeyboardInterrupt):
        embed_rows(tmp_path, encoder, broken, rows, **told)
    whole = replace(data, samples=Breaking(data.samples, 100))
    vectors = embed_rows(tmp_path, encoder, whole, rows, **{**told, "encoder_digest": digest})
    assert whole.samples.read == anew
    assert np.array_equal(vectors, wanted)
    forget_rows(tmp_path)
    assert not list(tmp_path.iterdir())
