"""How good an answer is, judged only on rows whose labels were not given."""

from handful.evaluation.judge import Evaluation, Line, evaluate

__all__ = ["Evaluation", "Line", "evaluate"]
