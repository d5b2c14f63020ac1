"""The graph over the rows: nearest neighbours, edge weights, and the linear solver. Knows arrays only."""

from handful.graph.graph import Graph, knn_graph

__all__ = ["Graph", "knn_graph"]
