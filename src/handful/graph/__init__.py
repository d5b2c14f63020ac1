"""The graph over the rows: nearest neighbours, edge weights, and the linear solver. Knows arrays only."""

from handful.graph.build import extend, knn_graph
from handful.graph.graph import Graph

__all__ = ["Graph", "extend", "knn_graph"]
