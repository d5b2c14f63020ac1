import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from handful.errors import InputError
from handful.graph import Graph, knn_graph, solver, system
from handful.graph.factor import factorise
from handful.graph.solver import (
    laplacian,
    solve,
    solve_dirichlet,
    solve_poisson,
    solve_reweighted,
    solve_shifted,
    solve_spreading,
)

_TIGHT = {"tol": 1e-10}


def _graph(n=400, seed=0):
    return knn_graph(np.random.default_rng(seed).normal(size=(n, 4)), 6)


def _two_parts():
    part = _graph(60).weights.toarray()
    return Graph.from_weights(np.block([[part, np.zeros((60, 60))], [np.zeros((60, 60)), part]]))


def _harmonic(weights, rows, values):
    L = np.diag(weights.sum(axis=1)) - weights
    rest = np.setdiff1d(np.arange(len(L)), rows)
    x = np.zeros((len(L), values.shape[1]))
    x[rows] = values
    x[rest] = np.linalg.solve(L[np.ix_(rest, rest)], -L[np.ix_(rest, rows)] @ values)
    return x


@settings(max_examples=20, deadline=None)
@given(st.integers(10, 60), st.integers(1, 13), st.integers(0, 1000))
def test_dirichlet_equals_the_dense_solution(n, k, seed):
    graph, rng = _graph(n, seed), np.random.default_rng(seed)
    rows, values = rng.choice(n, 3, replace=False), rng.normal(size=(3, k))
    if len(np.unique(graph.components())) == 1:
        expected = _harmonic(graph.weights.toarray().astype(float), rows, values)
        np.testing.assert_allclose(solve_dirichlet(graph, rows, values, **_TIGHT).x, expected, atol=1e-7)


@pytest.mark.parametrize("m", [1, 20, 80, 390])
def test_dirichlet_is_right_for_few_and_for_many_given_rows(m):
    graph, rows = _graph(), np.arange(m)
    values = np.random.default_rng(1).normal(size=(m, 3))
    found = solve_dirichlet(graph, rows, values, **_TIGHT)
    np.testing.assert_allclose(found.x, _harmonic(graph.weights.toarray().astype(float), rows, values), atol=1e-7)


def test_rows_that_no_given_row_reaches_are_zero():
    x = solve_dirichlet(_two_parts(), np.array([0, 1]), np.ones((2, 1)), x0=np.ones((120, 1))).x
    np.testing.assert_allclose(x[:60], 1, atol=1e-5)
    assert not x[60:].any()


def test_poisson_meets_its_equation_and_its_mean_in_each_component():
    graph, sources = _two_parts(), np.zeros((120, 2))
    sources[[0, 5]], sources[[70, 80]] = [[1, 0], [-1, 0]], [[0, 2], [0, -2]]
    x = solve_poisson(graph, sources, **_TIGHT).x
    np.testing.assert_allclose(laplacian(graph) @ x, sources, atol=1e-8)
    np.testing.assert_allclose((graph.degrees[:, None] * x).reshape(2, 60, 2).sum(axis=1), 0, atol=1e-8)


def test_poisson_takes_the_mean_from_sources_that_do_not_balance():
    graph, sources = _graph(), np.zeros(400)
    sources[3] = 1
    assert len(np.unique(graph.components())) == 1
    np.testing.assert_allclose(
        laplacian(graph) @ solve_poisson(graph, sources, **_TIGHT).x[:, 0], sources - 1 / 400, atol=1e-8
    )


@pytest.mark.parametrize("alpha", [0.0, 0.5, 0.99])
def test_spreading_equals_its_closed_form(alpha):
    graph, Y = _graph(), np.random.default_rng(2).normal(size=(400, 2))
    W = graph.weights.toarray().astype(float)
    S = W / np.sqrt(np.outer(W.sum(axis=1), W.sum(axis=1)))
    expected = np.linalg.solve(np.eye(400) - alpha * S, Y)
    np.testing.assert_allclose(solve_spreading(graph, Y, alpha, **_TIGHT).x, expected, atol=1e-6)


