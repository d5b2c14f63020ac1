"""Networks that map a batch to features [B, L, D] and a pooled vector [B, D]; they know no method and no modality."""

from __future__ import annotations

from typing import Any

from handful.encoders.autoencoder import LatentAutoencoder, Restorer
from handful.encoders.averaging import AveragingEncoder
from handful.encoders.convolutional import ConvolutionalEncoder
from handful.encoders.encoded import Encoded
from handful.encoders.filler import Filler
from handful.encoders.forecaster import Forecaster
from handful.encoders.lexical import LexicalEncoder
from handful.encoders.mlp import MLPEncoder
from handful.encoders.moments import Moments
from handful.encoders.pretrained_image import PretrainedImage
from handful.encoders.pretrained_series import PretrainedSeries
from handful.encoders.pretrained_sound import PretrainedSound
from handful.encoders.pretrained_text import PretrainedText
from handful.encoders.quantile_kernels import QuantileKernels
from handful.encoders.regions import MapRegions, Regions
from handful.encoders.simvp import SimVP
from handful.encoders.temporal import TemporalEncoder
from handful.encoders.tokens import RealTokens, SymbolTokens, TokenKind, Tokens
from handful.encoders.transformer import TransformerEncoder
from handful.encoders.wave import WaveEncoder
from handful.encoders.wrapped import Wrapped, wrap

BACKBONES: dict[str, Any] = {
    "ConvolutionalEncoder": ConvolutionalEncoder,
    "TransformerEncoder": TransformerEncoder,
    "LatentAutoencoder": LatentAutoencoder,
    "Restorer": Restorer,
    "Forecaster": Forecaster,
    "Filler": Filler,
    "AveragingEncoder": AveragingEncoder,
    "LexicalEncoder": LexicalEncoder,
    "PretrainedText": PretrainedText,
    "PretrainedImage": PretrainedImage,
    "PretrainedSound": PretrainedSound,
    "PretrainedSeries": PretrainedSeries,
    "QuantileKernels": QuantileKernels,
    "WaveEncoder": WaveEncoder,
    "Wrapped": Wrapped,
    "TemporalEncoder": TemporalEncoder,
    "Regions": Regions,
    "MapRegions": MapRegions,
    "Moments": Moments,
    "MLPEncoder": MLPEncoder,
    "SimVP": SimVP,
}
"""The networks a saved encoder can be built from, by class name; each keeps its arguments in `config` (JSON values)
and is made again by `from_config(config, cut=...)`, where `cut` makes tokens of a batch."""

__all__ = [
    "BACKBONES",
    "AveragingEncoder",
    "ConvolutionalEncoder",
    "Encoded",
    "Filler",
    "Forecaster",
    "LatentAutoencoder",
    "LexicalEncoder",
    "MLPEncoder",
    "MapRegions",
    "Moments",
    "PretrainedImage",
    "PretrainedSound",
    "PretrainedText",
    "QuantileKernels",
    "RealTokens",
    "Regions",
    "Restorer",
    "SimVP",
    "SymbolTokens",
    "TemporalEncoder",
    "TokenKind",
    "Tokens",
    "TransformerEncoder",
    "WaveEncoder",
    "Wrapped",
    "wrap",
]
