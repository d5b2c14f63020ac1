"""Masked training: what is hidden stays hidden, and the loss is that of the hidden parts."""

from __future__ import annotations

import math

import pytest
import torch
from symbols import Letters

from handful.encoders import ConvolutionalEncoder, MLPEncoder, RealTokens, Tokens, TransformerEncoder
from handful.errors import InputError
from handful.methods.masked import Masked
from handful.methods.pretext import hide, masked_symbols, swap_parts
from handful.modalities.image import Image


def _masked_autoencoder(size: int = 8) -> Masked:
    torch.manual_seed(0)
    image = Image(size=size, channels=1)
    backbone = TransformerEncoder(image.token_kind, axes=2, width=24, depth=1, cut=image.tokens)
    return Masked(backbone, image, width=12)


def _images(n: int = 3, size: int = 8) -> torch.Tensor:
    return torch.randn(n, 1, size, size, generator=torch.Generator().manual_seed(1))


def test_the_loss_is_the_mean_squared_error_of_normalised_hidden_patches() -> None:
    method, images = _masked_autoencoder(), _images()
    tokens = method.modality.tokens(images)
    visible, hidden = hide(tokens, 0.75, torch.Generator().manual_seed(7))
    loss = method(images, torch.Generator().manual_seed(7))
    guesses = method._guesses(tokens, visible)
    assert guesses.keys() == loss.parts.keys() == {"hidden", "recalled"}
    for name, guess in guesses.items():
        errors = []
        for row, part in hidden.nonzero():
            patch = tokens.values[row, part]
            target = (patch - patch.mean()) / (patch.var(correction=0) + 1e-6).sqrt()
            errors.append((guess[row, part] - target).square().mean().item())
        assert loss.parts[name].item() == pytest.approx(sum(errors) / len(errors), rel=1e-5)
    assert loss.total.item() == pytest.approx(sum(part.item() for part in loss.parts.values()), rel=1e-6)


def test_guesses_do_not_depend_on_what_is_hidden() -> None:
    method = _masked_autoencoder().eval()
    tokens = method.modality.tokens(_images())
    visible, hidden = hide(tokens, 0.75, torch.Generator().manual_seed(7))
    other = tokens._replace(values=torch.where(hidden[..., None], torch.randn_like(tokens.values), tokens.values))
    torch.testing.assert_close(method._guesses(other, visible), method._guesses(tokens, visible))


def test_guesses_depend_on_what_is_visible() -> None:
    method = _masked_autoencoder().eval()
    tokens = method.modality.tokens(_images())
    visible, _ = hide(tokens, 0.75, torch.Generator().manual_seed(7))
    other = tokens._replace(values=tokens.values + 1.0 * torch.randn_like(tokens.values))
    before, after = method._guesses(tokens, visible), method._guesses(other, visible)
    assert not any(torch.allclose(before[name], after[name]) for name in before)


def test_only_visible_parts_go_through_the_network() -> None:
    method, seen = _masked_autoencoder(), []
    method.backbone.register_forward_pre_hook(lambda module, given: seen.append(given[0].values.shape[1]))
    method(_images(), torch.Generator().manual_seed(0))
    assert seen == [4]  # a quarter of 16


def test_guesses_of_hidden_symbols_do_not_depend_on_them() -> None:
    letters = Letters()
    torch.manual_seed(0)
    network = Masked(letters.token_backbone(), letters).eval().network
    tokens = letters.tokens(letters.random_batch(4))
    hidden = torch.zeros(tokens.values.shape, dtype=torch.bool)
    hidden[:, 2] = True
    other = tokens._replace(values=torch.where(hidden, (tokens.values + 1) % letters.count, tokens.values))
    torch.testing.assert_close(network.guess(other, hidden=hidden), network.guess(tokens, hidden=hidden))
    moved = tokens._replace(values=torch.where(hidden, tokens.values, (tokens.values + 1) % letters.count))
    assert not torch.allclose(network.guess(moved, hidden=hidden), network.guess(tokens, hidden=hidden))


def test_the_loss_on_symbols_is_the_cross_entropy_of_the_hidden_ones() -> None:
    letters = Letters()
    torch.manual_seed(0)
    method = Masked(letters.token_backbone(), letters).eval()
    batch, drawn = letters.random_batch(4), torch.Generator().manual_seed(3)
    tokens = letters.tokens(batch)
    _, hidden = hide(tokens, method.share, drawn)
    values, blotted = masked_symbols(tokens.values, hidden, method.kind.random(tokens.values, drawn), drawn)
    odds = method.network.guess(tokens._replace(values=values), hidden=blotted, wanted=hidden).log_softmax(-1)
    errors = [-row[symbol].item() for row, symbol in zip(odds, tokens.values[hidden], strict=True)]
    loss = method(batch, torch.Generator().manual_seed(3))
    assert loss.total.item() == pytest.approx(sum(errors) / len(errors), rel=1e-5)


