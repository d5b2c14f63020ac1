"""Positions in the plane for the rows of a graph: the map that a report draws.

A force layout in the manner of LargeVis (Tang et al., arXiv 1602.00370) and UMAP (McInnes et al., arXiv 1802.03426):
two rows that share an edge attract each other, a row and a few rows drawn at random repel each other. It starts from
the principal components of the vectors, which keeps the large distances of the map meaningful (Kobak and Linderman,
Nature Biotechnology 39, 2021). Cost: epochs x edges x (1 + NEGATIVES) updates on one core, and no memory beyond the
graph and the positions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit
from scipy.sparse import csr_array
from sklearn.decomposition import PCA

from handful.errors import check_at_least

if TYPE_CHECKING:
    from handful.graph.graph import Graph

# Similarity in the map is 1 / (1 + CURVE * distance^2): UMAP's curve for min_dist=0.1 has this factor and the exponent
# 0.895; with the exponent 1 no power is taken in the inner loop, and dense clusters spread out more.
CURVE = 1.577
# Measured on 70,000 Fashion-MNIST images (share of a row's edges that end in the nearest 1 % of the map, and accuracy
# of its 10 nearest in the map): 5 negatives .913, .776; 8 .916, .791; UMAP .896, .789.
NEGATIVES = 8
EXTENT = 10.0  # half the width of the start, as in UMAP: the step sizes below are in these units
EPOCHS = 200  # more hardly gain neighbours (digits .627 at 150, .640 at 500) and drive groups apart into an empty map
EPOCH_BUDGET = 14_000_000  # rows x epochs: above 70,000 rows fewer epochs


def layout(graph: Graph, *, seed: int = 0, epochs: int | None = None) -> np.ndarray:
    """Return positions [N, 2] float32 in which rows that are neighbours in the graph lie near each other.

    epochs: None takes EPOCHS, and fewer above 70,000 rows, never below 50.

    The same graph, seed and epochs give the same positions. A row without an edge stays near where the principal
    components put it. Raises InputError where epochs is below 1.
    """
    rows = graph.weights.shape[0]
    if epochs is None:
        epochs = int(np.clip(EPOCH_BUDGET // max(rows, 1), 50, EPOCHS))
    check_at_least("epochs", epochs, 1)
    positions = _start(graph, np.random.default_rng(seed))
    weights = local_weights(graph.weights)
    _move(positions, weights.indptr, weights.indices, weights.data, epochs, seed)
    return _turn(positions)


def local_weights(weights: csr_array) -> csr_array:
    """Return symmetric weights in [0, 1] in which every row's nearest neighbour weighs 1.

    A row in a thin region is then held as firmly as one in a dense region. The two directions of an edge are joined
    by the probabilistic sum a + b - ab, as in UMAP.
    """
    weights = csr_array(weights.astype(np.float32))
    largest = weights.max(axis=1).toarray().ravel()
    scale = np.divide(1.0, largest, out=np.zeros_like(largest), where=largest > 0)
    data = weights.data * np.repeat(scale, np.diff(weights.indptr))
    share = csr_array((data, weights.indices, weights.indptr), shape=weights.shape)
    joined = csr_array(share + share.T - share * share.T)
    joined.sort_indices()  # the updates follow this order, so the result must not depend on scipy's
    return joined


def _start(graph: Graph, random: np.random.Generator) -> np.ndarray:
    """Return first positions [N, 2] float32 within EXTENT, with a little noise to part duplicates."""
    if graph.vectors is None:
        first = _smooth_noise(graph.weights, random)
    else:
        first = _components(graph.vectors, random)
    first = first * (EXTENT / (float(np.abs(first).max(initial=0.0)) or 1.0))
    return (first + random.normal(scale=1e-3, size=first.shape)).astype(np.float32)


def _components(vectors: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return the first two principal components [N, 2] of vectors [N, D], zero where there is none."""
    positions = np.zeros((len(vectors), 2))
    kept = min(2, *vectors.shape)
    if np.ptp(vectors, axis=0).any():  # equal vectors have no variance to explain
        pca = PCA(kept, random_state=int(random.integers(2**31)))
        positions[:, :kept] = pca.fit_transform(vectors.astype(np.float32, copy=False))
    return positions


def _smooth_noise(weights: csr_array, random: np.random.Generator, steps: int = 50) -> np.ndarray:
    """Return noise [N, 2] averaged over neighbours `steps` times: an approximate spectral embedding."""
    degrees = np.maximum(np.asarray(weights.sum(axis=1)).ravel(), np.finfo(np.float32).tiny)[:, None]
    positions = random.normal(size=(weights.shape[0], 2))
    for _ in range(steps):
        positions = (positions + weights @ positions / degrees) / 2
        positions = np.linalg.qr(positions - positions.mean(axis=0))[0]
    return positions


def _turn(positions: np.ndarray) -> np.ndarray:
    """Return positions [N, 2] centred, with the longer of their axes across, the heavier side right and up."""
    centred = positions - positions.mean(axis=0)
    axes = np.linalg.eigh(centred.T @ centred)[1][:, ::-1]
    turned = centred @ axes
    return turned * np.where((turned**3).sum(axis=0) < 0, -1, 1).astype(np.float32)


@njit(cache=True, fastmath=True, nogil=True)
def _move(positions, indptr, indices, weights, epochs, seed):  # type: ignore[no-untyped-def]
    """Move positions [N, 2] in place: `epochs` passes over the edges with a step size that falls to zero.

    An edge of weight w is visited in a share w of the epochs, at even intervals from a phase of its own. Random rows
    come from xorshift64 (Marsaglia, Journal of Statistical Software 8, 2003).
    """
    rows = len(positions)
    state = np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x2545F4914F6CDD1D)
    golden, one, two = np.float32(0.618034), np.float32(1), np.float32(2)
    curve, near, limit = np.float32(CURVE), np.float32(0.001), np.float32(4)
    for epoch in range(epochs):
        step = np.float32(1 - epoch / epochs)
        for row in range(rows):
            x, y = positions[row, 0], positions[row, 1]
            for edge in range(indptr[row], indptr[row + 1]):
                phase = np.float32(edge % 1024) * golden
                phase -= np.floor(phase)
                if np.floor(weights[edge] * (epoch + 1) + phase) <= np.floor(weights[edge] * epoch + phase):
                    continue
                other = indices[edge]
                gap_x, gap_y = x - positions[other, 0], y - positions[other, 1]
                pull = -two * curve / (one + curve * (gap_x * gap_x + gap_y * gap_y))
                move_x = step * min(max(pull * gap_x, -limit), limit)
                move_y = step * min(max(pull * gap_y, -limit), limit)
                x += move_x
                y += move_y
                positions[other, 0] -= move_x
                positions[other, 1] -= move_y
                for _ in range(NEGATIVES):
                    state ^= state << np.uint64(13)
                    state ^= state >> np.uint64(7)
                    state ^= state << np.uint64(17)
                    other = np.int64((state >> np.uint64(32)) * np.uint64(rows) >> np.uint64(32))
                    if other == row:
                        continue
                    gap_x, gap_y = x - positions[other, 0], y - positions[other, 1]
                    square = gap_x * gap_x + gap_y * gap_y
                    push = two / ((near + square) * (one + curve * square))
                    x += step * min(max(push * gap_x, -limit), limit)
                    y += step * min(max(push * gap_y, -limit), limit)
            positions[row, 0], positions[row, 1] = x, y
