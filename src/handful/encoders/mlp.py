"""A multi-layer perceptron over the parts of a sample, for samples that have a fixed number of them, such as rows."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from handful.encoders.encoded import Encoded
from handful.encoders.saving import Cut
from handful.encoders.synchronised import BatchNorm
from handful.encoders.tokens import RealTokens, Tokens
from handful.encoders.transformer import describe_kind, make_kind


class MLPEncoder(nn.Module):
    """Maps the parts of a sample side by side, and which of them are missing, to one vector [B, width].

    The network of VIME (Yoon et al. 2020) and SCARF (Bahri et al. 2022). Its cost grows with the number of parts, where
    that of attention grows with the square of it.
    kind: of the tokens, real numbers. parts: how many every sample has. depth: layers of `width` with batch norm.
    cut: makes tokens of a batch; given anew when the network is loaded.
    """

    reads_tokens = True
    length = 1  # features a sample: the vector itself

    def __init__(
        self, kind: RealTokens, *, parts: int, width: int = 256, depth: int = 2, cut: Cut | None = None
    ) -> None:
        super().__init__()
        self.config = {"kind": describe_kind(kind), "parts": parts, "width": width, "depth": depth}
        self.kind, self.parts, self.width, self.cut = kind, parts, width, cut
        widths = [parts * (kind.width + 1), *[width] * depth]
        self.layers = nn.Sequential(
            *(
                nn.Sequential(nn.Linear(before, width, bias=False), BatchNorm(width), nn.ReLU())
                for before in widths[:-1]
            )
        )

    @classmethod
    def from_config(cls, config: dict[str, Any], *, cut: Cut | None) -> MLPEncoder:
        """Return the network that `config` describes, not trained."""
        rest = {name: value for name, value in config.items() if name != "kind"}
        kind = make_kind(config["kind"])
        assert isinstance(kind, RealTokens)
        return cls(kind, **rest, cut=cut)

    def forward(self, batch: Any) -> Encoded:
        tokens = batch if isinstance(batch, Tokens) else self.cut(batch)  # type: ignore[misc]
        present = tokens.present.to(tokens.values.dtype)
        seen = torch.cat([(tokens.values * present[..., None]).flatten(1), 1 - present], 1)
        vector = self.layers(seen)
        return Encoded(vector[:, None], vector)
