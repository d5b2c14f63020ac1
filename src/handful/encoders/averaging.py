"""Word vectors, weighted and averaged: the quickest network to learn from a few thousand texts.

Iyyer et al., Deep unordered composition rivals syntactic methods for text classification, 2015; the weights begin at
the inverse document frequency and are learnt. Order is lost, and with it little that tells topics apart: on 7,600 news
it learns in half a minute what a transformer does not in an hour.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from handful.encoders.encoded import Encoded
from handful.encoders.lexical import document_weights, text_terms

_START = 0.02  # of word vectors: the direction of a sum counts, so small ones learn fast at any rate


class AveragingEncoder(nn.Module):
    """Maps texts, as pieces of words, to the weighted sum of the vectors of their words, scaled to length one.

    Words of two letters or more that occur in two texts at least and in half of them at most; a text of none of these
    is zero.
    letters: [pieces] how many letters a piece has. words: how many are told apart at most. It has to be fitted before
    use: that takes the words and the weights they begin with.
    """

    ridge = float("inf")
    """Its directions are not evened: 7,600 news, 8 labels a class, 82.7 % right, 74.7 with the ridge of other networks
    (spread, then head; 3 draws)."""

    def __init__(
        self, letters: torch.Tensor, *, width: int = 128, words: int = 50_000, n_terms: int = 0, seed: int = 0
    ) -> None:
        super().__init__()
        self.width, self.words = width, words
        self.letters = nn.Buffer(letters)
        self._make(torch.zeros(n_terms, dtype=torch.int64), torch.zeros(n_terms), seed)

    @property
    def config(self) -> dict[str, Any]:
        """What `from_config` makes it again from."""
        sizes = {"n_pieces": len(self.letters), "n_terms": len(self.terms)}
        return {"width": self.width, "words": self.words, **sizes}

    @classmethod
    def from_config(cls, config: dict[str, Any], *, cut: Any = None) -> AveragingEncoder:
        """Return the network that `config` describes, not trained."""
        rest = {name: value for name, value in config.items() if name != "n_pieces"}
        return cls(torch.zeros(config["n_pieces"], dtype=torch.int64), **rest)

    def fit(self, batches: Iterable[dict[str, torch.Tensor]], *, seed: int = 0) -> None:
        """Take words and first weights from texts; one that is fitted stays as it is.

        Raises InputError where no word is common to two texts.
        """
        if len(self.terms):
            return
        rows, terms, n_texts = [], [], 0
        for batch in batches:
            row, term = text_terms(batch, self.letters)
            rows.append(row.numpy() + n_texts)
            terms.append(term.numpy())
            n_texts += len(batch["ids"])
        _, kept, weights = document_weights(np.concatenate(rows), np.concatenate(terms), n_texts, most=self.words)
        self._make(torch.from_numpy(kept), torch.from_numpy(np.log(weights)).float(), seed)

    def _make(self, terms: torch.Tensor, log_weights: torch.Tensor, seed: int) -> None:
        draw = torch.Generator().manual_seed(seed)
        self.terms = nn.Buffer(terms)  # sorted
        self.vectors = nn.Parameter(_START * torch.randn(len(terms), self.width, generator=draw))
        self.log_weights = nn.Parameter(log_weights)

    def forward(self, batch: dict[str, torch.Tensor]) -> Encoded:
        pooled = self.vectors.new_zeros(len(batch["ids"]), self.width)
        if len(self.terms):
            row, term = text_terms(batch, self.letters)
            place = torch.searchsorted(self.terms, term).clamp(max=len(self.terms) - 1)
            known = self.terms[place] == term
            row, place = row[known], place[known]
            starts = F.pad(torch.bincount(row, minlength=len(pooled)).cumsum(0)[:-1], (1, 0))
            strength = self.log_weights[place].exp()
            pooled = F.embedding_bag(place, self.vectors, starts, mode="sum", per_sample_weights=strength)
        pooled = F.normalize(pooled.float(), dim=1)
        return Encoded(pooled[:, None], pooled)
