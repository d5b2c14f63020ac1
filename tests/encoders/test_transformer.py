"""Tokens in, features out: padding, places and time are respected."""

from __future__ import annotations

import pytest
import torch
from symbols import Letters

from handful.encoders import RealTokens, Tokens, TransformerEncoder
from handful.encoders.transformer import PlaceCode, Turns, attend, describe_kind, make_kind, turned
from handful.errors import InputError


def _tokens(n: int = 3, length: int = 6) -> Tokens:
    values = torch.randn(n, length, 4, generator=torch.Generator().manual_seed(0))
    return Tokens(values, torch.ones(n, length, dtype=torch.bool), torch.arange(length).float()[None, :, None])


def _network(**options: bool) -> TransformerEncoder:
    torch.manual_seed(0)
    return TransformerEncoder(RealTokens(4), axes=1, width=24, depth=2, **options).eval()


@pytest.mark.parametrize("rotary", [False, True])
@pytest.mark.parametrize("causal", [False, True])
def test_what_fills_up_a_batch_changes_nothing(causal: bool, rotary: bool) -> None:
    network, tokens = _network(causal=causal, rotary=rotary), _tokens()
    present = torch.arange(6)[None] < torch.tensor([6, 4, 1])[:, None]
    padded = tokens._replace(present=present)
    noise = torch.randn(tokens.values.shape, generator=torch.Generator().manual_seed(1))
    other = padded._replace(values=torch.where(present[..., None], tokens.values, noise))
    torch.testing.assert_close(network(padded), network(other))
    alone = Tokens(tokens.values[1:2, :4], present[1:2, :4], tokens.places[:, :4])
    torch.testing.assert_close(network(alone).pooled, network(padded).pooled[1:2])


def test_an_empty_sample_gives_zeros_and_leaves_the_others_alone() -> None:
    network, tokens = _network(), _tokens()
    present = tokens.present.clone()
    present[1] = False
    encoded = network(tokens._replace(present=present))
    assert encoded.pooled[1].abs().sum() == 0
    torch.testing.assert_close(encoded.pooled[[0, 2]], network(tokens).pooled[[0, 2]])


@pytest.mark.parametrize("rotary", [False, True])
def test_parts_are_known_by_their_places_and_not_by_their_order(rotary: bool) -> None:
    network, tokens = _network(rotary=rotary), _tokens()
    order = torch.tensor([3, 1, 5, 0, 2, 4]).expand(3, -1)
    torch.testing.assert_close(network(tokens.take(order)).pooled, network(tokens).pooled)
    moved = tokens._replace(places=tokens.places.flip(1))
    assert not torch.allclose(network(moved).pooled, network(tokens).pooled)


def test_with_turns_only_how_far_parts_are_apart_counts() -> None:
    network, tokens = _network(rotary=True), _tokens()
    shifted = tokens._replace(places=tokens.places + 40)
    torch.testing.assert_close(network(shifted).features, network(tokens).features, atol=1e-5, rtol=1e-4)
    wider = tokens._replace(places=tokens.places * 2)
    assert not torch.allclose(network(wider).features, network(tokens).features, atol=1e-3)


def test_every_coordinate_turns_a_share_of_the_pairs() -> None:
    turns = Turns(2, 8)
    places = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]])
    cosine, sine = turns(places)  # each [1, 1, 3, 4]
    assert (cosine[..., 0, :] == 1).all()
    assert (sine[0, 0, 1] != 0).tolist() == [True, True, False, False]
    assert (sine[0, 0, 2] != 0).tolist() == [False, False, True, True]
    vectors = torch.randn(1, 2, 3, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(turned(vectors, turns(places)).norm(dim=-1), vectors.norm(dim=-1))


def test_turns_need_heads_of_an_even_width() -> None:
    with pytest.raises(InputError, match="even"):
        TransformerEncoder(RealTokens(4), axes=1, width=21, depth=1, rotary=True)


def test_the_place_is_added_after_hiding_so_that_hidden_parts_differ_by_place_alone() -> None:
    network, tokens = _network(), _tokens()
    stand_in, hidden = torch.zeros(24), tokens.present
    encoded = network(tokens, hidden=hidden, stand_in=stand_in)
    torch.testing.assert_close(encoded.features[0], encoded.features[1])
    assert not torch.allclose(encoded.features[0, 0], encoded.features[0, 1])


@pytest.mark.parametrize("masked", [False, True])
def test_attention_in_half_precision_equals_that_in_full(masked: bool) -> None:
    parts = torch.randn(3, 2, 2, 7, 8, generator=torch.Generator().manual_seed(0))
    allowed = torch.ones(7, 7, dtype=torch.bool).tril() if masked else None
    half = attend(*parts.to(torch.bfloat16), allowed)
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), attend(*parts, allowed), atol=0.03, rtol=0.03)


def test_symbols_go_in_as_well_as_vectors() -> None:
    letters = Letters()
    encoded = letters.token_backbone()(letters.random_batch(5))
    assert encoded.features.shape == (5, 9, 24)
    assert encoded.pooled.isfinite().all()


def test_a_step_holds_the_parts_of_one_first_coordinate() -> None:
    places = torch.cartesian_prod(torch.arange(4), torch.arange(3)).float()[None]
    assert Tokens(torch.zeros(1, 12, 1), torch.ones(1, 12, dtype=torch.bool), places).step == 3


def test_place_codes_of_different_places_differ() -> None:
    torch.manual_seed(0)
    code = PlaceCode(2, 32)
    places = torch.cartesian_prod(torch.arange(12), torch.arange(12)).float()
    vectors = code(places[None])[0]
    assert torch.pdist(vectors).min().item() > 1e-3


@pytest.mark.parametrize("kind", [RealTokens(5, hidden=0.4, normalise=False), Letters().token_kind])
def test_a_kind_is_made_again_from_its_description(kind: RealTokens) -> None:
    assert make_kind(describe_kind(kind)) == kind
