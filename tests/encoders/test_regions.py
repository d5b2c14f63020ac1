"""A pooled vector that keeps where things are."""

from __future__ import annotations

import torch

from handful.encoders import ConvolutionalEncoder, MapRegions, Regions, TransformerEncoder
from handful.encoders.regions import maps_in_regions, region_means
from handful.encoders.saving import build, describe
from handful.modalities.image import Image


def _regions(size: int = 8) -> tuple[Regions, Image]:
    torch.manual_seed(0)
    image = Image(size=size, channels=1)
    backbone = TransformerEncoder(image.token_kind, axes=2, width=12, depth=1, cut=image.tokens)
    return Regions(backbone, axes=2, size=round(image.parts**0.5), cut=image.tokens).eval(), image


def _images(size: int = 8) -> torch.Tensor:
    return torch.randn(3, 1, size, size, generator=torch.Generator().manual_seed(1))


def test_the_vector_is_the_means_of_the_quarters() -> None:
    network, image = _regions()
    features = image.tokens(_images()).values[..., :1].expand(-1, -1, 12).contiguous()  # [3, 16, 12], 4 x 4 patches
    grid = features.unflatten(1, (2, 2, 2, 2))  # half, row, half, column
    quarters = grid.mean((2, 4))  # [3, 2, 2, 12]: down, across
    pooled = network.pool(features, image.tokens(_images())).unflatten(1, (2, 2, 12))  # across is the slower one
    torch.testing.assert_close(pooled, quarters.transpose(1, 2))


def test_of_some_parts_only_these_are_averaged_and_an_empty_region_is_nothing() -> None:
    network, image = _regions()
    tokens = image.tokens(_images()).take(torch.tensor([[0, 1]] * 3))  # both in the upper left
    pooled = network.pool(torch.ones(3, 2, 12), tokens)
    assert (pooled[:, :12] == 1).all()
    assert (pooled[:, 12:] == 0).all()


def test_a_grid_that_does_not_halve_evenly_has_its_regions_too() -> None:
    network, _ = _regions(28)  # 7 x 7 patches
    assert network(_images(28)).pooled.shape == (3, 48)
    assert network(_images(28)).pooled.unflatten(1, (4, 12)).abs().sum((0, 2)).gt(0).all()


def test_it_is_made_again_from_what_describes_it() -> None:
    network, image = _regions()
    again = build(describe(network), cut=image.tokens).eval()
    again.load_state_dict(network.state_dict())
    torch.testing.assert_close(again(_images()).pooled, network(_images()).pooled)


def test_means_of_map_regions_are_those_of_adaptive_pooling() -> None:
    for side in (1, 4, 7):
        maps = torch.randn(2, 5, side, side, generator=torch.Generator().manual_seed(side))
        expected = torch.nn.functional.adaptive_avg_pool2d(maps, 2)  # [2, 5, 2, 2]
        torch.testing.assert_close(region_means(maps, 2).unflatten(1, (4, 5)), expected.flatten(2).transpose(1, 2))


def test_a_moved_thing_has_another_vector_by_regions_and_the_same_by_the_mean() -> None:
    torch.manual_seed(0)
    network = MapRegions(ConvolutionalEncoder(1, widths=(4, 8)).eval())
    here = torch.zeros(1, 1, 32, 32)
    here[..., 7:9, 7:9] = 1
    there = here.roll(16, 3)
    apart = (network(here).pooled - network(there).pooled).norm() / network(here).pooled.norm()
    same = (network.backbone(here).pooled - network.backbone(there).pooled).norm()
    assert apart > 1e-3
    assert same < 1e-4 * network.backbone(here).pooled.norm()


def test_a_network_of_maps_by_regions_is_made_again_from_what_describes_it() -> None:
    network = MapRegions(ConvolutionalEncoder(1, widths=(4, 8)).eval())
    again = build(describe(network), cut=None).eval()
    again.load_state_dict(network.state_dict())
    torch.testing.assert_close(again(_images()).pooled, network(_images()).pooled)
    assert network(_images()).pooled.shape == (3, network.width) == (3, 32)


def test_only_convolutional_networks_of_square_images_are_read_by_regions() -> None:
    _, image = _regions()
    assert maps_in_regions(image.token_backbone(), image) is None
    assert isinstance(maps_in_regions(image.backbone(), image), MapRegions)
