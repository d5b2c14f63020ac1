"""The smallest kind of data made of symbols: words of letters, some shorter than others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from handful.encoders import SymbolTokens, Tokens, TransformerEncoder
from handful.encoders.untrained import RawInput


class Letters:
    """Words of at most `length` of `count` letters; a batch is {"values": [B, L] int64, "present": [B, L] bool}."""

    name = "letters"
    order = "letters from left to right"
    axes = 1
    parts = None

    def __init__(self, *, count: int = 11, length: int = 9) -> None:
        self.count, self.length = count, length
        self.settings: Mapping[str, Any] = {"count": count, "length": length}
        self.token_kind = SymbolTokens(count)

    def batch(self, samples: Any, rows: np.ndarray) -> dict[str, torch.Tensor]:
        values = torch.from_numpy(np.asarray(samples[rows]))
        return {"values": values.clamp(min=0), "present": values >= 0}

    def random_batch(self, n: int, *, seed: int = 0) -> dict[str, torch.Tensor]:
        """Return n words that count up from a random letter, of random length."""
        draw = np.random.default_rng(seed)
        words = (draw.integers(0, self.count, (n, 1)) + np.arange(self.length)) % self.count
        words[np.arange(self.length) >= draw.integers(4, self.length + 1, (n, 1))] = -1
        return self.batch(words, np.arange(n))

    def view(self, batch: dict[str, torch.Tensor], *, generator: torch.Generator) -> dict[str, torch.Tensor]:
        kept = torch.rand(batch["values"].shape, generator=generator) < 0.9
        return {"values": batch["values"] * kept, "present": batch["present"]}

    def tokens(self, batch: dict[str, torch.Tensor]) -> Tokens:
        places = torch.arange(batch["values"].shape[1]).float()[None, :, None]
        return Tokens(batch["values"], batch["present"], places)

    def from_tokens(self, tokens: Tokens, like: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {**like, "values": tokens.values}

    def flat(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        return (nn.functional.one_hot(batch["values"], self.count) * batch["present"][..., None]).sum(1).float()

    def backbone(self) -> nn.Module:
        return self.token_backbone()

    def token_backbone(self, *, causal: bool = False) -> nn.Module:
        return TransformerEncoder(self.token_kind, axes=1, width=24, depth=1, causal=causal, cut=self.tokens)

    def floors(self) -> Mapping[str, nn.Module]:
        return {"pca": RawInput(self.flat)}

    def show(self, samples: Any, rows: np.ndarray) -> list[str]:
        return ["".join(chr(97 + letter) for letter in word if letter >= 0) for word in samples[rows]]
