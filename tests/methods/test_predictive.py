"""What comes next: pairs, the loss, and no look ahead."""

from __future__ import annotations

import math

import pytest
import torch
from symbols import Letters

from handful.encoders import Tokens, TransformerEncoder
from handful.errors import InputError
from handful.methods.predictive import CPC, Forecast, future_pairs, tell_apart
from handful.modalities.image import Image


class Unordered(Letters):
    name = "table"
    order = None


def test_the_loss_equals_equation_4_of_the_paper() -> None:
    guesses, codes = torch.randn(2, 6, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    total = 0.0
    for i, guess in enumerate(guesses):
        odds = [math.exp(float(guess @ code / (guess.norm() * code.norm())) / 0.2) for code in codes]
        total -= math.log(odds[i] / sum(odds)) / 6
    assert float(tell_apart(guesses, codes, temperature=0.2)) == pytest.approx(total, rel=1e-5)


def test_the_loss_knows_no_order_and_is_the_log_of_the_number_where_codes_are_equal() -> None:
    guesses, codes = torch.randn(2, 6, 5, generator=torch.Generator().manual_seed(0))
    turned = tell_apart(guesses.flip(0), codes.flip(0), temperature=0.2)
    torch.testing.assert_close(turned, tell_apart(guesses, codes, temperature=0.2))
    assert float(tell_apart(guesses, torch.ones(6, 5), temperature=0.2)) == pytest.approx(math.log(6))


def test_future_pairs_stand_at_one_place_so_many_steps_apart_and_are_both_present() -> None:
    places = torch.cartesian_prod(torch.arange(4), torch.arange(3)).float()[None]
    present = torch.ones(2, 12, dtype=torch.bool)
    present[1, 9:] = False
    now, later = future_pairs(Tokens(torch.zeros(2, 12, 1), present, places), 2)
    assert (later - now == 6).all()
    assert now.tolist() == [0, 1, 2, 3, 4, 5, 12, 13, 14]


def test_there_are_no_pairs_beyond_the_end() -> None:
    tokens = Letters().tokens(Letters().random_batch(3))
    assert all(len(rows) == 0 for rows in future_pairs(tokens, 9))


@pytest.mark.parametrize("kind", [CPC, Forecast])
def test_a_part_sees_nothing_that_comes_later(kind: type[CPC | Forecast]) -> None:
    image = Image(size=12, channels=1)
    backbone = TransformerEncoder(image.token_kind, axes=2, width=24, depth=2, causal=True, cut=image.tokens)
    method = kind(backbone, image).eval()
    images = torch.randn(2, 1, 12, 12)
    other = images.clone()
    other[:, :, 6:] += 1.0  # the lower half: patches of two pixels, so rows 3 to 5 of 6
    before, after = (method.backbone(given).features for given in (images, other))
    torch.testing.assert_close(before[:, :18], after[:, :18])
    assert not torch.allclose(before[:, 18:], after[:, 18:])


def test_the_forecasts_loss_is_the_squared_error_of_the_change_to_the_next_row() -> None:
    image = Image(size=8, channels=1)
    torch.manual_seed(0)
    method = Forecast(
        TransformerEncoder(image.token_kind, axes=2, width=24, depth=1, causal=True, cut=image.tokens), image
    )
    images = torch.randn(3, 1, 8, 8)
    tokens = image.tokens(images)
    guess = method.network.guess_next(tokens)
    errors = [
        (guess[row, part] - tokens.values[row, part + 4]).square().mean().item()
        for row in range(3)
        for part in range(12)
    ]
    loss = method(images, torch.Generator())
    assert loss.total.item() == pytest.approx(sum(errors) / len(errors), rel=1e-5)


def test_an_alphabet_that_counts_up_is_forecast() -> None:
    letters = Letters()
    torch.manual_seed(0)
    method = Forecast(letters.token_backbone(causal=True), letters)
    optimizer = torch.optim.Adam(method.parameters(), 1e-2)
    for step in range(60):
        optimizer.zero_grad()
        method(letters.random_batch(32, seed=step), torch.Generator()).total.backward()
        optimizer.step()
    batch = letters.random_batch(32, seed=1000)
    guess = method.network.guess_next(letters.tokens(batch)).argmax(-1)[:, :-1]
    right = (guess == batch["values"][:, 1:])[batch["present"][:, 1:]]
    assert float(right.float().mean()) > 0.9


@pytest.mark.parametrize("kind", [CPC, Forecast])
def test_parts_without_an_order_are_refused_in_one_sentence(kind: type[CPC | Forecast]) -> None:
    with pytest.raises(InputError, match="the parts of a table have no order: use 'masked'"):
        kind(Unordered().token_backbone(causal=True), Unordered())


@pytest.mark.parametrize("kind", [CPC, Forecast])
def test_a_network_that_sees_what_comes_is_refused(kind: type[CPC | Forecast]) -> None:
    with pytest.raises(InputError, match="give a TransformerEncoder with causal=True"):
        kind(Letters().token_backbone(), Letters())


@pytest.mark.parametrize("kind", [CPC, Forecast])
def test_a_sample_of_one_step_is_refused(kind: type[CPC | Forecast]) -> None:
    letters = Letters(length=1)
    method = kind(letters.token_backbone(causal=True), letters)
    batch = {"values": torch.zeros(4, 1, dtype=torch.long), "present": torch.ones(4, 1, dtype=torch.bool)}
    with pytest.raises(InputError, match="at least 2 steps"):
        method(batch, torch.Generator())
