"""Series and sounds as batches: views, parts, floors, drawings."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from toy import as_dataset, toy_series, toy_sounds

from handful.encoders.sound import mean_in_cells
from handful.modalities.audio import Audio, centred, share_within
from handful.modalities.audio_mel import count_frames, frame_sizes, log_mel, mel_filters
from handful.modalities.audio_views import shift_bands
from handful.modalities.registry import make_modality
from handful.modalities.series import Series, draw_series
from handful.modalities.series_batches import cut_stretch, pad_batch, read_whole
from handful.modalities.series_samples import Sequences


def _seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _adapted(data) -> Series | Audio:
    return make_modality(data.modality, data.settings).adapt(data.samples)  # type: ignore[attr-defined]


@pytest.mark.parametrize("toy", [toy_series, toy_sounds])
def test_parts_make_the_batch_again(toy) -> None:
    data = toy(8)
    modality = _adapted(data)
    batch = modality.batch(data.samples, np.arange(8))
    tokens = modality.tokens(batch)
    again = modality.from_tokens(tokens, like=batch)
    assert torch.equal(again["values"], batch["values"])
    steps = tokens.values.shape[2] // batch["values"].shape[1]
    assert tokens.present.sum(1).tolist() == (-(-batch["present"].sum(1) // steps)).tolist()


@pytest.mark.parametrize("toy", [toy_series, toy_sounds])
def test_views_keep_the_shape_differ_and_fill_up_with_zeros(toy) -> None:
    data = toy(16)
    modality = _adapted(data)
    batch = modality.batch(data.samples, np.arange(16))
    first, second = (modality.view(batch, generator=_seeded(seed)) for seed in (0, 1))
    assert first["values"].shape == second["values"].shape == batch["values"].shape
    assert not torch.equal(first["values"], second["values"])
    assert torch.equal(first["values"], modality.view(batch, generator=_seeded(0))["values"])
    assert not first["values"].masked_select(~first["present"][:, None]).any()
    assert first["values"].isfinite().all()
    assert (first["present"].sum(1) >= 1).all()


@pytest.mark.parametrize("toy", [toy_series, toy_sounds])
def test_a_sample_has_one_raw_vector_and_one_floor_whatever_it_is_batched_with(toy) -> None:
    data = toy(6)
    modality = _adapted(data)
    lengths = data.samples.lengths
    shortest = int(np.argmin(lengths))
    batch, alone = (modality.batch(data.samples, rows) for rows in (np.arange(6), np.array([shortest])))
    assert torch.allclose(modality.flat(batch)[shortest], modality.flat(alone)[0], atol=1e-5)
    for floor in modality.floors().values():
        assert torch.allclose(floor(batch).pooled[shortest], floor(alone).pooled[0], atol=1e-4)


def test_values_come_back_in_the_units_of_the_data() -> None:
    steep = (5000 + 3 * np.arange(7)[:, None] * [1, 10]).astype(np.float32)
    data = as_dataset("series", Sequences.pack([steep, np.ones((4, 2), np.float32)]), channels=2)
    modality = _adapted(data)
    batch = modality.batch(data.samples, np.arange(2))
    back = modality.to_values(batch)
    assert np.allclose(back[0], data.samples[0], rtol=1e-4)
    assert len(back[1]) == 4


def test_a_view_without_strength_is_the_sample() -> None:
    data = toy_series(8)
    plain = {"crop": 1.0, "stretch": 0.0, "jitter": 0.0, "scale": 0.0, "mask": 0.0}
    modality = make_modality("series", data.settings, plain).adapt(data.samples)
    batch = modality.batch(data.samples, np.arange(8))
    assert torch.allclose(modality.view(batch, generator=_seeded())["values"], batch["values"], atol=1e-4)


def test_a_stretch_is_read_at_its_tempo() -> None:
    ramp = pad_batch([np.arange(40.0, dtype=np.float32)[:, None]] * 64)
    made = cut_stretch(ramp, crop=0.5, stretch=0.25, generator=_seeded())
    steps = made["present"].sum(1)
    assert steps.min() >= 15
    assert steps.max() <= 40
    for row, count in zip(made["values"][:, 0], steps.tolist(), strict=True):
        pace = row[:count].diff()
        assert torch.allclose(pace, pace[0].expand_as(pace), atol=1e-3)
        assert 0.7 < float(pace[0]) < 1.4


def test_cells_and_even_places_are_those_of_each_sample_alone() -> None:
    batch = pad_batch([np.arange(6, dtype=np.float32)[:, None], np.arange(3, dtype=np.float32)[:, None]])
    assert mean_in_cells(batch["values"], batch["present"], 3)[:, 0].tolist() == [[0.5, 2.5, 4.5], [0, 1, 2]]
    assert read_whole(batch, 3)[:, 0].tolist() == [[0, 2.5, 5], [0, 1, 2]]


def test_log_mel_finds_a_tone_in_its_band_and_its_loudness() -> None:
    rate, bands = 8000, 40
    time = np.arange(rate) / rate
    wave = (8000 * np.sin(2 * np.pi * 1000 * time)).astype(np.int16)
    batch = log_mel([wave, wave[:2000] // 2], rate=rate, bands=bands)
    assert batch["present"].sum(1).tolist() == [count_frames(8000, rate), count_frames(2000, rate)]
    loudest = batch["values"][0, :, 50].argmax()
    size, _ = frame_sizes(rate)
    centre = (torch.linspace(0, rate / 2, size // 2 + 1)[:, None] * mel_filters(rate, size, bands)).sum(0)[loudest]
    assert abs(float(centre) - 1000) < 60
    difference = batch["values"][0, loudest, 5] - batch["values"][1, loudest, 5]
    assert abs(float(difference) - np.log(4)) < 0.01


def test_bands_are_shifted_together() -> None:
    values = torch.zeros(32, 20, 3)
    values[:, 10] = 1
    moved = shift_bands(values, 0.25, generator=_seeded())
    peaks = moved.mean(2).argmax(1)
    assert peaks.min() < 8
    assert peaks.max() > 12
    assert torch.allclose(moved.sum(1), torch.ones(32, 3), atol=1e-5)


def test_a_person_sees_series_and_hears_sounds() -> None:
    data = toy_series(3)
    drawn = make_modality("series", data.settings).show(data.samples, np.array([2, 0]))
    assert len(drawn) == 2
    assert all(snippet.startswith("<svg") and snippet.count("<polyline") == 2 for snippet in drawn)
    sounds = toy_sounds(2)
    heard = make_modality("audio", sounds.settings).show(sounds.samples, np.array([1]))
    assert "<audio controls" in heard[0]
    assert "<svg" in heard[0]
    assert "data:audio/wav;base64,UklGR" in heard[0]


def test_a_flat_series_is_drawn() -> None:
    assert "nan" not in draw_series(np.ones((5, 1), np.float32))


def test_sounds_are_centred_where_they_differ_more_in_time_than_from_one_another() -> None:
    draw = np.random.default_rng(0)
    time = np.arange(2000) / 4000
    rising = [np.sin(2 * np.pi * (100 + 900 * time) * (time + late)) * 8000 for late in draw.uniform(0, 0.1, 24)]
    held = [np.sin(2 * np.pi * pitch * time) * level for pitch, level in draw.uniform(0.02, 1, (24, 2)) * [1500, 8000]]
    sounds, steady = (
        as_dataset("audio", Sequences.pack([one.astype(np.int16)[:, None] for one in waves]), rate=4000, bands=16)
        for waves in (rising, held)
    )
    sweeps, still = (make_modality("audio", data.settings).adapt(data.samples) for data in (sounds, steady))  # type: ignore[attr-defined]
    assert (sweeps.centre, still.centre) == (True, False)
    batch = sweeps.batch(sounds.samples, np.arange(24))
    means = batch["values"].sum(2) / batch["present"].sum(1)[:, None]
    assert float(means.std(0).max()) < 1e-3


def test_the_share_of_variance_within_is_that_of_its_definition() -> None:
    batch = pad_batch([np.array([[0.0], [2.0]], np.float32), np.array([[10.0], [12.0], [14.0]], np.float32)])
    within, between = (1 + 8 / 3) / 2, np.var([1.0, 12.0])
    assert abs(share_within(batch) - within / (within + between)) < 1e-6
    assert centred(batch)["values"][1, 0].tolist() == [-2, 0, 2]
