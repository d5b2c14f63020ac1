"""Texts: batches of word pieces, spans of a text as its views, whole words as what is hidden together."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from handful.data import Samples
from handful.encoders.averaging import AveragingEncoder
from handful.encoders.lexical import LexicalEncoder
from handful.encoders.pretrained_text import load_text_encoder
from handful.encoders.tokens import SymbolTokens, Tokens
from handful.encoders.transformer import TransformerEncoder
from handful.errors import InputError
from handful.modalities.text_duplicates import find_near_duplicates
from handful.modalities.text_tokens import Vocabulary, encode_texts, import_tokenizers, read_vocabulary, train_tokenizer
from handful.modalities.text_words import telling_words

Batch = dict[str, torch.Tensor]
_TOKENIZER = "tokenizer.json"
_RAW_WIDTH = 512
_FIT_TEXTS = 100_000  # texts the tokenizer is trained on: the common words of more are the same
_SHOWN = 400  # characters
_KEPT = 0.3  # of the words, in a view
_KEPT_WITHOUT_DROPOUT = 0.7
_MIX = 2_654_435_761  # Knuth's multiplicative hash


class Text:
    """Texts. Samples are strings; a batch is {"ids": [B, L] int64, "mask": [B, L] bool, "begins": [B, L] bool}: the
    pieces, which of them are present, and which begin a word.

    max_tokens: pieces of a text that are read; what is longer than `window` is read in windows, and pooled.
    crop: the smallest share of a text that the span of a view has. keep: the share of its words that a view keeps;
    three in ten for networks that are new, all for a pretrained one whose dropout makes views differ (SimCSE, Gao, Yao
    and Chen 2021).
    assets: the tokenizer as JSON by its file's name; without it, `adapt` trains one.
    """

    name = "text"
    order = "words"
    axes = 1
    auto = ("tfidf", "simclr")
    counts: Mapping[str, float] = {"tfidf": 0.5, "simclr": 1.0}
    """1 and 8 labels a class, `consensus`: mails of SpamAssassin 84.4 and 85.6 % right, both alike 79.4 and 82.2; 2,500
    news 74.1 and 82.8, alike 73.5 and 81.6; Reuters 75.3 and 84.8, alike 76.3 and 85.1."""

    def __init__(
        self,
        *,
        markup: str = "strip",
        max_tokens: int = 1024,
        window: int = 128,
        crop: float = 1.0,
        keep: float | None = None,
        assets: Mapping[str, str] | None = None,
    ) -> None:
        self.markup, self.max_tokens, self.window = markup, max_tokens, window
        self.crop, self.keep = crop, _KEPT if keep is None else keep
        self._asked = keep is not None
        self.assets = dict(assets or {})
        self._tokenizer = None
        if _TOKENIZER in self.assets:
            self._tokenizer = import_tokenizers().Tokenizer.from_str(self.assets[_TOKENIZER])
            self._tokenizer.no_padding()
            self._tokenizer.no_truncation()
            self.vocabulary: Vocabulary = read_vocabulary(self._tokenizer)
            self.token_kind = SymbolTokens(self.vocabulary.size)

    @property
    def settings(self) -> Mapping[str, Any]:
        """How texts are read; the tokenizer by the digest of its file."""
        names = ("markup", "max_tokens", "window", "crop", "keep")
        digest = hashlib.blake2b(self.assets.get(_TOKENIZER, "").encode(), digest_size=8).hexdigest()
        return {**{name: getattr(self, name) for name in names}, "tokenizer": digest}

    def adapt(self, samples: Samples, *, seed: int = 0) -> Text:
        """Return the same with a tokenizer trained on `samples`, or itself where it has one."""
        if self._tokenizer is not None:
            return self
        rows = np.sort(np.random.default_rng(seed).permutation(len(samples))[:_FIT_TEXTS])
        tokenizer = train_tokenizer(samples[int(row)] for row in rows)
        return self._with(assets={_TOKENIZER: tokenizer.to_str()})

    def load_encoder(self, name: str | Path, *, pooling: str = "auto") -> tuple[Text, nn.Module]:
        """Return the pretrained network called `name` (a folder, or a name on the hub), and texts as it reads them.

        Raises InputError where there is none.
        """
        loaded = load_text_encoder(name, pooling=pooling)
        network = loaded.network
        drops = any(isinstance(part, nn.Dropout) and part.p > 0 for part in network.modules())
        keep = self.keep if self._asked else 1.0 if drops else _KEPT_WITHOUT_DROPOUT
        made = self._with(assets={_TOKENIZER: loaded.tokenizer}, window=loaded.window, keep=keep)
        network.cut = made.tokens
        return made, network

    def _with(self, **changes: Any) -> Text:
        names = ("markup", "max_tokens", "window", "crop", "keep", "assets")
        return Text(**{**{name: getattr(self, name) for name in names}, **changes})

    def near_duplicates(self, samples: Samples) -> list[np.ndarray]:
        """Return the groups of rows whose texts are nearly the same."""
        return find_near_duplicates(samples)

    def telling_words(self, samples: Samples, codes: np.ndarray, n_classes: int) -> list[list[str]]:
        """Return for each class the words that tell it from the others; codes: [N] of each text, -1 for none."""
        return telling_words(samples, codes, n_classes)

    def batch(self, samples: Samples, rows: np.ndarray) -> Batch:
        """Return the texts of `rows` as pieces, as wide as the longest."""
        return self.batch_of(samples[np.asarray(rows)])

    def batch_of(self, texts: list[str]) -> Batch:
        """Return `texts` as pieces, as wide as the longest."""
        if self._tokenizer is None:
            raise InputError("texts have no tokenizer yet: pretrain an encoder on them, or load one.")
        encoded = encode_texts(self._tokenizer, texts, self.max_tokens)
        width = max(1, max(len(pieces) for pieces in encoded))
        ids = torch.full((len(texts), width), self.vocabulary.pad)
        mask = torch.zeros(len(texts), width, dtype=torch.bool)
        for row, pieces in enumerate(encoded):
            ids[row, : len(pieces)] = torch.from_numpy(pieces)
            mask[row, : len(pieces)] = True
        return self._as_batch(ids, mask)

    def _as_batch(self, ids: torch.Tensor, mask: torch.Tensor) -> Batch:
        begins = self.vocabulary.begins.to(ids.device)[ids]
        begins[:, 0] = True
        return {"ids": ids, "mask": mask, "begins": begins}

    def view(self, batch: Batch, *, generator: torch.Generator) -> Batch:
        """Return a random span of each text, of a share of its pieces between `crop` and all, and `keep` of its words.

        The words that are kept are drawn at random and stay in their order.
        """
        if self.crop < 1:
            batch = self._spans(batch, generator)
        return self._thinned(batch, generator) if self.keep < 1 else batch

    def _spans(self, batch: Batch, generator: torch.Generator) -> Batch:
        ids, mask = batch["ids"], batch["mask"]
        count = mask.sum(1)
        share, place = torch.rand(2, len(ids), generator=generator, device=ids.device)
        kept = ((self.crop + (1 - self.crop) * share) * count).ceil().long().minimum(count)
        first = (place * (count - kept + 1)).long()
        index = torch.arange(ids.shape[1], device=ids.device)[None] + first[:, None]
        present = index < (first + kept)[:, None]
        spans = ids.gather(1, index.clamp(max=ids.shape[1] - 1))
        return self._as_batch(torch.where(present, spans, self.vocabulary.pad), present)

    def _thinned(self, batch: Batch, generator: torch.Generator) -> Batch:
        ids, mask = batch["ids"], batch["mask"]
        word = batch["begins"].long().cumsum(1) - 1
        lots = torch.rand(ids.shape, generator=generator, device=ids.device)
        n_words = torch.where(mask, word + 1, 0).amax(1)
        absent = torch.arange(ids.shape[1], device=ids.device)[None] >= n_words[:, None]
        rank = lots.masked_fill(absent, 2.0).argsort(1).argsort(1)  # of each word among those of its text
        kept = mask & (rank < (self.keep * n_words).ceil()[:, None]).gather(1, word)
        order = torch.sort(~kept, dim=1, stable=True).indices
        present = kept.gather(1, order)
        return self._as_batch(torch.where(present, ids.gather(1, order), self.vocabulary.pad), present)

    def tokens(self, batch: Batch) -> Tokens:
        """Return the pieces; those of one word belong together."""
        ids = batch["ids"]
        places = torch.arange(ids.shape[1], device=ids.device, dtype=torch.float32)[None, :, None]
        return Tokens(ids, batch["mask"], places, together=batch["begins"].long().cumsum(1) - 1)

    def from_tokens(self, tokens: Tokens, like: Batch) -> Batch:
        """Return the batch that the pieces make."""
        return self._as_batch(tokens.values, tokens.present)

    def flat(self, batch: Batch) -> torch.Tensor:
        """Return how often pieces occur, spread over 512 numbers by a hash: square roots, of length one."""
        ids, mask = batch["ids"], batch["mask"]
        counts = torch.zeros(len(ids), _RAW_WIDTH, device=ids.device)
        counts.scatter_add_(1, (ids * _MIX >> 7) % _RAW_WIDTH, mask.float())
        return nn.functional.normalize(counts.sqrt(), dim=1)

    def backbone(self) -> nn.Module:
        """Return word vectors that are weighted and averaged."""
        return AveragingEncoder(self.vocabulary.letters)

    def token_backbone(self, *, causal: bool = False) -> nn.Module:
        """Return a small transformer over the pieces, in windows."""
        return TransformerEncoder(
            self.token_kind,
            axes=1,
            width=144,
            depth=3,
            causal=causal,
            window=self.window,
            rotary=True,
            dropout=0.1,
            cut=self.tokens,
        )

    def floors(self) -> Mapping[str, nn.Module]:
        """Return TF-IDF of words, reduced by a truncated singular value decomposition."""
        return {"tfidf": LexicalEncoder(self.vocabulary.letters)}

    def show(self, samples: Samples, rows: np.ndarray) -> list[str]:
        """Return the first words of each text as a paragraph."""
        return [f"<p>{html.escape(_shorten(text))}</p>" for text in samples[np.asarray(rows)]]

    def words_of(self, ids: torch.Tensor) -> str:
        """Return pieces [L] as the text that they stand for."""
        assert self._tokenizer is not None
        return self._tokenizer.decode(ids.tolist(), skip_special_tokens=False).strip()


def _shorten(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN].rsplit(" ", 1)[0] + " …"
