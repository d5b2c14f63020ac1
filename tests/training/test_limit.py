"""The limit to how long a gradient may be: what is usual passes untouched, what is far longer is shortened."""

import math

import pytest
import torch
from torch import nn

from handful.training.limit import FIRST, Limit, norm_of


def _with_gradient(norm: float) -> nn.Linear:
    layer = nn.Linear(3, 2)
    for parameter in layer.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0))
    scale = norm / float(norm_of(layer.parameters()))
    for parameter in layer.parameters():
        parameter.grad = parameter.grad * scale
    return layer


def _after(*norms: float, times: float = 4.0) -> Limit:
    limit = Limit(times)
    for norm in norms:
        limit.hold([], norm)
    return limit


def _held(limit: Limit, norm: float) -> float:
    """Return how long a gradient of `norm` is after `limit` held it."""
    layer = _with_gradient(norm)
    limit.hold(layer.parameters(), norm)
    return float(norm_of(layer.parameters()))


def test_the_norm_is_of_all_gradients_together_and_parameters_without_one_count_nothing() -> None:
    layer = nn.Linear(2, 1)
    layer.weight.grad, other = torch.tensor([[3.0, 4.0]]), nn.Parameter(torch.ones(5))
    assert float(norm_of([*layer.parameters(), other])) == pytest.approx(5.0)


def test_a_gradient_far_longer_than_usual_is_shortened_to_the_limit_and_keeps_its_direction() -> None:
    layer, limit = _with_gradient(100.0), _after(*[2.0] * FIRST)
    before = layer.weight.grad.clone()
    limit.hold(layer.parameters(), 100.0)
    assert float(norm_of(layer.parameters())) == pytest.approx(4.0 * 2.0)
    assert torch.allclose(layer.weight.grad, before * 8.0 / 100.0)


def test_a_usual_one_is_left_to_the_bit() -> None:
    layer = _with_gradient(7.9)
    before = layer.weight.grad.clone()
    _after(*[2.0] * FIRST).hold(layer.parameters(), 7.9)
    assert torch.equal(layer.weight.grad, before)


def test_the_first_steps_and_a_limit_of_zero_shorten_nothing() -> None:
    assert _held(_after(*[2.0] * (FIRST - 1)), 100.0) == pytest.approx(100.0)
    assert _held(_after(*[2.0] * 50, times=0.0), 1e6) == pytest.approx(1e6)


def test_what_is_usual_follows_the_norms_and_one_that_is_shortened_moves_it_little() -> None:
    assert _after(1.0, 2.0, 6.0).usual == pytest.approx(3.0)
    surprised = _after(*[2.0] * 200)
    _held(surprised, 1e9)
    assert surprised.usual == pytest.approx(2.0 + (8.0 - 2.0) / 100)


@pytest.mark.parametrize("norm", [math.inf, math.nan])
def test_a_norm_that_is_not_finite_is_no_measure_of_what_is_usual(norm: float) -> None:
    limit = _after(*[2.0] * 20, norm)
    assert (limit.usual, limit.steps) == (2.0, 20)
