"""The perceptron over the parts of a sample."""

from __future__ import annotations

import torch

from handful.encoders import MLPEncoder, RealTokens, Tokens
from handful.encoders.saving import build, describe


def cells(n: int = 5) -> Tokens:
    values = torch.randn(n, 3, 2, generator=torch.Generator().manual_seed(0))
    present = torch.ones(n, 3, dtype=torch.bool)
    present[0, 1] = False
    return Tokens(values, present, torch.arange(3.0)[None, :, None])


def test_what_is_missing_is_not_read_but_known_to_be_missing() -> None:
    network = MLPEncoder(RealTokens(2), parts=3, width=8).eval()
    tokens = cells()
    other = tokens._replace(values=torch.where(tokens.present[..., None], tokens.values, 99.0))
    torch.testing.assert_close(network(other).pooled, network(tokens).pooled)
    zero = tokens._replace(values=tokens.values * tokens.present[..., None], present=torch.ones_like(tokens.present))
    assert not torch.allclose(network(zero).pooled[0], network(tokens).pooled[0])
    torch.testing.assert_close(network(zero).pooled[1:], network(tokens).pooled[1:])


def test_it_is_made_again_from_its_description() -> None:
    network = MLPEncoder(RealTokens(2, swaps=True), parts=3, width=8, depth=3).eval()
    again = build(describe(network), cut=None).eval()
    again.load_state_dict(network.state_dict())
    torch.testing.assert_close(again(cells()).pooled, network(cells()).pooled)
    assert again.kind == network.kind
    assert network(cells()).features.shape == (5, 1, 8)
