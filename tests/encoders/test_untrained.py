"""The floors: what they see and what they do not."""

from __future__ import annotations

import torch

from handful.encoders.untrained import GradientHistograms, RawInput


def _grating(angle: float, size: int = 16) -> torch.Tensor:
    across, down = torch.meshgrid(torch.arange(size).float(), torch.arange(size).float(), indexing="xy")
    wave = torch.sin(0.8 * (across * torch.cos(torch.tensor(angle)) + down * torch.sin(torch.tensor(angle))))
    return wave.expand(1, 1, size, size)


def test_the_direction_of_a_grating_fills_its_own_bin() -> None:
    network = GradientHistograms(window=8, orientations=8)
    for bin_ in range(8):
        share = network(_grating(bin_ * torch.pi / 8)).features.mean(1)[0]
        assert int(share.argmax()) == bin_


def test_directions_are_unsigned_and_brightness_does_not_count() -> None:
    network, image = GradientHistograms(window=8), torch.randn(2, 3, 16, 16)
    torch.testing.assert_close(network(-image), network(image))
    torch.testing.assert_close(network(image + 2).pooled, network(image).pooled, atol=1e-3, rtol=1e-3)


def test_a_flat_image_has_no_gradient_and_is_finite() -> None:
    assert GradientHistograms(window=4)(torch.ones(2, 1, 8, 8)).pooled.abs().sum() == 0


def test_small_images_still_have_one_window() -> None:
    assert GradientHistograms(window=8)(torch.randn(2, 1, 5, 5)).pooled.shape == (2, 8)


def test_raw_input_is_the_flattened_batch() -> None:
    images = torch.randn(3, 1, 4, 4)
    assert torch.equal(RawInput(lambda batch: batch.flatten(1))(images).pooled, images.flatten(1))
