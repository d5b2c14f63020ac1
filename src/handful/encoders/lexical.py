"""TF-IDF of words, reduced by a truncated singular value decomposition: the floor for texts, in seconds.

Deerwester et al., Indexing by latent semantic analysis, 1990.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from scipy import sparse
from sklearn.utils.extmath import randomized_svd
from torch import nn
from torch.nn import functional as F

from handful.encoders.encoded import Encoded
from handful.errors import InputError

_BASE = 1_000_003  # words are told apart by a polynomial of their pieces, modulo 2^64
_LONGEST = 64  # pieces of a word that count


class LexicalEncoder(nn.Module):
    """Maps texts, as pieces of words, to the `width` directions of most weight of their TF-IDF.

    Terms are words of two letters or more; one in fewer than two texts or in more than half says nothing. Counts are
    taken as 1 + log, weighted by the smoothed inverse document frequency to the power of 1.5, and rows scaled to one.
    The power does much of what a list of stop words does, in any language: 8 labels a class, pwll, 7,600 news and 2,189
    reports of Reuters: 63.5 and 85.1 % right with the plain weight, 71.8 and 82.5 with the power, 73 and 80 with the
    square; dropping single letters and signs alone is worth 7 points on the news.
    letters: [pieces] how many letters a piece has. words: how many terms at most. It has to be fitted before use.
    """

    ridge, centred = float("inf"), False
    """Directions are not evened, vectors not centred: 2,179 reports of Reuters, 1 and 8 labels a class, 73.7 and
    86.0 % right, finished as other floors are 66.8 and 83.7; 2,500 news 61.9 and 74.8, 59.9 and 73.7 (`consensus`)."""

    def __init__(self, letters: torch.Tensor, *, width: int = 100, words: int = 50_000, n_terms: int = 0) -> None:
        super().__init__()
        self.width, self.words = width, words
        self.letters = nn.Buffer(letters)
        self.terms = nn.Buffer(torch.zeros(n_terms, dtype=torch.int64))  # sorted
        self.weights = nn.Buffer(torch.zeros(n_terms))
        self.axes = nn.Buffer(torch.zeros(n_terms, width))

    @property
    def config(self) -> dict[str, Any]:
        """What `from_config` makes it again from."""
        sizes = {"n_pieces": len(self.letters), "n_terms": len(self.terms)}
        return {"width": self.width, "words": self.words, **sizes}

    @classmethod
    def from_config(cls, config: dict[str, Any], *, cut: Any = None) -> LexicalEncoder:
        """Return the network that `config` describes, not fitted."""
        rest = {name: value for name, value in config.items() if name != "n_pieces"}
        return cls(torch.zeros(config["n_pieces"], dtype=torch.int64), **rest)

    def fit(self, batches: Iterable[dict[str, torch.Tensor]], *, seed: int = 0) -> None:
        """Take terms, weights and axes from texts. Raises InputError where no word is common to two of them."""
        rows, terms, n_texts = [], [], 0
        for batch in batches:
            row, term = text_terms(batch, self.letters)
            rows.append(row.numpy() + n_texts)
            terms.append(term.numpy())
            n_texts += len(batch["ids"])
        counts, kept, weights = document_weights(np.concatenate(rows), np.concatenate(terms), n_texts, most=self.words)
        matrix = _scale_rows(counts, weights)
        width = min(self.width, *(np.array(matrix.shape) - 1)) or 1
        _, _, axes = randomized_svd(matrix, int(width), random_state=seed)
        self.width = int(width)
        self.terms = nn.Buffer(torch.from_numpy(kept))
        self.weights = nn.Buffer(torch.from_numpy(weights.astype(np.float32)))
        self.axes = nn.Buffer(torch.from_numpy(np.ascontiguousarray(axes.T.astype(np.float32))))

    def forward(self, batch: dict[str, torch.Tensor]) -> Encoded:
        vectors = self.axes.new_zeros(len(batch["ids"]), self.width)
        if len(self.terms):
            row, term = text_terms(batch, self.letters)
            place = torch.searchsorted(self.terms, term).clamp(max=len(self.terms) - 1)
            known = self.terms[place] == term
            cells, counts = torch.unique(row[known] * len(self.terms) + place[known], return_counts=True)
            row, place = cells // len(self.terms), cells % len(self.terms)
            strength = (1 + counts.float().log()) * self.weights[place]
            norms = strength.new_zeros(len(vectors)).index_add(0, row, strength.square()).sqrt()
            strength = strength / norms[row].clamp(min=1e-12)
            ends = torch.bincount(row, minlength=len(vectors)).cumsum(0)
            starts = F.pad(ends[:-1], (1, 0))
            vectors = F.embedding_bag(place, self.axes, starts, mode="sum", per_sample_weights=strength)
        return Encoded(vectors[:, None], vectors)


def text_terms(batch: dict[str, torch.Tensor], letters: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the row and the number [M] int64 of every word of two letters or more. letters: [pieces] of each piece."""
    ids, mask, begins = batch["ids"], batch["mask"], batch["begins"]
    word = begins.long().cumsum(1) - 1  # [B, L]
    positions = torch.arange(ids.shape[1], device=ids.device).expand_as(ids)
    within = positions - torch.where(begins, positions, 0).cummax(1).values
    powers = torch.ones(_LONGEST, dtype=torch.int64, device=ids.device)
    powers[1:] = _BASE
    powers = powers.cumprod(0)  # wraps around, as it should
    counted = mask & (within < _LONGEST)
    part = torch.where(counted, (ids + 1) * powers[within.clamp(max=_LONGEST - 1)], 0)
    numbers = torch.zeros_like(ids).scatter_add_(1, word, part)  # [B, L], one for each word
    long_enough = torch.zeros_like(ids).scatter_add_(1, word, torch.where(mask, letters[ids], 0)) >= 2
    row = torch.arange(len(ids), device=ids.device)[:, None].expand_as(ids)
    return row[long_enough], numbers[long_enough]


def document_weights(
    row: np.ndarray, term: np.ndarray, n_texts: int, *, most: int
) -> tuple[sparse.csr_array, np.ndarray, np.ndarray]:
    """Return counts [N, V], the V terms worth keeping, sorted, and the weights of these.

    Raises InputError where no word is common to two texts.
    """
    terms, column = np.unique(term, return_inverse=True)
    counts = sparse.csr_array((np.ones(len(row)), (row, column)), shape=(n_texts, len(terms)))
    counts.sum_duplicates()
    frequency = np.bincount(counts.indices, minlength=len(terms))
    kept = np.flatnonzero((frequency >= 2) & (frequency <= max(2, n_texts / 2)))
    kept = np.sort(kept[np.argsort(-frequency[kept], kind="stable")[:most]])
    if not len(kept):
        raise InputError(f"no word occurs in two of the {n_texts} texts: there is nothing that makes them alike.")
    weights = (np.log((1 + n_texts) / (1 + frequency[kept])) + 1) ** 1.5
    return counts[:, kept], terms[kept], weights


def _scale_rows(counts: sparse.csr_array, weights: np.ndarray) -> sparse.csr_array:
    matrix = counts.copy()
    matrix.data = (1 + np.log(matrix.data)) * weights[matrix.indices]
    norms = np.sqrt(matrix.multiply(matrix).sum(axis=1))
    matrix.data /= np.repeat(np.maximum(norms, 1e-12), np.diff(matrix.indptr))
    return matrix
