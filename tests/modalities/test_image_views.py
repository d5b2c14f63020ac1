"""Views and tokens of images: shape, range, seed, pace, and what a view must not change."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch.nn import functional as F

from handful.modalities.image import Image
from handful.modalities.image_views import Changes, draw_changes, render


def _images(n: int = 6, *, size: int = 20, channels: int = 3) -> torch.Tensor:
    pixels = np.random.default_rng(0).integers(0, 256, (n, channels, size, size), dtype=np.uint8)
    return Image(size=size, channels=channels).batch(pixels, np.arange(n))


def _view(batch: torch.Tensor, seed: int = 0, **settings: float) -> torch.Tensor:
    image = Image(size=batch.shape[-1], channels=batch.shape[1], **{"flip": True, **settings})
    return image.view(batch, generator=torch.Generator().manual_seed(seed))


def test_a_batch_runs_from_minus_one_to_one() -> None:
    pixels = np.array([0, 255], np.uint8).reshape(1, 1, 1, 2)
    assert Image(size=2, channels=1).batch(pixels, np.array([0])).flatten().tolist() == [-1.0, 1.0]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("settings", [{}, {"crop": 1.0}, {"colour": 0.0}, {"flip": False}, {"turn": 30.0}])
def test_a_view_keeps_the_shape_is_finite_and_comes_back_from_its_seed(
    channels: int, settings: dict[str, float]
) -> None:
    batch = _images(channels=channels)
    seen = _view(batch, **settings)
    assert seen.shape == batch.shape
    assert seen.isfinite().all()
    assert torch.equal(seen, _view(batch, **settings))
    assert not torch.equal(seen, _view(batch, seed=1, **settings))


def test_a_view_with_nothing_to_change_is_the_image() -> None:
    batch = _images()
    torch.testing.assert_close(_view(batch, crop=1.0, colour=0.0, flip=False), batch, atol=4e-3, rtol=0)


def test_a_flip_mirrors_and_half_of_the_views_are_flipped() -> None:
    ramp = torch.linspace(-1, 1, 20).expand(400, 1, 20, 20)
    seen = _view(ramp, crop=1.0, colour=0.0)
    falling = seen[:, 0, 10, 0] > seen[:, 0, 10, -1]
    assert 0.4 < float(falling.float().mean()) < 0.6


def test_grey_stays_grey_whatever_the_colour_changes() -> None:
    grey = _images(channels=1).expand(-1, 3, -1, -1).contiguous()
    seen = _view(grey, colour=1.0)
    torch.testing.assert_close(seen[:, 0], seen[:, 1], atol=5e-3, rtol=0)


def test_a_view_changes_nothing_it_was_given() -> None:
    batch = _images()
    before = batch.clone()
    _view(batch)
    assert torch.equal(batch, before)


def test_a_view_of_each_of_many_small_images_takes_a_fraction_of_a_second() -> None:
    batch = _images(512, size=32)
    _view(batch)
    began = time.process_time()
    _view(batch)
    assert 512 / (time.process_time() - began) > 10_000  # views a second and processor; one at a time gives 800


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(32, 32), (7, 12)])
def test_compiled_views_equal_a_grid_of_places_and_a_colour_matrix(channels: int, shape: tuple[int, int]) -> None:
    images = torch.rand(5, channels, *shape) * 2 - 1
    settings = {"channels": channels, "crop": 0.3, "colour": 0.5, "flip": True, "turn": 0.0}
    drawn = draw_changes(5, **settings, generator=torch.Generator().manual_seed(0), device=images.device)
    affine = drawn.affine.double()  # doubles are rendered by the grid
    wide = Changes(affine, *(part.double() for part in drawn[1:]))
    torch.testing.assert_close(render(images, drawn).double(), render(images.double(), wide), atol=1e-4, rtol=0)
    grid = F.affine_grid(affine, list(images.shape), align_corners=False)
    seen = F.grid_sample(images.double(), grid, padding_mode="reflection", align_corners=False)
    shift = (seen.mean((1, 2, 3)) * (1 - drawn.contrast) + drawn.brightness)[:, None, None, None]
    expected = torch.einsum("bck,bkhw->bchw", wide.colours, seen) + shift
    torch.testing.assert_close(render(images, drawn).double(), expected, atol=1e-4, rtol=0)


def test_views_do_not_depend_on_the_number_of_threads() -> None:
    images, before = torch.rand(300, 3, 40, 40), torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        shared = _view(images)
        torch.set_num_threads(1)
        assert torch.equal(shared, _view(images))
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("size", [8, 12, 28, 31, 64])
@pytest.mark.parametrize("channels", [1, 3])
def test_tokens_make_the_images_again(size: int, channels: int) -> None:
    image, batch = Image(size=size, channels=channels), _images(size=size, channels=channels)
    tokens = image.tokens(batch)
    assert torch.equal(image.from_tokens(tokens, like=batch), batch)
    assert tokens.values.shape[2] == image.token_kind.width
    assert tokens.step**2 == tokens.values.shape[1] <= 100


def test_tokens_stand_row_by_row_at_their_places() -> None:
    image = Image(size=8, channels=1)
    batch = torch.arange(64).float().view(1, 1, 8, 8)
    tokens = image.tokens(batch)
    assert tokens.values[0, 5].tolist() == [18, 19, 26, 27]
    assert tokens.places[0, 5].tolist() == [1, 1]


def test_the_raw_vector_of_a_large_image_is_that_of_32_pixels_a_side() -> None:
    assert Image(size=64, channels=3).flat(_images(2, size=64)).shape == (2, 3 * 32 * 32)


def test_digits_are_not_mirrored_and_symmetric_pictures_are() -> None:
    digits = (load_digits().images * (255 / 16)).astype(np.uint8)[:, None]
    both = np.concatenate([digits, digits[..., ::-1]])
    assert not Image(size=8, channels=1).adapt(digits).flip
    assert Image(size=8, channels=1).adapt(both).flip
