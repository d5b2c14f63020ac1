"""What an encoder is good for besides labels: items like this one, clean copies, every pixel's class, gaps in texts,
the next values of series.

And rows that do not fit, which need no encoder.
"""

from handful.tasks.anomalies import AnomalyDetector
from handful.tasks.denoise import denoise
from handful.tasks.fill import Filling, fill
from handful.tasks.forecast import Forecast, forecast
from handful.tasks.segment import Segmentation, segment
from handful.tasks.similar import Similar, similar

__all__ = [
    "AnomalyDetector",
    "Filling",
    "Forecast",
    "Segmentation",
    "Similar",
    "denoise",
    "fill",
    "forecast",
    "segment",
    "similar",
]
