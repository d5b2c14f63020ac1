"""What an encoder is good for besides labels: items like this one, clean copies, every pixel's class, gaps in texts."""

from handful.tasks.denoise import denoise
from handful.tasks.fill import Filling, fill
from handful.tasks.segment import Segmentation, segment
from handful.tasks.similar import Similar, similar

__all__ = ["Filling", "Segmentation", "Similar", "denoise", "fill", "segment", "similar"]
