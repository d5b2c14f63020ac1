"""Which family of self-supervised learning suits a data set, and why; what of this installation works."""

from handful.guide.advice import Advice, advise
from handful.guide.signs import Signs, read_signs

__all__ = ["Advice", "Signs", "advise", "read_signs"]
