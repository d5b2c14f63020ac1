import numpy as np
import pytest
from scipy import sparse

from handful.errors import InputError
from handful.graph import Graph, knn_graph


def _graph():
    return knn_graph(np.random.default_rng(0).normal(size=(60, 4)), 5, metric="cosine")


@pytest.mark.parametrize("with_vectors", [True, False])
def test_saved_graph_comes_back_whole(tmp_path, with_vectors):
    graph = _graph()
    graph.save(tmp_path / "graph.npz", with_vectors=with_vectors)
    loaded = Graph.load(tmp_path / "graph.npz")
    assert (loaded.weights != graph.weights).nnz == 0
    np.testing.assert_array_equal(loaded.neighbours, graph.neighbours)
    assert (loaded.metric, loaded.kernel, loaded.recall, loaded.notes) == ("cosine", "gaussian", 1.0, graph.notes)
    assert (loaded.vectors is not None) == with_vectors
    assert [path.name for path in tmp_path.iterdir()] == ["graph.npz"]


def test_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    graph = _graph()
    graph.save(tmp_path / "graph.npz")
    before = (tmp_path / "graph.npz").read_bytes()
    monkeypatch.setattr(np, "savez", lambda *a, **k: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        graph.save(tmp_path / "graph.npz")
    assert (tmp_path / "graph.npz").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_own_weights_lose_their_diagonal_and_keep_the_rest():
    matrix = np.array([[5.0, 1.0, 0.0], [1.0, 0.0, 2.0], [0.0, 2.0, 0.0]])
    for given in (matrix, sparse.csr_matrix(matrix), sparse.coo_array(matrix)):
        graph = Graph.from_weights(given)
        np.testing.assert_array_equal(graph.weights.toarray(), matrix - np.diag([5.0, 0, 0]))
        np.testing.assert_array_equal(graph.degrees, [1, 3, 2])


def test_components_are_numbered_by_row_and_told():
    graph = Graph.from_weights(np.kron(np.eye(2), 1 - np.eye(3)))
    assert graph.components().tolist() == [0, 0, 0, 1, 1, 1]
    assert "2 components" in graph.notes[0]


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (np.ones((2, 3)), "square"),
        (np.array([[0.0, 1.0], [2.0, 0.0]]), "symmetric"),
        (np.array([[0.0, -1.0], [-1.0, 0.0]]), "at least 0, got -1"),
        (np.array([[0.0, np.nan], [np.nan, 0.0]]), "NaN or infinity"),
        (np.array([[0.0, np.inf], [np.inf, 0.0]]), "NaN or infinity"),
    ],
)
def test_bad_weights_are_told_in_one_sentence(matrix, words):
    with pytest.raises(InputError, match=words):
        Graph.from_weights(matrix)


def test_own_weights_with_vectors_of_other_length_are_told():
    with pytest.raises(InputError, match="3 rows but the graph has 2"):
        Graph.from_weights(1 - np.eye(2), vectors=np.ones((3, 2)))
