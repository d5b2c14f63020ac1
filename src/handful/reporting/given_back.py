"""What an encoder that gives samples back makes of a few pictures: copies, clean copies, and what a VAE makes up."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from handful.data import Dataset
from handful.encoders.autoencoder import Latent, LatentAutoencoder, Restorer
from handful.encoders.tokens import Tokens
from handful.methods.autoencoding import draw
from handful.reporting.picture_lines import as_lines
from handful.training.embed import device_of, to_device

SHOWN, FITTED = 16, 512  # pictures; those that the samples' distribution is fitted on
NOISE = 0.5  # standard deviation where black is -1 and white is 1: half of the strongest noise that is learnt


def show_given_back(encoder: Any, data: Dataset) -> str:
    """Return HTML with a few pictures of `data` beside what `encoder` gives back, and what a VAE makes up.

    Nothing where it gives no pictures back.
    """
    if data.modality != "image":
        return ""
    return "".join(_shown(encoder.modality, name, network, data) for name, network in encoder.networks.items())


def _shown(modality: Any, name: str, network: torch.nn.Module, data: Dataset) -> str:
    """Return the HTML of one network."""
    rows = np.unique(np.linspace(0, len(data) - 1, SHOWN).astype(int))
    given = modality.batch(data.samples, rows)
    generator = torch.Generator().manual_seed(0)
    if isinstance(network, Restorer):
        noisy = given + NOISE * torch.randn(given.shape, generator=generator)
        clean = _pictures(modality, _returned(network, noisy), given)
        return _section(
            "Clean copies",
            f"Above pictures of the data, in the middle with noise added, below cleaned. {_error(clean, given)}",
            [given, noisy, clean],
        )
    if not isinstance(network, LatentAutoencoder):
        return ""
    copies = _pictures(modality, _returned(network, given), given)
    told = f"Above pictures of the data, below what comes back from {network.width} numbers each. "
    found = _section("What comes back", told + _error(copies, given), [given, copies])
    if name == "vae":
        known = modality.batch(data.samples, np.unique(np.linspace(0, len(data) - 1, FITTED).astype(int)))
        made_up = _pictures(modality, _made_up(network, known, 2 * len(rows), generator), given)
        found += _section(
            "Samples",
            "Made up by the network from numbers drawn at random, spread as those of the data are: none of these is in "
            "the data. Where they look like it, the vectors fill their space without gaps.",
            list(made_up.chunk(2)),
        )
    return found


@torch.inference_mode()
def _returned(network: Any, batch: torch.Tensor) -> Tokens:
    """Return the tokens that come back for a batch."""
    return network.eval().reconstruct(to_device(batch, device_of(network)))


@torch.inference_mode()
def _made_up(network: LatentAutoencoder, known: torch.Tensor, n: int, generator: torch.Generator) -> Tokens:
    """Return the tokens of n vectors drawn as those of `known` pictures are spread."""
    latent = network.eval().latent(to_device(known, device_of(network)))
    vectors = drawn_like(draw(Latent(*(part.cpu() for part in latent)), generator), n, generator)
    tokens = network.cut(known)
    return tokens._replace(values=network.decoder(vectors.to(device_of(network)), tokens.places))


def drawn_like(vectors: torch.Tensor, n: int, generator: torch.Generator) -> torch.Tensor:
    """Return n draws [n, D] from the normal distribution that fits vectors [M, D] best.

    A training that is not long leaves them off the standard normal one, and what lies between was never decoded
    (Ghosh et al. 2020, From variational to deterministic autoencoders, section 4).
    """
    mean = vectors.mean(0)
    mixed = torch.randn(n, len(vectors), generator=generator) @ (vectors - mean)
    return mean + mixed / len(vectors) ** 0.5  # each is a mixture of the rows, so that their covariance is kept


def _pictures(modality: Any, tokens: Tokens, like: torch.Tensor) -> torch.Tensor:
    """Return pictures [M, C, H, W] in [-1, 1]."""
    return modality.from_tokens(tokens, like=like).float().cpu().clamp(-1, 1)


def _error(found: torch.Tensor, given: torch.Tensor) -> str:
    """Return in words how far pictures are from those given, beside the mean picture."""
    error, naive = (float((part - given).square().mean().sqrt()) * 127.5 for part in (found, given.mean(0)))
    return f"Root mean squared error {error:.0f} of 255 a pixel, of the mean picture {naive:.0f}."


def _section(title: str, words: str, lines: list[torch.Tensor]) -> str:
    """Return a heading, a few words, and lines of pictures [M, C, H, W] in [-1, 1] below one another."""
    seen = [np.rint((line.numpy().clip(-1, 1) + 1) * 127.5).astype(np.uint8) for line in lines]
    return f'<h3>{title}</h3><p class="soft">{words}</p><p class="frames">{as_lines(seen, title)}</p>'
