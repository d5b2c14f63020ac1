"""Random convolution kernels and cepstral statistics: the encoders of sequences that need no training."""

from __future__ import annotations

import numpy as np
import torch
from scipy.fft import dct

from handful.encoders.kernels import RandomKernels
from handful.encoders.quantile_kernels import QuantileKernels
from handful.encoders.saving import build, describe
from handful.encoders.sound import CepstralCourse, CepstralStatistics, trimmed


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


def test_quantile_kernels_equal_a_slow_convolution() -> None:
    batch = _batch([40, 40], channels=3)
    kernels = QuantileKernels(3, steps=40, count=200).fit([batch])
    made, at = kernels(batch).pooled[0], 0
    series = batch["values"][0].double().numpy()
    for dilation, read, thresholds in zip(kernels.dilations.tolist(), kernels.read, kernels.thresholds, strict=True):
        answers = np.zeros((84, 40))
        for tap, weights in enumerate(kernels.kernels.T.double().numpy()):
            moved = np.arange(40) + dilation * tap - dilation * 8 // 2
            inside = (moved >= 0) & (moved < 40)
            answers[:, inside] += weights[:, None] * (read.double().numpy() @ series[:, moved[inside]])
        for threshold in thresholds.T.double().numpy():
            assert np.abs((answers > threshold[:, None]).mean(1) - made[at : at + 84].numpy()).max() <= 1 / 40 + 1e-6
            at += 84
    assert at == len(made)


def test_thresholds_are_quantiles_of_what_the_kernels_answer() -> None:
    batch = _batch([60, 50, 40, 60])
    made = QuantileKernels(2, steps=60, count=840).fit([batch])(batch).pooled
    assert abs(float(made.mean()) - 0.5) < 0.05
    assert made.min() >= 0
    assert made.max() <= 1


def test_quantile_kernels_do_not_depend_on_the_batch_and_are_built_again() -> None:
    batch = _batch([30, 12])
    kernels = QuantileKernels(2, steps=30, count=168).fit([batch])
    alone = kernels({name: part[1:, ..., :12] for name, part in batch.items()})
    assert torch.allclose(alone.pooled[0], kernels(batch).pooled[1], atol=1e-5)
    again = build(describe(kernels), cut=None)
    again.load_state_dict(kernels.state_dict())
    assert torch.equal(again(batch).pooled, kernels(batch).pooled)


def test_quiet_ends_of_a_sound_change_nothing() -> None:
    loud = torch.randn(1, 8, 30, generator=torch.Generator().manual_seed(0)) + 5
    whole = {"values": torch.zeros(1, 8, 60), "present": torch.ones(1, 60, dtype=torch.bool)}
    whole["values"][:, :, 20:50] = loud
    heard = trimmed(whole)
    assert int(heard["present"].sum()) == 30
    assert torch.allclose(heard["values"][:, :, :30].mean(2), torch.zeros(1, 8), atol=1e-5)
    assert abs(float(heard["values"][:, :, :30].square().mean()) - 1) < 1e-3
    early = {"values": torch.zeros(1, 8, 45), "present": torch.ones(1, 45, dtype=torch.bool)}
    early["values"][:, :, 5:35] = 3 * loud
    course = CepstralCourse(8, count=5, cells=3)
    assert torch.allclose(course(whole).pooled, course(early).pooled, atol=1e-3)


def test_one_frame_and_even_sounds_are_trimmed_to_something_finite() -> None:
    batch = {"values": torch.ones(2, 8, 5), "present": torch.tensor([[True] * 5, [True] + [False] * 4])}
    assert CepstralCourse(8)(batch).pooled.isfinite().all()
