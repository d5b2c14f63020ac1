"""Every pixel's class from a few labelled pixels: a graph over the places of all images, and labels spread on it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from handful.data import Dataset
from handful.encoders import ConvolutionalEncoder
from handful.errors import InputError
from handful.graph import knn_graph
from handful.propagation import propagate
from handful.training.embed import batches_of, device_of, to_device
from handful.training.encoder import Encoder, find_encoder

ABSENT = -1
Features = Callable[[torch.Tensor], torch.Tensor]  # images [B, C, H, W] -> maps [B, D, h, w]


@dataclass(frozen=True)
class Segmentation:
    """classes: [K]; labels: [N, H, W] int64, an index into `classes`, -1 where no label reaches; confidence: [N, H, W].

    notes: what was met on the way, in sentences.
    """

    classes: np.ndarray
    labels: np.ndarray
    confidence: np.ndarray
    notes: tuple[str, ...] = ()

    def overlap(self, truth: np.ndarray) -> dict[Any, float]:
        """Return the intersection over union of each class with the true class indices [N, H, W] (-1: not judged)."""
        judged = truth != ABSENT
        found = {}
        for k, name in enumerate(self.classes.tolist()):
            both, either = (self.labels == k) & (truth == k), (self.labels == k) | (truth == k)
            found[name] = float((both & judged).sum() / max((either & judged).sum(), 1))
        return found


def segment(
    encoder: Encoder | Features | Any,
    data: Dataset,
    scribbles: np.ndarray,
    *,
    rule: str = "spreading",
    n_neighbors: int = 10,
    place: float = 0.5,
    colour: float = 1.0,
    seed: int = 0,
) -> Segmentation:
    """Return a class for every pixel of every image from a few labelled ones.

    encoder: an image encoder, a run or a folder of either, or a function from images to maps of features; its maps are
    read at half the resolution of the images. scribbles: [N, H, W] class numbers from 0, -1 where nothing is said.
    place, colour: how much where a pixel is and what colour it has count beside the features.
    Raises InputError where scribbles have another shape, or name fewer than two classes.
    """
    if not callable(encoder):
        encoder = find_encoder(encoder)
    scribbles = np.asarray(scribbles)
    first = data.samples[np.array([0])]
    if scribbles.shape != (len(data), *first.shape[2:]):
        raise InputError(f"scribbles are [N, H, W] = {(len(data), *first.shape[2:])} numbers, got {scribbles.shape}.")
    classes = np.unique(scribbles[scribbles != ABSENT])
    if len(classes) < 2:
        raise InputError(f"scribbles name {len(classes)} classes: mark pixels of at least 2.")
    maps = place_vectors(encoder, data, place=place, colour=colour)  # [N, h, w, D]
    codes = np.where(scribbles == ABSENT, ABSENT, np.searchsorted(classes, scribbles))
    given = _shrink(codes, len(classes), maps.shape[1:3])
    graph = knn_graph(maps.reshape(-1, maps.shape[-1]), n_neighbors=n_neighbors, seed=seed)
    answer = propagate(graph, given.ravel(), rule, seed=seed)
    probabilities = answer.probabilities.reshape(*given.shape, len(answer.classes))
    return _enlarge(probabilities, answer.reached.reshape(given.shape), codes, classes, answer.notes)


@torch.inference_mode()
def place_vectors(encoder: Encoder | Features, data: Dataset, *, place: float, colour: float) -> np.ndarray:
    """Return a vector for each cell of two by two pixels [N, h, w, D]: features, colour and place side by side.

    The features of every network and stage are brought to one grid; each block is centred and scaled to a mean
    squared length of 1, then weighed.
    """
    blocks: list[list[torch.Tensor]] = []
    for rows in batches_of(np.arange(len(data)), 64):
        batch = torch.from_numpy(np.ascontiguousarray(data.samples[rows])).float() / 127.5 - 1
        size = (-(-batch.shape[2] // 2), -(-batch.shape[3] // 2))
        found = encoder_maps(encoder, data, rows) if isinstance(encoder, Encoder) else [encoder(batch)]
        resized = [F.interpolate(maps.float().cpu(), size, mode="bilinear", align_corners=False) for maps in found]
        shrunk = F.interpolate(batch, size, mode="area")
        blocks.append([torch.cat(resized, 1), shrunk, _coordinates(size).expand(len(rows), -1, -1, -1)])
    weights = (1.0, colour, place)
    weighed = [
        weight * _even(torch.cat(block)) for weight, block in zip(weights, zip(*blocks, strict=True), strict=True)
    ]
    return (
        torch.cat([block for block, weight in zip(weighed, weights, strict=True) if weight > 0], 1)
        .permute(0, 2, 3, 1)
        .numpy()
    )


def encoder_maps(encoder: Encoder, data: Dataset, rows: np.ndarray) -> list[torch.Tensor]:
    """Return the maps [B, D, h, w] of every network of an image encoder, of every stage where it has stages."""
    if encoder.modality.name != "image":
        raise InputError(f"segments are parts of images, the encoder reads {encoder.modality.name}.")
    encoder.check_reads(data)
    found: list[torch.Tensor] = []
    for network in encoder.networks.values():
        device = device_of(network)
        batch: Any = to_device(encoder.modality.batch(data.samples, rows), device)
        backbone: Any = getattr(network, "backbone", network)
        if isinstance(backbone, ConvolutionalEncoder):
            found += [F.normalize(maps.float(), dim=1) for maps in backbone.maps(batch)]
            continue
        features = backbone(batch).features  # [B, L, D]
        side = math.isqrt(features.shape[1])
        if side > 1 and side * side == features.shape[1]:
            found.append(F.normalize(features.float(), dim=2).transpose(1, 2).unflatten(2, (side, side)))
    if not found:
        raise InputError(f"no network of {', '.join(encoder.networks)} tells places apart: pretrain with 'simclr'.")
    return found


def _coordinates(size: tuple[int, int]) -> torch.Tensor:
    """Return the row and column of each cell, [1, 2, h, w] from -1 to 1."""
    down, across = (torch.linspace(-1, 1, length) for length in size)
    return torch.stack(torch.meshgrid(down, across, indexing="ij"))[None]


def _even(maps: torch.Tensor) -> torch.Tensor:
    """Return maps [N, D, h, w] centred and scaled to a mean squared length of 1."""
    centred = maps - maps.mean((0, 2, 3), keepdim=True)
    return centred / centred.square().sum(1).mean().sqrt().clamp(min=1e-12)


def _shrink(codes: np.ndarray, n_classes: int, size: tuple[int, int]) -> np.ndarray:
    """Return the class [N, h, w] most pixels of a cell are marked with, -1 where none is."""
    height, width = size
    padded = np.full((len(codes), 2 * height, 2 * width), ABSENT)
    padded[:, : codes.shape[1], : codes.shape[2]] = codes
    cells = padded.reshape(len(codes), height, 2, width, 2)
    votes = np.stack([(cells == k).sum((2, 4)) for k in range(n_classes)])
    return np.where(votes.any(0), votes.argmax(0), ABSENT)


def _enlarge(
    probabilities: np.ndarray, reached: np.ndarray, codes: np.ndarray, classes: np.ndarray, notes: Any
) -> Segmentation:
    """Return the class of each pixel from those of the cells; what was marked stays as it was marked."""
    size = codes.shape[1:]
    coarse = torch.from_numpy(np.nan_to_num(probabilities)).float().permute(0, 3, 1, 2)
    fine = F.interpolate(coarse, size, mode="bilinear", align_corners=False).numpy()
    covered = F.interpolate(torch.from_numpy(reached).float()[:, None], size, mode="nearest")[:, 0].numpy() > 0
    labels = np.where(covered, fine.argmax(1), ABSENT)
    confidence = np.where(covered, fine.max(1) / np.maximum(fine.sum(1), 1e-12), 0.0)
    marked = codes != ABSENT
    return Segmentation(
        classes, np.where(marked, codes, labels), np.where(marked, 1.0, confidence).astype(np.float32), tuple(notes)
    )
