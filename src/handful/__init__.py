"""A handful of labels in, a label for everything out.

The public names are imported when they are first used, so that `import handful` loads no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "InputError": "errors",
    "Dataset": "data",
    "Labels": "data",
    "read": "modalities",
    "Encoder": "training",
    "Embeddings": "training",
    "pretrain": "training",
    "wrap": "encoders",
    "Graph": "graph",
    "knn_graph": "graph",
    "Propagation": "propagation",
    "propagate": "propagation",
    "LabelPropagation": "propagation",
    "LabelSpreading": "propagation",
    "LaplaceLearning": "propagation",
    "PoissonLearning": "propagation",
    "PWLLearning": "propagation",
    "Run": "run",
    "label": "run",
    "suggest": "run",
    "similar": "tasks",
    "denoise": "tasks",
    "segment": "tasks",
    "fill": "tasks",
    "forecast": "tasks",
    "AnomalyDetector": "tasks",
    "report": "reporting",
    "review": "reviewing",
    "evaluate": "evaluation",
    "advise": "guide",
}

__all__ = ["__version__", *_HOME]

if TYPE_CHECKING:
    from handful.data import Dataset as Dataset
    from handful.data import Labels as Labels
    from handful.encoders import wrap as wrap
    from handful.errors import InputError as InputError
    from handful.evaluation import evaluate as evaluate
    from handful.graph import Graph as Graph
    from handful.graph import knn_graph as knn_graph
    from handful.guide import advise as advise
    from handful.modalities import read as read
    from handful.propagation import LabelPropagation as LabelPropagation
    from handful.propagation import LabelSpreading as LabelSpreading
    from handful.propagation import LaplaceLearning as LaplaceLearning
    from handful.propagation import PoissonLearning as PoissonLearning
    from handful.propagation import Propagation as Propagation
    from handful.propagation import PWLLearning as PWLLearning
    from handful.propagation import propagate as propagate
    from handful.reporting import report as report
    from handful.reviewing import review as review
    from handful.run import Run as Run
    from handful.run import label as label
    from handful.run import suggest as suggest
    from handful.tasks import AnomalyDetector as AnomalyDetector
    from handful.tasks import denoise as denoise
    from handful.tasks import fill as fill
    from handful.tasks import forecast as forecast
    from handful.tasks import segment as segment
    from handful.tasks import similar as similar
    from handful.training import Embeddings as Embeddings
    from handful.training import Encoder as Encoder
    from handful.training import pretrain as pretrain


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'handful' has no attribute {name!r}")
    return getattr(importlib.import_module(f"handful.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
