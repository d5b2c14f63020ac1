"""Exact nearest rows on a GPU, where torch is loaded already and sees one."""

from __future__ import annotations

import sys

import numpy as np

_ENTRIES = 2**28  # of the block of products held at a time


def gpu_at_hand() -> bool:
    """Tell whether torch is loaded and has a CUDA device; torch is not loaded for the question."""
    torch = sys.modules.get("torch")
    return torch is not None and torch.cuda.is_available()


def nearest_candidates(points: np.ndarray, scale: np.ndarray, count: int, *, device: str = "cuda") -> np.ndarray:
    """Return [N, count] int32, the nearest other rows of each row of `points` [N, D] times `scale` [N], by products.

    They are near enough to the true order to be ranked again by direct differences.
    """
    import torch

    rows = (
        torch.from_numpy(np.require(points, requirements=["C", "W"])).to(device)
        * torch.from_numpy(scale).to(device)[:, None]
    )
    rows = rows - rows.mean(dim=0)
    halves = 0.5 * (rows * rows).sum(dim=1)
    block = max(1, _ENTRIES // len(rows))
    found = []
    for start in range(0, len(rows), block):
        keys = halves - rows[start : start + block] @ rows.T  # [B, N]
        own = torch.arange(len(keys), device=device)
        keys[own, start + own] = torch.inf
        found.append(keys.topk(count, dim=1, largest=False).indices.to(torch.int32).cpu())
    return torch.cat(found).numpy()
