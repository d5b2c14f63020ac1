import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from handful.errors import InputError
from handful.graph import extend, knn_graph


def _vectors(n=200, d=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def _same(a, b):
    np.testing.assert_array_equal(a.neighbours, b.neighbours)
    np.testing.assert_allclose(a.weights.toarray(), b.weights.toarray(), atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(st.integers(5, 60), st.integers(1, 6), st.integers(1, 4), st.integers(0, 1000))
def test_weights_are_symmetric_without_diagonal_and_between_zero_and_one(n, d, k, seed):
    weights = knn_graph(_vectors(n, d, seed), k).weights
    assert abs(weights - weights.T).max() == 0
    assert not weights.diagonal().any()
    assert 0 < weights.data.min() <= weights.data.max() <= 1
    assert weights.indices.dtype == np.int32


@settings(max_examples=15, deadline=None)
@given(st.sampled_from([1e-20, 1e-4, 0.37, 3e8, 1e25]), st.integers(0, 100))
def test_scale_of_the_vectors_does_not_matter(factor, seed):
    vectors = _vectors(80, 4, seed).astype(np.float64)
    _same(knn_graph(vectors * factor, 5), knn_graph(vectors, 5))


def test_order_of_the_rows_does_not_matter():
    vectors, order = _vectors(), np.random.default_rng(1).permutation(200)
    plain, mixed = knn_graph(vectors, 6).weights.toarray(), knn_graph(vectors[order], 6).weights.toarray()
    np.testing.assert_allclose(mixed, plain[np.ix_(order, order)], atol=1e-6)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_distances_are_those_of_the_metric(metric):
    vectors = _vectors() + 1
    graph = knn_graph(vectors, 4, metric=metric)
    expected = np.sort(cdist(vectors, vectors, metric), axis=1)[:, 1:5]
    np.testing.assert_allclose(graph.distances, expected, rtol=1e-3, atol=1e-6)


def test_cosine_ignores_the_length_of_the_vectors():
    vectors, lengths = _vectors(), np.exp(_vectors(200, 1, seed=1))
    _same(knn_graph(vectors * lengths, 5, metric="cosine"), knn_graph(vectors, 5, metric="cosine"))


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int8, np.uint16, bool])
def test_other_number_types_give_the_graph_of_their_values(dtype):
    vectors = (np.random.default_rng(2).random((150, 12)) * 50).astype(dtype)
    _same(knn_graph(vectors, 4), knn_graph(vectors.astype(np.float32), 4))


def test_memory_map_gives_the_same_graph_and_stays_a_map(tmp_path):
    np.save(tmp_path / "vectors.npy", _vectors())
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    graph = knn_graph(mapped, 5)
    _same(graph, knn_graph(_vectors(), 5))
    assert np.shares_memory(graph.vectors, mapped)


def test_an_object_with_vectors_is_accepted():
    holder = type("Holder", (), {"vectors": _vectors()})
    _same(knn_graph(holder, 5), knn_graph(_vectors(), 5))


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_many_copies_are_linked_with_other_vectors_too(metric):
    vectors = np.concatenate([np.repeat(_vectors(3, 5, seed=9), 400, axis=0), _vectors(300, 5)])
    graph = knn_graph(vectors, 8, metric=metric)
    assert len(np.unique(graph.components()[:1200])) == 1
    assert (graph.distances[:1200] > 0).any(axis=1).all()
    assert "1200 rows are copies of 3 vectors" in graph.notes[0]


def test_constant_vectors_make_one_component():
    graph = knn_graph(np.full((500, 3), 7.5), 6)
    assert graph.components().max() == 0
    assert np.isfinite(graph.weights.data).all()
    assert graph.weights.data.min() > 0


def test_zero_vectors_get_no_edges_under_cosine_and_are_told():
    vectors = _vectors()
    vectors[[7, 31]] = 0
    graph = knn_graph(vectors, 5, metric="cosine")
    assert (graph.degrees == 0).nonzero()[0].tolist() == [7, 31]
    assert (graph.neighbours[[7, 31]] == -1).all()
    assert not np.isin(graph.neighbours, [7, 31]).any()
    assert "2 rows are zero vectors" in graph.notes[0]
    assert "row 7" in graph.notes[0]


def test_components_are_told():
    graph = knn_graph(np.concatenate([_vectors(50), _vectors(30) + 1000]), 3)
    assert "2 components" in graph.notes[-1]
    assert "50 of 80 rows" in graph.notes[-1]


def test_connectivity_gives_every_edge_the_weight_one():
    assert set(knn_graph(_vectors(), 5, weights="connectivity").weights.data.tolist()) == {1.0}


def test_progress_ends_with_all_rows():
    told = []
    knn_graph(_vectors(3000), 5, approximate=True, progress=lambda done, n: told.append((done, n)))
    assert told[-1] == (3000, 3000)
    assert told == sorted(told)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_extended_graph_equals_the_one_built_anew(metric):
    vectors = _vectors(2600)
    extended = extend(knn_graph(vectors[:1500], 6, metric=metric), vectors[1500:])
    _same(extended, knn_graph(vectors, 6, metric=metric))
    np.testing.assert_allclose(extended.vectors, vectors)


def test_extending_by_one_row_links_it():
    graph = extend(knn_graph(_vectors(), 4), _vectors()[10] + 1e-3)
    assert len(graph) == 201
    assert graph.neighbours[200, 0] == 10
    assert graph.neighbours[10, 0] == 200


def test_extending_by_many_copies_gives_the_graph_built_anew():
    vectors, copies = _vectors(), np.repeat(_vectors(1), 50, axis=0)
    _same(extend(knn_graph(vectors, 6), copies), knn_graph(np.concatenate([vectors, copies]), 6))


def _broken(rows, value):
    vectors = _vectors()
    vectors[rows, 2] = value
    return vectors


@pytest.mark.parametrize(
    ("vectors", "options", "words"),
    [
        (_broken([4, 9], np.nan), {}, "NaN or infinity in 2 of 200 rows, the first of them row 4"),
        (_broken([6], np.inf), {}, "in 1 of 200 rows, the first of them row 6"),
        (np.ones((1, 3)), {}, "at least 2 rows and 1 column"),
        (np.ones((5, 0)), {}, "at least 2 rows and 1 column"),
        (np.ones(5), {}, "shape (N, D), got shape (5,)"),
        ([["a", "b"], ["c", "d"]], {}, "must be numbers"),
        ([[1.0, 2.0], [1.0]], {}, "the same length"),
        (_vectors(10), {"n_neighbors": 10}, "below the number of rows (10), got 10"),
        (_vectors(10), {"n_neighbors": 0}, "at least 1"),
        (_vectors(10), {"n_neighbors": 2.5}, "whole number"),
        (_vectors(20), {"metric": "cosin"}, "Did you mean 'cosine'?"),
        (_vectors(20), {"weights": "gauss"}, "Did you mean 'gaussian'?"),
    ],
)
def test_bad_input_is_told_in_one_sentence(vectors, options, words):
    with pytest.raises(InputError) as caught:
        knn_graph(vectors, **options)
    assert words in str(caught.value)


def test_extending_by_other_columns_or_without_vectors_is_told():
    graph = knn_graph(_vectors(), 4)
    with pytest.raises(InputError, match="5 columns, got 3"):
        extend(graph, np.ones((2, 3)))
    with pytest.raises(InputError, match="keeps no vectors"):
        extend(type(graph).from_weights(graph.weights), _vectors(2))
