"""Networks that give the sample back, and saving whatever is nested."""

from __future__ import annotations

import pytest
import torch
from symbols import Letters
from torch import nn

from handful.encoders import (
    ConvolutionalEncoder,
    Forecaster,
    LatentAutoencoder,
    RealTokens,
    Restorer,
    TransformerEncoder,
)
from handful.encoders.autoencoder import PartsDecoder, spread_cells
from handful.encoders.saving import build, describe
from handful.errors import InputError
from handful.modalities.image import Image

IMAGE = Image(size=12, channels=3)


def _transformer(causal: bool = False) -> TransformerEncoder:
    return TransformerEncoder(IMAGE.token_kind, axes=2, width=24, depth=1, causal=causal, cut=IMAGE.tokens)


def _networks() -> list[nn.Module]:
    torch.manual_seed(0)
    convolutional = ConvolutionalEncoder(3, widths=(4, 8))
    return [
        convolutional,
        _transformer(),
        LatentAutoencoder(convolutional, IMAGE.token_kind, axes=2, cut=IMAGE.tokens, latent=5),
        Restorer(convolutional, IMAGE.token_kind, cut=IMAGE.tokens),
        Restorer(_transformer(), IMAGE.token_kind, cut=IMAGE.tokens),
        Forecaster(_transformer(causal=True), cut=IMAGE.tokens),
    ]


@pytest.mark.parametrize("network", _networks(), ids=lambda network: type(network).__name__)
def test_a_network_built_from_its_description_and_weights_embeds_alike(network: nn.Module) -> None:
    images = torch.randn(4, 3, 12, 12)
    again = build(describe(network), cut=IMAGE.tokens)
    again.load_state_dict(network.state_dict())
    torch.testing.assert_close(again.eval()(images), network.eval()(images))


def test_a_network_of_ones_own_cannot_be_saved() -> None:
    with pytest.raises(InputError, match="a Linear cannot be saved"):
        describe(nn.Linear(2, 2))


def test_a_description_of_another_version_is_refused() -> None:
    with pytest.raises(InputError, match="'Perceiver' is not a network of this version"):
        build({"kind": "Perceiver", "config": {}}, cut=None)


def test_reconstructions_have_the_shape_of_the_tokens() -> None:
    images = torch.randn(4, 3, 12, 12)
    for network in _networks()[2:5]:
        assert IMAGE.from_tokens(network.reconstruct(images), like=images).shape == images.shape


def test_an_autoencoder_learns_where_something_is() -> None:
    torch.manual_seed(0)
    network = LatentAutoencoder(
        ConvolutionalEncoder(1, widths=(8, 16)), RealTokens(4), axes=2, cut=Image(size=8, channels=1).tokens
    )
    images = torch.eye(16).view(16, 1, 4, 4).repeat_interleave(2, 2).repeat_interleave(2, 3) * 4
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = (network.reconstruct(images).values - network.cut(images).values).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_a_decoder_of_parts_can_begin_near_zero() -> None:
    torch.manual_seed(0)
    decoder = PartsDecoder(IMAGE.token_kind, 32, parts=16, hidden=256)
    vectors, places = torch.randn(8, 32), torch.zeros(1, 16, 2)
    usual = decoder(vectors, places)
    decoder.begin_near_zero()
    guess = decoder(vectors, places)
    assert guess.shape == (8, 16, IMAGE.token_kind.width)
    torch.testing.assert_close(guess, usual / 10)


def test_features_of_any_number_are_pooled_to_the_cells() -> None:
    for size in (8, 12, 20):
        image = Image(size=size, channels=1)
        network = LatentAutoencoder(ConvolutionalEncoder(1, widths=(4, 8)), image.token_kind, axes=2, cut=image.tokens)
        assert network(torch.randn(2, 1, size, size)).pooled.shape == (2, 64)


def test_a_network_whose_way_back_is_not_known_is_refused() -> None:
    linear = nn.Linear(3, 3)
    linear.width = 3
    with pytest.raises(InputError, match="denoising needs a network whose way back is known, got Linear"):
        Restorer(linear, IMAGE.token_kind, cut=IMAGE.tokens)


def test_symbols_forecast_as_log_odds() -> None:
    letters = Letters()
    forecaster = Forecaster(letters.token_backbone(causal=True), cut=letters.tokens)
    assert forecaster.guess_next(letters.tokens(letters.random_batch(3))).shape == (3, 9, letters.count)


def test_cells_are_spread_over_their_pixels_in_any_number_of_dimensions() -> None:
    cells = torch.randn(2, 12, 3, 5)
    torch.testing.assert_close(spread_cells(cells, [2, 2]), torch.nn.functional.pixel_shuffle(cells, 2))
    line = torch.arange(12.0).view(1, 4, 3)  # two channels of three cells of two pixels
    assert spread_cells(line, [2])[0].tolist() == [[0, 3, 1, 4, 2, 5], [6, 9, 7, 10, 8, 11]]
    assert spread_cells(torch.randn(2, 3, 4, 5, 6), [1, 1, 1]).shape == (2, 3, 4, 5, 6)


@pytest.mark.parametrize("size", [(9,), (8, 7), (5, 6, 7)])
@pytest.mark.parametrize("halved", [True, False])
def test_the_way_back_ends_in_the_size_of_the_input(size: tuple[int, ...], halved: bool) -> None:
    backbone = ConvolutionalEncoder(2, dimensions=len(size), widths=(4, 8), downsample_first=halved)
    image = Image(size=8, channels=2)
    way_back = Restorer(backbone, image.token_kind, cut=image.tokens).way_back
    given = torch.randn(2, 2, *size)
    assert way_back(backbone.maps(given), given).shape == given.shape
