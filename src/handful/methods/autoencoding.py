"""Autoencoding methods: the target is the sample itself, clean."""

from __future__ import annotations

import math

import torch
from torch import nn

from handful.encoders.autoencoder import Latent, LatentAutoencoder, PartsDecoder, Restorer
from handful.encoders.synchronised import sum_over_processes
from handful.encoders.tokens import Tokens, mean_over
from handful.methods.method import Loss, Method
from handful.modalities.contract import Batch, Modality


class _GivesBack(Method):
    """What the autoencoding methods share: where symbols are given back, a network that reads them in their order."""

    @classmethod
    def default_backbone(cls, modality: Modality) -> nn.Module:
        """Return the kind's own network, or of symbols the one over tokens."""
        return modality.token_backbone() if modality.token_kind.symbolic else modality.backbone()


class Autoencoder(_GivesBack):
    """Squeezes a sample through a narrow vector and gives it back (Hinton and Salakhutdinov 2006).

    latent: the width of the vector, which is the embedding.
    """

    def __init__(self, backbone: nn.Module, modality: Modality, *, latent: int = 64) -> None:
        super().__init__(backbone, modality)
        self.through = _through(backbone, modality, latent)

    @property
    def network(self) -> nn.Module:
        return self.through

    def forward(self, batch: Batch, generator: torch.Generator) -> Loss:
        tokens = self.modality.tokens(batch)
        guess = self.through.decoder(self.through.latent(batch).mean, tokens.places)
        total = mean_over(self.modality.token_kind.mismatch(guess, tokens.values), tokens.present)
        return Loss(total, {"reconstruction": total.detach()})


class VAE(_GivesBack):
    """Squeezes a sample through a normal distribution over narrow vectors (Kingma and Welling 2014).

    The embedding is the mean of the distribution. The spread of real values about their reconstruction is the one
    that makes the samples most likely, found anew in each batch (Rybkin et al. 2021), so there is no weight to set
    between the two terms.
    latent: the width of the vector.
    """

    def __init__(self, backbone: nn.Module, modality: Modality, *, latent: int = 32) -> None:
        super().__init__(backbone, modality)
        self.through = _through(backbone, modality, latent)
        if isinstance(self.through.decoder, PartsDecoder):
            self.through.decoder.begin_near_zero()

    @property
    def network(self) -> nn.Module:
        return self.through

    def forward(self, batch: Batch, generator: torch.Generator) -> Loss:
        tokens = self.modality.tokens(batch)
        latent = self.through.latent(batch)
        guess = self.through.decoder(draw(latent, generator), tokens.places)
        mismatch = self.modality.token_kind.mismatch(guess, tokens.values)
        surprise = self._surprise(mismatch, tokens) / len(mismatch)
        divergence = divergence_from_normal(latent).mean()
        total = (surprise + divergence) / _numbers_each(tokens)
        return Loss(total, {"reconstruction": mean_over(mismatch, tokens.present).detach(), "kl": divergence.detach()})

    def _surprise(self, mismatch: torch.Tensor, tokens: Tokens) -> torch.Tensor:
        """Return the negative logarithm of the likelihood of all values of the batch, in nats."""
        if self.modality.token_kind.symbolic:
            return (mismatch * tokens.present).sum()
        return gaussian_surprise(mismatch, tokens)


class Denoising(_GivesBack):
    """Gives back the sample without the noise that was added to it (Vincent et al. 2008), in full resolution.

    The strength of the noise is drawn for each sample, so that one network cleans all strengths. The loss is how far
    off each sample is, not its square: else the loud ones, which nothing cleans well, say what is learnt. On photos of
    64 pixels with noise of .1, .2, .4 it cleans .6, .4 and .2 dB better (benchmarks/LOG.md).
    """

    numbers_a_step = 12_500
    """16 images of 28 or 64 pixels: in as many epochs photos come out .8 to 1.3 dB better than by 64 at a time."""

    def __init__(self, backbone: nn.Module, modality: Modality) -> None:
        super().__init__(backbone, modality)
        self.restorer = Restorer(backbone, modality.token_kind, cut=modality.tokens)

    @property
    def network(self) -> nn.Module:
        return self.restorer

    def forward(self, batch: Batch, generator: torch.Generator) -> Loss:
        kind, tokens = self.modality.token_kind, self.modality.tokens(batch)
        spoilt = tokens._replace(values=kind.corrupt(tokens.values, generator))
        guess = self.restorer.reconstruct(self.modality.from_tokens(spoilt, like=batch))
        mismatch = kind.mismatch(guess.values, tokens.values)
        squared = mean_over(mismatch, tokens.present)
        total = squared if kind.symbolic else distances(mismatch, tokens.present).mean()
        return Loss(total, {"reconstruction": squared.detach()})


def distances(mismatch: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """Return the root mean square error [B] of each sample whose parts have the mean squared errors `mismatch` [B, L].

    No less than 1e-3, a thousandth of the data's spread: a sample without an error has a gradient as well.
    """
    squared = (mismatch * present).sum(1) / present.sum(1).clamp(min=1)
    return (squared + 1e-6).sqrt()


def draw(latent: Latent, generator: torch.Generator) -> torch.Tensor:
    """Return one vector [B, D] from each latent distribution."""
    noise = torch.randn(latent.mean.shape, generator=generator, device=latent.mean.device)
    return latent.mean + noise * (latent.log_variance / 2).exp()


def divergence_from_normal(latent: Latent) -> torch.Tensor:
    """Return the Kullback-Leibler divergence [B] in nats from standard normal (Kingma and Welling 2014, appendix B)."""
    return 0.5 * (latent.mean.square() + latent.log_variance.exp() - 1 - latent.log_variance).sum(1)


def gaussian_surprise(mismatch: torch.Tensor, tokens: Tokens) -> torch.Tensor:
    """Return minus the log likelihood in nats of a batch whose squared errors have the means `mismatch` [B, L], under
    normal noise of the one variance that makes it most likely: the mean squared error (Rybkin et al. 2021, eq. 9)."""
    numbers = tokens.present.sum() * tokens.values.shape[-1]
    squared = (mismatch * tokens.present).sum() * tokens.values.shape[-1]
    everywhere = sum_over_processes(torch.stack([squared, numbers.to(squared.dtype)]))
    variance = (everywhere[0] / everywhere[1].clamp(min=1)).clamp(min=1e-6)
    return numbers / 2 * (math.log(2 * math.pi) + variance.log()) + squared / (2 * variance)


def _numbers_each(tokens: Tokens) -> torch.Tensor:
    """Return how many numbers or symbols a sample has on average."""
    width = tokens.values.shape[2] if tokens.values.ndim == 3 else 1
    return (tokens.present.sum() * width / len(tokens.present)).clamp(min=1)


def _through(backbone: nn.Module, modality: Modality, latent: int) -> LatentAutoencoder:
    parts = getattr(modality, "parts", None)
    return LatentAutoencoder(
        backbone, modality.token_kind, axes=modality.axes, parts=parts, cut=modality.tokens, latent=latent
    )
