"""The terms of the evidence bound against torch's own distributions, and what each method has to give back."""

from __future__ import annotations

import math

import pytest
import torch
from symbols import Letters
from torch.distributions import Normal, kl_divergence

from handful.encoders import ConvolutionalEncoder, RealTokens, SymbolTokens, Tokens
from handful.encoders.autoencoder import Latent
from handful.methods.autoencoding import (
    VAE,
    Autoencoder,
    Denoising,
    distances,
    divergence_from_normal,
    draw,
    gaussian_surprise,
)
from handful.methods.method import Method
from handful.modalities.image import Image


def _made(kind: type[Method], **options: int) -> Method:
    torch.manual_seed(0)
    return kind(ConvolutionalEncoder(1, widths=(4, 8)), Image(size=8, channels=1), **options).eval()


def _images(n: int = 4) -> torch.Tensor:
    return torch.randn(n, 1, 8, 8, generator=torch.Generator().manual_seed(1))


def _latent(n: int = 5, width: int = 3) -> Latent:
    numbers = torch.randn(2, n, width, generator=torch.Generator().manual_seed(2))
    return Latent(torch.empty(0), numbers[0], numbers[1])


def test_the_divergence_equals_torchs_between_normal_distributions() -> None:
    latent = _latent()
    posterior = Normal(latent.mean, (latent.log_variance / 2).exp())
    expected = kl_divergence(posterior, Normal(torch.zeros(3), torch.ones(3))).sum(1)
    torch.testing.assert_close(divergence_from_normal(latent), expected)


def test_the_divergence_is_zero_at_standard_normal_and_knows_no_sign() -> None:
    standard = Latent(torch.empty(0), torch.zeros(2, 3), torch.zeros(2, 3))
    assert divergence_from_normal(standard).tolist() == [0.0, 0.0]
    latent = _latent()
    torch.testing.assert_close(
        divergence_from_normal(latent._replace(mean=-latent.mean)), divergence_from_normal(latent)
    )


def test_the_surprise_equals_the_log_likelihood_under_the_most_likely_spread() -> None:
    values, guess = torch.randn(4, 6, 5), torch.randn(4, 6, 5)
    present = torch.arange(6)[None] < torch.tensor([6, 4, 2, 5])[:, None]
    spread = ((values - guess)[present].square().mean()).sqrt()
    expected = -Normal(guess[present], spread).log_prob(values[present]).sum()
    tokens = Tokens(values, present, torch.zeros(1, 6, 1))
    torch.testing.assert_close(gaussian_surprise(RealTokens(5).mismatch(guess, values), tokens), expected)


def test_no_other_spread_makes_the_sample_more_likely() -> None:
    values, guess = torch.randn(2, 3, 4), torch.randn(2, 3, 4)
    tokens = Tokens(values, torch.ones(2, 3, dtype=torch.bool), torch.zeros(1, 3, 1))
    best = float(gaussian_surprise(RealTokens(4).mismatch(guess, values), tokens))
    for spread in (0.2, 0.7, 1.1, 2.0, 4.0):
        assert best <= -float(Normal(guess, spread).log_prob(values).sum()) + 1e-4


def test_draws_have_the_latent_mean_and_spread() -> None:
    latent = Latent(torch.empty(0), torch.full((20_000, 1), 2.0), torch.full((20_000, 1), math.log(9.0)))
    drawn = draw(latent, torch.Generator().manual_seed(0))
    assert float(drawn.mean()) == pytest.approx(2, abs=0.1)
    assert float(drawn.std()) == pytest.approx(3, abs=0.1)


