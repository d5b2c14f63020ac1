"""Random views of images: what is drawn, and rendering it, batched.

A view is one affine resampling (crop, aspect, flip, turn) and one colour matrix (brightness, contrast, saturation,
hue, grey). On a processor both are one compiled pass over the pixels (`image_kernels`), elsewhere two operations.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import torch
from torch.nn import functional as F

from handful.modalities.image_kernels import render_straight

# YIQ: a turn in the plane of the last two axes is a change of hue, a shrinking of them a loss of saturation.
_RGB_TO_YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
_YIQ_TO_RGB = torch.linalg.inv(_RGB_TO_YIQ)
_LEAST_NUMBERS = 1 << 18  # that a thread renders: below it starting one costs more than it gains


class Changes(NamedTuple):
    """What is to be done to each of B images.

    affine [B, 2, 3]: maps the view's plane to the image's, both in [-1, 1]. colours [B, C, C]: multiplies the channels;
    contrast [B]: is in `colours` already, and leaves the mean of the view where it was; brightness [B]: is added.
    """

    affine: torch.Tensor
    colours: torch.Tensor
    contrast: torch.Tensor
    brightness: torch.Tensor


def draw_changes(
    n: int,
    *,
    channels: int,
    crop: float,
    colour: float,
    flip: bool,
    turn: float,
    generator: torch.Generator,
    device: torch.device,
) -> Changes:
    """Return random changes of n images; the settings are those of `Image`."""
    affine = _draw_affine(torch.rand(6, n, generator=generator, device=device), crop=crop, flip=flip, turn=turn)
    draw = torch.rand(6, n, generator=generator, device=device)
    spread = draw[:4] * 2 - 1
    contrast, brightness = 1 + 0.8 * colour * spread[0], 0.8 * colour * spread[1]
    if channels == 1:
        return Changes(affine, contrast.view(-1, 1, 1), contrast, brightness)
    saturation = (1 + 0.8 * colour * spread[2]) * (draw[4] >= 0.4 * colour)  # grey one time in five at 0.5
    matrix = _hue_matrix(spread[3] * 0.2 * colour * 2 * math.pi, saturation)
    return Changes(affine, matrix * contrast.view(-1, 1, 1), contrast, brightness)


def render(images: torch.Tensor, changes: Changes) -> torch.Tensor:
    """Return the views [B, C, H, W] of images of that shape, bilinear, mirrored at the border."""
    straight = images.device.type == "cpu" and not changes.affine[:, 0, 1].any()
    if straight and images.dtype == torch.float32 and min(images.shape[2:]) > 1:
        return _render_compiled(images.contiguous(), changes)
    seen = F.grid_sample(
        images, _grid(changes.affine, images), mode="bilinear", padding_mode="reflection", align_corners=False
    )
    shift = seen.mean((1, 2, 3)) * (1 - changes.contrast) + changes.brightness
    if changes.colours.shape[1] == 1:
        return changes.colours[..., None] * seen + shift.view(-1, 1, 1, 1)
    return torch.baddbmm(shift.view(-1, 1, 1), changes.colours, seen.flatten(2)).view_as(images)


def _render_compiled(images: torch.Tensor, changes: Changes) -> torch.Tensor:
    """Return the views of images that are not turned, in as many threads as torch uses."""
    views = torch.empty_like(images)
    scale = changes.affine[:, [0, 1], [0, 1]]
    given = [images, scale, changes.affine[:, :, 2], changes.colours, changes.contrast, changes.brightness, views]
    arrays = [tensor.detach().contiguous().numpy() for tensor in given]
    parts = max(1, min(torch.get_num_threads(), len(images), images.numel() // _LEAST_NUMBERS))
    if parts == 1:
        render_straight(*arrays)
        return views
    bounds = [len(images) * part // parts for part in range(parts + 1)]
    with ThreadPoolExecutor(parts) as pool:
        list(pool.map(lambda a, b: render_straight(*(array[a:b] for array in arrays)), bounds, bounds[1:]))
    return views


def _draw_affine(draw: torch.Tensor, *, crop: float, flip: bool, turn: float) -> torch.Tensor:
    """Return the affine maps [B, 2, 3] that numbers [6, B] of 0 to 1 stand for."""
    area, ratio, across, down, mirror, angle = draw
    area = crop + (1 - crop) * area
    furthest = (-area.log()).clamp_(max=math.log(4 / 3))  # a crop of nearly all cannot be much wider than high
    ratio = torch.exp((ratio * 2 - 1) * furthest)
    width, height = (area * ratio).sqrt(), (area / ratio).sqrt()
    sign = torch.where(mirror < 0.5, -1.0, 1.0) if flip else torch.ones_like(mirror)
    angle = (angle * 2 - 1) * math.radians(turn)
    cos, sin = angle.cos(), angle.sin()
    first = torch.stack([width * sign * cos, -height * sin, (1 - width) * (across * 2 - 1)], -1)
    second = torch.stack([width * sign * sin, height * cos, (1 - height) * (down * 2 - 1)], -1)
    return torch.stack([first, second], 1)


def _grid(affine: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """Return where each pixel of a view looks, [B, H, W, 2]: sums of two vectors, a tenth of the time of a product."""
    height, width = images.shape[2:]
    x, y = ((2 * torch.arange(n, device=images.device) + 1) / n - 1 for n in (width, height))
    turned = affine.to(images.dtype)[:, None, None]  # [B, 1, 1, 2, 3]
    return turned[..., 0] * x[:, None] + (turned[..., 1] * y[:, None, None] + turned[..., 2])


def _hue_matrix(angle: torch.Tensor, saturation: torch.Tensor) -> torch.Tensor:
    """Return the RGB matrices [B, 3, 3] that turn the hue by `angle` [B] radians and scale the saturation."""
    turn = torch.zeros(len(angle), 3, 3, device=angle.device)
    turn[:, 0, 0] = 1
    turn[:, 1, 1] = turn[:, 2, 2] = saturation * angle.cos()
    turn[:, 1, 2], turn[:, 2, 1] = -saturation * angle.sin(), saturation * angle.sin()
    return _YIQ_TO_RGB.to(angle.device) @ turn @ _RGB_TO_YIQ.to(angle.device)
