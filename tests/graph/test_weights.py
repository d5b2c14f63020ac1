import numpy as np

from handful.graph.neighbours import exact_neighbours
from handful.graph.weights import edge_weights


def test_weights_equal_the_formula_written_slowly():
    points = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    found = exact_neighbours(points, 4)
    expected = np.zeros((50, 50))
    for i in range(50):
        for j, squared in zip(found.rows[i], found.squared[i], strict=True):
            weight = np.exp(-4 * squared / found.squared[i, -1]) / 2
            expected[i, j] += weight
            expected[j, i] += weight
    np.testing.assert_allclose(edge_weights(found.rows, found.squared).toarray(), expected, rtol=1e-5)


def test_places_of_minus_one_are_no_edge():
    rows, squared = np.array([[1, -1], [0, -1], [-1, -1]]), np.array([[1, np.inf], [1, np.inf], [np.inf, np.inf]])
    weights = edge_weights(rows, squared).toarray()
    assert (weights > 0).sum() == 2
    assert not weights[2].any()


def test_a_lone_row_keeps_edges_that_can_be_told_from_zero():
    points = np.concatenate([np.random.default_rng(1).normal(size=(40, 2)) * 1e-4, [[1e4, 0]]]).astype(np.float32)
    found = exact_neighbours(points, 5)
    assert edge_weights(found.rows, found.squared).toarray()[40].max() > 1e-5