def test_the_vaes_loss_is_the_evidence_bound_for_each_number() -> None:
    method, images = _made(VAE, latent=3), _images()
    loss = method(images, torch.Generator().manual_seed(4))
    latent = method.through.latent(images)
    tokens = method.modality.tokens(images)
    guess = method.through.decoder(draw(latent, torch.Generator().manual_seed(4)), tokens.places)
    spread = (guess - tokens.values).square().mean().sqrt()
    bound = Normal(guess, spread).log_prob(tokens.values).sum() - divergence_from_normal(latent).sum()
    assert loss.total.item() == pytest.approx(-bound.item() / images.numel(), rel=1e-5)


@pytest.mark.parametrize("kind", [Autoencoder, VAE])
def test_the_embedding_is_the_latent_mean(kind: type[Method]) -> None:
    method, images = _made(kind, latent=3), _images()
    encoded = method.network(images)
    torch.testing.assert_close(encoded.pooled, method.network.latent(images).mean)
    assert encoded.pooled.shape == (4, 3)
    assert method.network.width == 3


def test_the_autoencoders_loss_is_the_mean_squared_error_of_what_comes_back() -> None:
    method, images = _made(Autoencoder), _images()
    returned = method.network.reconstruct(images)
    rebuilt = method.modality.from_tokens(returned, like=images)
    loss = method(images, torch.Generator().manual_seed(0)).total
    assert loss.item() == pytest.approx((rebuilt - images).square().mean().item(), rel=1e-5)


def test_an_untrained_denoiser_changes_nothing_and_its_loss_is_the_noise() -> None:
    method, images = _made(Denoising), _images(256)
    torch.testing.assert_close(method.network.reconstruct(images).values, method.modality.tokens(images).values)
    loss = method(images, torch.Generator().manual_seed(0))
    assert loss.total.item() == pytest.approx(1 / 2, rel=0.1)  # the mean of u between 0 and 1
    assert loss.parts["reconstruction"].item() == pytest.approx(1 / 3, rel=0.15)  # that of its square


def test_the_denoisers_loss_is_how_far_off_each_sample_is_but_for_what_fills_up() -> None:
    mismatch, present = torch.rand(3, 5), torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0]]).bool()
    slow = [math.sqrt(mismatch[0].mean() + 1e-6), math.sqrt(mismatch[1, :2].mean() + 1e-6), 1e-3]
    torch.testing.assert_close(distances(mismatch, present), torch.tensor(slow))


def test_a_sample_cleaned_without_an_error_has_a_gradient() -> None:
    mismatch = torch.zeros(1, 4, requires_grad=True)
    distances(mismatch, torch.ones(1, 4).bool()).sum().backward()
    assert mismatch.grad is not None
    assert torch.isfinite(mismatch.grad).all()


def test_noise_is_of_one_strength_for_each_sample_and_at_most_as_told() -> None:
    kind, clean = RealTokens(200, noise=0.5), torch.zeros(64, 10, 200)
    spread = kind.corrupt(clean, torch.Generator().manual_seed(0)).flatten(1).std(1)
    assert float(spread.max()) < 0.52
    assert float(spread.max() - spread.min()) > 0.3


def test_symbols_are_swapped_at_most_as_often_as_told() -> None:
    kind, clean = SymbolTokens(1000, noise=0.4), torch.zeros(64, 500, dtype=torch.long)
    share = (kind.corrupt(clean, torch.Generator().manual_seed(0)) != 0).float().mean(1)
    assert 0.15 < float(share.mean()) < 0.25
    assert float(share.max()) < 0.5


@pytest.mark.parametrize("kind", [Autoencoder, VAE, Denoising])
def test_symbols_come_back_as_log_odds_and_what_fills_up_does_not_count(kind: type[Method]) -> None:
    letters = Letters()
    torch.manual_seed(0)
    method = kind(letters.token_backbone(), letters).eval()
    batch = letters.random_batch(6)
    other = {**batch, "values": torch.where(batch["present"], batch["values"], 5)}
    losses = [method(given, torch.Generator().manual_seed(0)).total.item() for given in (batch, other)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert method.network.reconstruct(batch).values.shape == (6, 9, letters.count)