def test_normalised_targets_know_neither_brightness_nor_contrast() -> None:
    kind, patches = RealTokens(16), _images(5, 4).reshape(5, 1, 16)
    torch.testing.assert_close(kind.target(3 * patches + 2), kind.target(patches), atol=1e-4, rtol=1e-4)


def test_a_network_without_tokens_is_refused_in_one_sentence() -> None:
    with pytest.raises(InputError, match="needs a network that reads tokens, got ConvolutionalEncoder"):
        Masked(ConvolutionalEncoder(1, widths=(4, 8)), Image(size=8, channels=1))


class _Cells:
    """Rows of five cells of two numbers, some missing, as a kind of data whose hidden parts are swapped."""

    name, axes, order, parts = "cells", 1, None, 5
    token_kind = RealTokens(2, hidden=0.3, normalise=False, swaps=True)

    def tokens(self, batch: torch.Tensor) -> Tokens:
        return Tokens(batch.nan_to_num(), ~batch.isnan().any(2), torch.arange(5.0)[None, :, None])

    def backbone(self) -> MLPEncoder:
        return MLPEncoder(self.token_kind, parts=5, width=8, cut=self.tokens)


def _cells(n: int = 7) -> torch.Tensor:
    rows = torch.randn(n, 5, 2, generator=torch.Generator().manual_seed(2))
    rows[0, 1], rows[3, 1], rows[4, 2] = torch.nan, torch.nan, torch.nan
    return rows


def test_swapped_parts_keep_their_column_and_say_what_was_changed() -> None:
    tokens = _Cells().tokens(_cells())
    spoilt, changed = swap_parts(tokens, 0.5, torch.Generator().manual_seed(0))
    assert 0.2 < changed.float().mean() < 0.6
    for part in range(5):
        known = {tuple(value) for value in tokens.values[:, part].tolist()}
        assert {tuple(value) for value in spoilt.values[:, part].tolist()} <= known
    same = (spoilt.values == tokens.values).all(-1) & (spoilt.present == tokens.present)
    assert torch.equal(changed, ~same)
    constant = tokens._replace(values=torch.ones_like(tokens.values), present=torch.ones_like(tokens.present))
    assert not swap_parts(constant, 0.5, torch.Generator().manual_seed(0))[1].any()


def test_all_parts_are_permuted_where_all_are_masked() -> None:
    tokens = _Cells().tokens(_cells())
    spoilt, _ = swap_parts(tokens, 1.0, torch.Generator().manual_seed(0))
    for part in range(5):
        assert sorted(spoilt.values[:, part].tolist()) == sorted(tokens.values[:, part].tolist())


def test_the_loss_on_swapped_parts_equals_that_of_vime_written_slowly() -> None:
    torch.manual_seed(0)
    kind, rows = _Cells(), _cells()
    method = Masked(Masked.default_backbone(kind), kind).eval()
    loss = method(rows, torch.Generator().manual_seed(3))
    tokens = kind.tokens(rows)
    spoilt, changed = swap_parts(tokens, 0.3, torch.Generator().manual_seed(3))
    vectors = method.network(spoilt).pooled.detach()
    odds, guesses = method.mask(vectors).detach(), method.values(vectors, tokens.places).detach()
    mask_terms, value_terms = [], []
    for row in range(len(rows)):
        for part in range(5):
            chance = 1 / (1 + math.exp(-float(odds[row, part])))
            mask_terms.append(-math.log(chance if changed[row, part] else 1 - chance))
            if tokens.present[row, part]:  # what was there, not what was put there
                errors = [float(guesses[row, part, k] - rows[row, part, k]) ** 2 for k in range(2)]
                value_terms.append(sum(errors) / 2)
    mask, values = (sum(terms) / len(terms) for terms in (mask_terms, value_terms))
    assert loss.parts["mask"].item() == pytest.approx(mask, rel=1e-4)
    assert loss.parts["values"].item() == pytest.approx(values, rel=1e-4)
    assert loss.total.item() == pytest.approx(mask + 2 * values, rel=1e-4)
