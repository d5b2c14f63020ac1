"""The next values of series."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from toy import as_dataset, toy_sounds

import handful
from handful.cli import main
from handful.data import Dataset
from handful.errors import InputError
from handful.modalities.series_samples import Sequences
from handful.tasks.forecast import continue_linearly, find_forecaster, find_last, roll_out
from handful.training import Encoder

AHEAD = 12


def sines(n: int, *, steps: int, seed: int) -> list[np.ndarray]:
    """Return waves of a period of 24 steps at a random phase, around 100 and of a size of 10."""
    phase = np.random.default_rng(seed).uniform(0, 24, n)
    return [
        (100 + 10 * np.sin((np.arange(steps) + start) * 2 * np.pi / 24))[:, None].astype(np.float32) for start in phase
    ]


def as_series(series: list[np.ndarray]) -> Dataset:
    return as_dataset("series", Sequences.pack(series), channels=1)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    data = as_series(sines(256, steps=96, seed=0))
    return handful.pretrain(data, "forecast", epochs=20, batch_size=32, learning_rate=2e-3, precision="no")


def test_a_forecast_is_nearer_than_the_last_value_and_its_interval_holds(encoder: Encoder) -> None:
    whole = sines(64, steps=96 + AHEAD, seed=1)
    seen, known = as_series([one[:96] for one in whole]), as_series(sines(64, steps=96, seed=2))
    found = handful.forecast(encoder, seen, steps=AHEAD, known=known)
    truth = np.stack([one[96:] for one in whole])
    assert found.values.shape == (64, AHEAD, 1)
    assert np.abs(found.values - truth).mean() < 0.35 * np.abs(np.stack([one[95:96] for one in whole]) - truth).mean()
    assert np.mean((truth >= found.low) & (truth <= found.high)) > 0.8
    assert found.notes == ()


def test_a_forecast_does_not_depend_on_what_it_is_made_beside(encoder: Encoder) -> None:
    series = [*sines(2, steps=96, seed=3), *sines(1, steps=50, seed=4)]
    together = roll_out(encoder, find_forecaster(encoder), series, 8)
    alone = np.concatenate([roll_out(encoder, find_forecaster(encoder), [one], 8) for one in series])
    assert np.allclose(together, alone, atol=1e-3)


def test_the_linear_map_is_saved_and_continues_waves_better_than_the_network(encoder: Encoder, tmp_path: Path) -> None:
    whole = sines(16, steps=96 + AHEAD, seed=7)
    seen, truth = [one[:96] for one in whole], np.stack([one[96:] for one in whole])
    encoder.save_pretrained(tmp_path)
    again = Encoder.from_pretrained(tmp_path)
    linear = continue_linearly(again, find_forecaster(again), seen, AHEAD)
    assert np.allclose(linear, continue_linearly(encoder, find_forecaster(encoder), seen, AHEAD))
    network = roll_out(encoder, find_forecaster(encoder), seen, AHEAD)
    assert np.abs(linear - truth).mean() < np.abs(network - truth).mean()
    known = as_series(sines(8, steps=96, seed=8))
    assert np.allclose(handful.forecast(encoder, as_series(seen), steps=AHEAD, known=known).values, linear, atol=1e-3)


def test_without_epochs_the_linear_map_alone_forecasts() -> None:
    data = as_series(sines(32, steps=60, seed=0))
    found = handful.forecast(handful.pretrain(data, "forecast", epochs=0), data, steps=4, rows=np.array([3, 5]))
    assert found.ids.tolist() == data.ids[[3, 5]].tolist()
    assert np.ptp(found.values) > 1


def test_of_windows_the_last_of_each_recording_is_gone_on_from() -> None:
    ids = np.array(["b[0:10]", "b[10:20]", "a[5:15]", "a[0:10]"])
    assert find_last(ids).tolist() == [1, 2]
    assert find_last(np.array(["x", "y[0:1]"])).tolist() == [0, 1]


def test_an_interval_that_cannot_be_found_is_said(encoder: Encoder) -> None:
    found = handful.forecast(encoder, as_series(sines(3, steps=20, seed=5)), steps=19)
    assert np.isnan(found.low).all()
    assert "There is no interval" in found.notes[0]


def test_what_cannot_be_forecast_is_refused(encoder: Encoder) -> None:
    data = as_series(sines(12, steps=30, seed=0))
    other = handful.pretrain(data, "autoencoder", epochs=1, batch_size=4, precision="no")
    with pytest.raises(InputError, match="has not learnt what comes next"):
        handful.forecast(other, data)
    with pytest.raises(InputError, match="level must lie between 0 and 1"):
        handful.forecast(encoder, data, level=90)
    with pytest.raises(InputError, match="this encoder reads audio"):
        find_forecaster(handful.pretrain(toy_sounds(12), "mfcc"))


def test_the_command_prints_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    np.save(tmp_path / "x.npy", np.stack([one[:, 0] for one in sines(24, steps=48, seed=0)]))
    monkeypatch.chdir(tmp_path)
    pretrain = ["pretrain", "x.npy", "--out", "run", "--modality", "series", "--method", "forecast", "--epochs", "1"]
    for words in (pretrain, ["forecast", "run", "--steps", "3"]):
        monkeypatch.setattr("sys.argv", ["handful", *words])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code in (0, None)
        told = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(told.out)))
    assert len(rows) == 24 * 3
    assert all(float(row["low"]) <= float(row["value"]) <= float(row["high"]) for row in rows)
    assert "may be too narrow" in told.err
