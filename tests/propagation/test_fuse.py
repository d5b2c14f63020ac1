"""Several representations of the same rows in one graph."""

from __future__ import annotations

import numpy as np
import pytest

from handful.errors import InputError
from handful.graph import knn_graph
from handful.propagation.fuse import fuse


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Return centred rows of length one."""
    vectors = vectors - vectors.mean(axis=0)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def blocks() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=(80, width)).astype(np.float32) for width in (5, 9)]


def test_rows_are_as_alike_as_in_the_mean_of_all(blocks):
    fused = fuse(blocks, n_neighbors=5).vectors
    parts = [_unit(block) for block in blocks]
    np.testing.assert_allclose(fused @ fused.T, sum(part @ part.T for part in parts), atol=1e-5)


@pytest.mark.parametrize("counts", [(1.0, 0.25), (4.0, 1.0)])
def test_what_counts_more_decides_more(blocks, counts):
    fused = fuse(blocks, counts=counts, n_neighbors=5)
    shares = [np.linalg.norm(part, axis=1) ** 2 for part in np.split(fused.vectors, [5], axis=1)]
    np.testing.assert_allclose(shares[0] / shares[1], 4.0, rtol=1e-4)
    np.testing.assert_array_equal(fused.neighbours, fuse(blocks, counts=(1.0, 0.25), n_neighbors=5).neighbours)


def test_what_counts_nothing_is_as_if_it_were_not_there(blocks):
    alone = knn_graph(_unit(blocks[0]), n_neighbors=5)
    np.testing.assert_array_equal(fuse(blocks, counts=(1.0, 0.0), n_neighbors=5).neighbours, alone.neighbours)


def test_representations_of_other_rows_are_refused(blocks):
    with pytest.raises(InputError, match="must have the same rows, got 80 and 40"):
        fuse([blocks[0], blocks[1][:40]])
