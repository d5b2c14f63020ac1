"""lightly and kornia, imported beside a torchvision whose compiled part does not load: its operators are declared, and
none of them is called here.

    pip install --no-deps --target PEERS lightly lightly-utils lightning-utilities pytorch-lightning torchmetrics \
        hydra-core omegaconf aenum torchvision kornia kornia_rs
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image as Pillow

DECLARED = ("nms", "qnms")
Pairs = Callable[[np.ndarray], tuple[torch.Tensor, torch.Tensor]]  # [B, C, H, W] uint8 -> two views, 0 to 1
_libraries: list[torch.library.Library] = []  # an operator is forgotten with the library that declared it


def find_peers(folder: Path) -> None:
    """Make lightly and kornia in `folder` importable."""
    warnings.simplefilter("ignore")
    sys.path.append(str(folder))
    with contextlib.suppress(ImportError, RuntimeError):
        import torchvision.ops  # noqa: F401  one that loads is taken as it is

        return
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "DEF")
    for name in DECLARED:
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _libraries.append(library)


def lightly_pairs(size: int, *, blur: float, strength: float = 0.5, least_crop: float = 0.08) -> Pairs:
    """Return lightly's transform of SimCLR on Pillow images, one after the other as its loader does in a process."""
    from lightly.transforms import SimCLRTransform

    transform = SimCLRTransform(
        input_size=size, gaussian_blur=blur, cj_strength=strength, min_scale=least_crop, normalize=None
    )

    def pairs(pixels: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        views = [transform(picture) for picture in as_pictures(pixels)]
        return torch.stack([view[0] for view in views]), torch.stack([view[1] for view in views])

    return pairs


def kornia_pairs(size: int, *, blur: float, strength: float = 0.5, least_crop: float = 0.08) -> Pairs:
    """Return the same changes as a batch with kornia."""
    from kornia import augmentation as k

    jitter = [0.8 * strength] * 3
    changes: list[Any] = [
        k.RandomResizedCrop((size, size), scale=(least_crop, 1.0)),
        k.RandomHorizontalFlip(),
        k.ColorJitter(*jitter, 0.2 * strength, p=0.8),
        k.RandomGrayscale(p=0.2),
    ]
    if blur:
        changes.append(k.RandomGaussianBlur((3, 3) if size < 64 else (23, 23), (0.1, 2.0), p=blur))
    transform = torch.nn.Sequential(*changes)

    def pairs(pixels: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        batch = torch.from_numpy(pixels).float() / 255
        batch = batch.expand(-1, 3, -1, -1).contiguous()
        return transform(batch), transform(batch)

    return pairs


def nt_xent_loss(temperature: float) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Return lightly's loss of SimCLR."""
    from lightly.loss import NTXentLoss

    return NTXentLoss(temperature=temperature)


def as_pictures(pixels: np.ndarray) -> Sequence[Pillow.Image]:
    """Return images [B, C, H, W] as Pillow images, grey ones as such."""
    return [Pillow.fromarray(one[0] if len(one) == 1 else np.moveaxis(one, 0, -1).copy()) for one in pixels]
