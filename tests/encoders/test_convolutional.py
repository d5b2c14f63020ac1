"""The convolutional network in one, two and three dimensions."""

from __future__ import annotations

import pytest
import torch

from handful.encoders import ConvolutionalEncoder


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_every_dimension_maps_to_features_and_their_mean(dimensions: int) -> None:
    torch.manual_seed(0)
    network = ConvolutionalEncoder(3, dimensions=dimensions, widths=(4, 8))
    encoded = network(torch.randn(2, 3, *[9] * dimensions))
    assert encoded.features.shape == (2, 5**dimensions, 8)
    torch.testing.assert_close(encoded.pooled, encoded.features.mean(1))
    encoded.pooled.sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_maps_halve_from_stage_to_stage_and_once_more_in_the_stem_if_told() -> None:
    network = ConvolutionalEncoder(1, widths=(4, 8, 16), downsample_first=True)
    assert [tuple(maps.shape) for maps in network.maps(torch.randn(2, 1, 32, 32))] == [
        (2, 4, 16, 16),
        (2, 8, 8, 8),
        (2, 16, 4, 4),
    ]


def test_blocks_add_layers_and_keep_the_shape() -> None:
    deep, flat = (ConvolutionalEncoder(1, widths=(4, 8), blocks=blocks) for blocks in (3, 1))
    assert deep(torch.randn(2, 1, 8, 8)).features.shape == flat(torch.randn(2, 1, 8, 8)).features.shape
    assert len(list(deep.parameters())) > len(list(flat.parameters()))


def test_a_sample_is_embedded_alike_alone_and_in_company_once_trained() -> None:
    network = ConvolutionalEncoder(1, widths=(4, 8)).eval()
    images = torch.randn(5, 1, 8, 8)
    torch.testing.assert_close(network(images[:1]).pooled, network(images).pooled[:1])


def test_the_network_is_made_again_from_its_configuration() -> None:
    network = ConvolutionalEncoder(2, dimensions=1, widths=(4, 8), blocks=2, downsample_first=True)
    again = ConvolutionalEncoder.from_config(network.config)
    again.load_state_dict(network.state_dict())
    assert again.config == network.config
