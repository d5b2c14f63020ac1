"""Random convolution kernels and cepstral statistics: the encoders of sequences that need no training."""

from __future__ import annotations

import numpy as np
import torch
from scipy.fft import dct

from handful.encoders.kernels import RandomKernels
from handful.encoders.sound import CepstralStatistics


def _batch(lengths: list[int], channels: int = 2) -> dict[str, torch.Tensor]:
    present = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
    values = torch.randn(len(lengths), channels, max(lengths), generator=torch.Generator().manual_seed(0))
    return {"values": values * present[:, None], "present": present}


def test_kernels_equal_a_slow_convolution() -> None:
    kernels, batch = RandomKernels(2, steps=40, count=12), _batch([40])
    made = kernels(batch).pooled[0]
    series = batch["values"][0].double().numpy()
    slow_shares, slow_largest = [], []
    for dilation, rows in kernels.groups:
        for row in rows.tolist():
            answer = np.zeros(40)
            for channel, weights in zip(kernels.read[row], kernels.weights[row].double(), strict=True):
                for tap, weight in enumerate(weights.tolist()):
                    at = np.arange(40) + dilation * tap - dilation * 8 // 2
                    inside = (at >= 0) & (at < 40)
                    answer[inside] += weight * series[channel][at[inside]]
            answer -= float(kernels.thresholds[row])
            slow_shares.append((answer > 0).mean())
            slow_largest.append(answer.max())
    assert np.allclose(made[:12], slow_shares)
    assert np.allclose(made[12:], slow_largest, atol=1e-4)


def test_kernels_of_a_sample_do_not_depend_on_its_batch() -> None:
    kernels, batch = RandomKernels(2, steps=30, count=64), _batch([30, 12])
    alone = kernels({name: part[1:, ..., :12] for name, part in batch.items()})
    assert torch.allclose(alone.pooled[0], kernels(batch).pooled[1], atol=1e-5)


def test_the_same_seed_draws_the_same_kernels_and_short_series_are_read() -> None:
    batch = _batch([3, 2], channels=1)
    first, second = (RandomKernels(1, steps=3, count=16)(batch).pooled for _ in range(2))
    assert torch.equal(first, second)
    assert first.isfinite().all()
    assert not torch.equal(first, RandomKernels(1, steps=3, count=16, seed=1)(batch).pooled)


def test_cepstra_are_the_cosine_transform_and_their_moments() -> None:
    batch = _batch([25, 10], channels=16)
    made = CepstralStatistics(16, count=6)(batch)
    frames = batch["values"][1, :, :10].T.numpy()
    cepstra = dct(frames, axis=1)[:, :6] / np.sqrt(2 * 16)
    assert np.allclose(made.features[1, :10], cepstra, atol=1e-5)
    change = (cepstra[2:] - cepstra[:-2]) / 2
    moments = np.concatenate([cepstra.mean(0), cepstra.std(0), change.mean(0), change.std(0)])
    assert np.allclose(made.pooled[1], moments, atol=1e-4)
