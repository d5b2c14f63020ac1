"""From a graph and a handful of labels to a label and a confidence for every row. Knows arrays only."""

from handful.propagation.estimators import (
    LabelPropagation,
    LabelSpreading,
    LaplaceLearning,
    PoissonLearning,
    PWLLearning,
)
from handful.propagation.propagate import Propagation, propagate

__all__ = [
    "LabelPropagation",
    "LabelSpreading",
    "LaplaceLearning",
    "PWLLearning",
    "PoissonLearning",
    "Propagation",
    "propagate",
]