def test_spreading_keeps_rows_without_edges():
    W = np.zeros((4, 4))
    W[0, 1] = W[1, 0] = 1
    x = solve_spreading(W, np.eye(4), 0.9, **_TIGHT).x
    np.testing.assert_allclose(x[2:], np.eye(4)[2:])


@pytest.mark.parametrize("shift", [0.3, 1e-4])
def test_shifted_system_equals_the_dense_solution(shift):
    graph, B = _graph(), np.random.default_rng(3).normal(size=(400, 5))
    expected = np.linalg.solve(laplacian(graph).toarray() + shift * np.eye(400), B)
    np.testing.assert_allclose(solve_shifted(graph, shift, B, **_TIGHT).x, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("spread", [0.0, 1.0])
@pytest.mark.parametrize("rows", [[3, 50, 200], list(range(70))])
def test_reweighted_equals_dirichlet_on_the_scaled_weights(spread, rows):
    graph, values = _graph(), np.random.default_rng(9).normal(size=(len(rows), 3))
    gamma = np.exp(spread * np.random.default_rng(4).normal(size=400))
    scaled = graph.weights.toarray() * np.outer(gamma, gamma)
    found = solve_reweighted(graph, gamma, np.array(rows), values, **_TIGHT)
    np.testing.assert_allclose(found.x, _harmonic(scaled, rows, values), atol=1e-6)


@settings(max_examples=10, deadline=None)
@given(st.sampled_from([1e-9, 1e-3, 1e6]))
def test_scale_of_the_weights_does_not_change_the_harmonic_extension(factor):
    graph, rows = _graph(), np.array([1, 2])
    scaled = Graph.from_weights(graph.weights * np.float32(factor))
    a, b = (solve_dirichlet(g, rows, np.eye(2), **_TIGHT).x for g in (graph, scaled))
    np.testing.assert_allclose(a, b, atol=1e-4)


def test_warm_start_takes_fewer_steps_and_ends_at_the_same_place():
    graph, rows = _graph(5000), np.arange(20)
    values = np.random.default_rng(5).normal(size=(20, 3))
    cold = solve_dirichlet(graph, rows, values)
    warm = solve_dirichlet(graph, rows, values, x0=cold.x)
    assert warm.steps < cold.steps
    np.testing.assert_allclose(warm.x, cold.x, atol=1e-4)


def test_factor_is_made_once_and_serves_one_more_given_row():
    graph = _graph(5000)
    for m in (20, 21, 84):
        solve_dirichlet(graph, np.arange(m), np.ones((m, 1)))
        made = len(graph.system.factors)
        assert made == (1 if m <= 64 else 2)


def test_factor_takes_far_fewer_steps_than_the_diagonal():
    graph, B = _graph(5000), np.random.default_rng(6).normal(size=(5000, 2))
    B -= B.mean(axis=0)
    with_factor = solve_poisson(graph, B)
    with_diagonal = solve(laplacian(graph), B)
    assert (with_factor.residual <= 1e-6).all()
    assert 3 * with_factor.steps < with_diagonal.steps


def test_beyond_the_most_rows_a_mild_shift_is_solved_without_a_factor_and_as_well(monkeypatch):
    graph, Y = _graph(), np.eye(400)[:, :3]
    by_factor = solve_spreading(graph, Y, 0.99, **_TIGHT)
    assert graph.system.factors
    monkeypatch.setattr(system, "_MOST_FACTORED", 399)
    again = _graph()
    by_diagonal = solve_spreading(again, Y, 0.99, **_TIGHT)
    assert not again.system.factors
    assert by_diagonal.steps > by_factor.steps
    assert np.abs(by_diagonal.x - by_factor.x).max() < 1e-8


def test_factor_of_a_tree_is_exact():
    n = 200
    W = np.diag(np.linspace(1, 3, n - 1), 1)
    W = Graph.from_weights(W + W.T).weights
    B = np.random.default_rng(7).normal(size=(n, 3))
    B -= B.mean(axis=0)
    x = factorise(W, np.zeros(n), np.zeros(n, bool)).apply(B)
    residual = laplacian(W) @ x - B
    assert np.abs(residual).max() < 1e-4 * np.abs(B).max() * n


def test_factor_is_the_same_for_a_seed():
    W, none = _graph().weights, np.zeros(400)
    a, b, c = (factorise(W, none, none > 0, seed=seed).columns[2] for seed in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert a.shape != c.shape or (a != c).any()


def test_general_solve_equals_the_dense_solution():
    A = np.random.default_rng(8).normal(size=(30, 30))
    A, B = A @ A.T + np.eye(30), np.ones((30, 2))
    np.testing.assert_allclose(solve(A, B, **_TIGHT).x, np.linalg.solve(A, B), atol=1e-6)


def test_labels_in_two_parts_use_one_factor_and_are_exact():
    graph, rows = _two_parts(), np.array([4, 30, 64, 119])
    values = np.random.default_rng(10).normal(size=(4, 2))
    found = solve_dirichlet(graph, rows, values, **_TIGHT)
    np.testing.assert_allclose(found.x, _harmonic(graph.weights.toarray().astype(float), rows, values), atol=1e-7)
    assert found.steps < 40


def test_zero_right_hand_side_gives_zero_without_a_step():
    found = solve_shifted(_graph(), 0.1, np.zeros((400, 2)))
    assert found.steps == 0
    assert not found.x.any()


def test_bad_arguments_are_told_in_one_sentence():
    graph = _graph()
    with pytest.raises(InputError, match=r"alpha must be at least 0 and below 1, got 1"):
        solve_spreading(graph, np.ones(400), 1)
    with pytest.raises(InputError, match=r"shift must be finite and at least 0"):
        solve_shifted(graph, -1.0, np.ones(400))
    with pytest.raises(InputError, match=r"gamma must be finite and above 0"):
        solve_reweighted(graph, np.zeros(400), np.array([0]), np.ones(1))


def test_given_rows_that_are_all_but_one_node_are_no_singular_matrix():
    links = sparse.random_array((60, 60), density=0.1, rng=np.random.default_rng(1)).tolil()
    links = sparse.lil_array(links + links.T)
    links[[0, 1], [1, 0]] = 1e12
    links.setdiag(0)
    graph = Graph.from_weights(sparse.csr_array(links))
    found = solve_reweighted(graph, np.linspace(0.5, 1.5, 60), np.array([0, 1]), np.eye(2))
    reached = found.x.any(axis=1)
    assert (found.residual <= 1e-6).all()
    assert np.allclose(found.x[reached].sum(axis=1), 1, atol=1e-3)


def test_columns_solved_a_few_at_a_time_are_those_solved_together(monkeypatch):
    rng = np.random.default_rng(5)
    W, given_rows = _graph(40), np.array([0, 7, 13])
    B, start = rng.normal(size=(40, 11)), rng.normal(size=(40, 11))
    B -= B.mean(axis=0)
    ways = {
        "spreading": lambda: solver.solve_spreading(W, B, 0.9, x0=start, tol=1e-12),
        "shifted": lambda: solver.solve_shifted(W, 0.3, B, tol=1e-12),
        "poisson": lambda: solver.solve_poisson(W, B, tol=1e-12),
        "dirichlet": lambda: solver.solve_dirichlet(W, given_rows, B[given_rows], x0=start, tol=1e-12),
    }
    whole = {name: way() for name, way in ways.items()}
    monkeypatch.setattr(solver, "_MOST_NUMBERS", 40 * 4)  # four columns at a time
    for name, way in ways.items():
        found = way()
        assert found.x.shape == whole[name].x.shape, name
        np.testing.assert_allclose(found.x, whole[name].x, atol=1e-9, err_msg=name)
        assert found.residual.shape == (11,)
        assert (found.residual <= 1e-12).all(), name
