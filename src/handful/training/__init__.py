"""From a data set to an encoder, and from an encoder to vectors."""

from handful.training.embed import Embeddings
from handful.training.encoder import Encoder
from handful.training.pretrain import pretrain

__all__ = ["Embeddings", "Encoder", "pretrain"]
