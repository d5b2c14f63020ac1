"""Networks that map a batch to features [B, L, D] and a pooled vector [B, D]; they know no method and no modality."""

from __future__ import annotations

from typing import Any

from handful.encoders.autoencoder import LatentAutoencoder, Restorer
from handful.encoders.convolutional import ConvolutionalEncoder
from handful.encoders.encoded import Encoded
from handful.encoders.filler import Filler
from handful.encoders.forecaster import Forecaster
from handful.encoders.lexical import LexicalEncoder
from handful.encoders.pretrained import PretrainedText
from handful.encoders.tokens import RealTokens, SymbolTokens, TokenKind, Tokens
from handful.encoders.transformer import TransformerEncoder

BACKBONES: dict[str, Any] = {
    "ConvolutionalEncoder": ConvolutionalEncoder,
    "TransformerEncoder": TransformerEncoder,
    "LatentAutoencoder": LatentAutoencoder,
    "Restorer": Restorer,
    "Forecaster": Forecaster,
    "Filler": Filler,
    "LexicalEncoder": LexicalEncoder,
    "PretrainedText": PretrainedText,
}
"""The networks a saved encoder can be built from, by class name; each keeps its arguments in `config` (JSON values)
and is made again by `from_config(config, cut=...)`, where `cut` makes tokens of a batch."""

__all__ = [
    "BACKBONES",
    "ConvolutionalEncoder",
    "Encoded",
    "Filler",
    "Forecaster",
    "LatentAutoencoder",
    "LexicalEncoder",
    "PretrainedText",
    "RealTokens",
    "Restorer",
    "SymbolTokens",
    "TokenKind",
    "Tokens",
    "TransformerEncoder",
]
