import numpy as np
import pytest
from scipy import sparse

from handful.graph import knn_graph
from handful.graph.smoothing import random_walk, smooth


def walk_of(n=300):
    graph = knn_graph(np.random.default_rng(0).normal(size=(n, 3)), 6)
    return random_walk(graph.weights, graph.degrees)


@pytest.mark.parametrize("columns", [1, 8, 10, 17, 31])
def test_steps_equal_the_dense_formula(columns):
    walk, values = walk_of(), np.random.default_rng(1).random((300, columns))
    slow = values
    for _ in range(7):
        slow = 0.9 * (walk.toarray() @ slow) + 0.1 * values
    np.testing.assert_allclose(smooth(walk, values, alpha=0.9, steps=7), slow, rtol=1e-4)


def test_many_steps_end_at_the_resolvent():
    walk, values = walk_of(), np.random.default_rng(2).random((300, 3))
    ends_at = 0.2 * np.linalg.solve(np.eye(300) - 0.8 * walk.toarray(), values)
    np.testing.assert_allclose(smooth(walk, values, alpha=0.8, steps=80), ends_at, rtol=1e-4)


def test_a_row_without_neighbours_fades_to_its_own_part():
    alone = sparse.csr_array((2, 2), dtype=np.float32)
    assert random_walk(alone, np.zeros(2)).nnz == 0
    np.testing.assert_allclose(smooth(alone, np.ones((2, 1)), alpha=0.9, steps=3), 0.1, rtol=1e-5)
