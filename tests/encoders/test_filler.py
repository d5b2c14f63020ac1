"""A network that guesses hidden symbols."""

from __future__ import annotations

import numpy as np
import torch
from symbols import Letters
from torch.nn import functional as F

from handful.encoders.filler import Filler
from handful.encoders.saving import build, describe


def _filler() -> tuple[Letters, Filler]:
    torch.manual_seed(0)
    letters = Letters()
    return letters, Filler(letters.token_backbone(), cut=letters.tokens).eval()


def test_what_is_hidden_is_not_seen() -> None:
    letters, filler = _filler()
    tokens = letters.tokens(letters.random_batch(8))
    hidden = torch.zeros_like(tokens.present)
    hidden[:, 2] = True
    other = tokens._replace(values=torch.where(hidden, 10 - tokens.values, tokens.values))
    assert torch.equal(filler.guess(tokens, hidden=hidden), filler.guess(other, hidden=hidden))


def test_guesses_are_those_of_the_wanted_places_row_by_row() -> None:
    letters, filler = _filler()
    tokens = letters.tokens(letters.random_batch(8))
    nothing = torch.zeros_like(tokens.present)
    all_of_them = filler.guess(tokens, hidden=nothing, wanted=torch.ones_like(nothing))
    some = tokens.present & (tokens.values == 3)
    assert some.any()
    assert torch.allclose(filler.guess(tokens, hidden=nothing, wanted=some), all_of_them[some.flatten()], atol=1e-6)


def test_way_in_and_way_out_share_their_weights() -> None:
    letters, filler = _filler()
    tokens = letters.tokens(letters.random_batch(4))
    hidden = tokens.values == 2
    loss = F.cross_entropy(filler.guess(tokens, hidden=hidden), tokens.values[hidden])
    loss.backward()
    assert filler.backbone.stem.weight.grad is not None
    unseen = set(range(11)) - set(tokens.values.unique().tolist())
    assert all(filler.backbone.stem.weight.grad[symbol].any() for symbol in unseen | {2})


def test_made_again_it_guesses_as_before() -> None:
    letters, filler = _filler()
    again = build(describe(filler), cut=letters.tokens).eval()
    again.load_state_dict(filler.state_dict())
    tokens = letters.tokens(letters.random_batch(4))
    hidden = tokens.values == 2
    assert torch.equal(filler.guess(tokens, hidden=hidden), again.guess(tokens, hidden=hidden))


def test_before_training_every_symbol_is_about_as_likely() -> None:
    letters, filler = _filler()
    tokens = letters.tokens(letters.random_batch(64))
    loss = F.cross_entropy(filler.guess(tokens, hidden=tokens.present), tokens.values[tokens.present])
    assert abs(loss.item() - np.log(11)) < 1
