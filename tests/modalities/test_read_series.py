"""Series in, from every form in which they come."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import handful
from handful.errors import InputError

TS = """# a comment
@problemName Toy
@timeStamps false
@univariate false
@classLabel true walk run
@data
1,2,3:4,5,6:walk
1,?,5,7:0,0,0,1:run
"""


def reasons(data: handful.Dataset) -> dict[str, str]:
    return {refusal.id: refusal.reason for refusal in data.refused}


def waves(n: int, steps: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, channels, steps))


def write_csv(path: Path, **columns: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def test_a_ts_file_gives_channels_unequal_lengths_and_classes(tmp_path: Path) -> None:
    (tmp_path / "Toy_TRAIN.ts").write_text(TS)
    data = handful.read(tmp_path / "Toy_TRAIN.ts", "source")
    assert data.modality == "series"
    assert data.samples[0].tolist() == [[1, 4], [2, 5], [3, 6]]
    assert data.samples[1][:, 0].tolist() == [1, 3, 5, 7]
    assert data.labels.decode(data.labels.codes).tolist() == ["walk", "run"]
    assert data.settings["interpolated"] == {"series": 1, "values": 1}
    assert data.settings["steps"] == [3, 4]


def test_a_folder_of_ts_files_is_read_as_one(tmp_path: Path) -> None:
    for part in ("TRAIN", "TEST"):
        (tmp_path / f"Toy_{part}.ts").write_text(TS)
    data = handful.read(tmp_path)
    assert data.ids.tolist() == ["Toy_TEST.ts#0", "Toy_TEST.ts#1", "Toy_TRAIN.ts#0", "Toy_TRAIN.ts#1"]


@pytest.mark.parametrize("shape", [(5, 20), (5, 3, 20)])
def test_arrays_are_series_by_rows(tmp_path: Path, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    np.savez(tmp_path / "x.npz", x=array, y=np.arange(5) % 2)
    for source in (array, tmp_path / "x.npz"):
        data = handful.read(source, modality="series")
        assert np.array_equal(data.samples[3], array[3].reshape(-1, 20).T)
    assert handful.read(tmp_path / "x.npz", "source", "series").labels.codes.tolist() == [0, 1, 0, 1, 0]


def test_a_list_of_arrays_of_several_lengths_is_read() -> None:
    data = handful.read([np.arange(4.0), np.arange(6.0), np.stack([np.arange(5.0)] * 2)], modality="series")
    assert data.samples.lengths.tolist() == [4, 6]
    assert reasons(data) == {"2": "has 2 channels, most have 1"}


@pytest.mark.parametrize("kind", ["csv", "parquet", "frame"])
def test_a_long_table_gives_one_series_for_each_id_in_the_order_of_time(tmp_path: Path, kind: str) -> None:
    frame = pd.DataFrame(
        {"id": list("aabba"), "time": [0, 1, 10, 11, 2], "x": [1.0, 2, 7, 8, 3], "label": list("ppqqp")}
    )
    source: object = frame
    if kind == "csv":
        frame.to_csv(tmp_path / "t.csv", index=False)
        source = tmp_path / "t.csv"
    elif kind == "parquet":
        pq.write_table(pa.Table.from_pandas(frame), tmp_path / "t.parquet")
        source = tmp_path / "t.parquet"
    data = handful.read(source, "source", "series")
    assert data.ids.tolist() == ["a", "b"]
    assert data.samples[0].tolist() == [[1], [2], [3]]
    assert data.labels.decode(data.labels.codes).tolist() == ["p", "q"]


def test_columns_of_lists_are_channels(tmp_path: Path) -> None:
    table = pa.table({"id": ["a", "b"], "x": [[1.0, 2.0, 3.0], [4.0, 5.0]], "y": [[0.0, 0.0, 1.0], [1.0, 2.0]]})
    pq.write_table(table, tmp_path / "t.parquet")
    data = handful.read(tmp_path / "t.parquet", modality="series")
    assert data.samples[1].tolist() == [[4, 1], [5, 2]]


def test_a_folder_of_tables_has_one_series_a_file_and_classes_by_folder(tmp_path: Path) -> None:
    for row in range(4):
        write_csv(tmp_path / "ab"[row % 2] / f"{row}.csv", time=range(5), x=np.arange(5) * row + 1.5)
    data = handful.read(tmp_path, "folders")
    assert data.modality == "series"
    assert data.ids.tolist() == ["a/0.csv", "a/2.csv", "b/1.csv", "b/3.csv"]
    assert data.labels.codes.tolist() == [0, 0, 1, 1]


def test_a_table_without_a_header_is_read(tmp_path: Path) -> None:
    for row in range(3):
        (tmp_path / f"{row}.csv").write_text("1.5,2\n3.5,4\n")
    assert handful.read(tmp_path).samples[0].tolist() == [[1.5, 2], [3.5, 4]]


def test_one_long_recording_is_cut_into_windows(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "long.csv", date=pd.date_range("2024-01-01", periods=100, freq="h"), x=range(100))
    data = handful.read(path, modality="series", window=40, stride=20)
    assert data.ids.tolist() == ["0[0:40]", "0[20:60]", "0[40:80]", "0[60:100]"]
    assert data.samples[1][0].tolist() == [20]
    assert data.settings["window"] == 40
    whole = handful.read(path, modality="series", window=40, stride=25)
    assert whole.ids.tolist() == ["0[0:40]", "0[25:65]", "0[50:90]", "0[60:100]"]  # none of its end is left out


def test_missing_values_and_steps_are_interpolated_and_said(tmp_path: Path) -> None:
    gaps = write_csv(tmp_path / "t.csv", id=list("aaabbb"), time=[0, 1, 4, 0, 1, 2], x=[0, 1, 4, 5, None, 7])
    data = handful.read(gaps, modality="series")
    assert data.samples[0][:, 0].tolist() == [0, 1, 2, 3, 4]
    assert data.samples[1][:, 0].tolist() == [5, 6, 7]
    assert data.settings["interpolated"] == {"series": 2, "values": 3}


def test_what_cannot_be_a_series_is_left_out_and_named() -> None:
    data = pd.DataFrame(
        [(name, t, v) for name in "abcdefg" for t, v in zip(range(4), (1.0, 2.0, 4.0, float(ord(name))), strict=True)],
        columns=["id", "time", "x"],
    ).astype({"time": float})
    data.loc[data.id == "b", "time"] = [0, 1, 1, 2]
    data.loc[data.id == "c", "time"] = [0, 2, 1, 3]
    data.loc[data.id == "d", "time"] = [0, 1, 2.4, 3.1]
    data.loc[data.id == "e", "x"] = [np.nan, np.nan, np.nan, 1]
    data = data.drop(data.index[data.id == "f"][1:])
    data.loc[data.id == "g", "x"] = np.inf
    read = handful.read(data, modality="series")
    assert read.ids.tolist() == ["a"]
    told = reasons(read)
    assert "stands twice" in told["b"]
    assert "comes before the one above it" in told["c"]
    assert "is sampled irregularly, in steps of 0.7 to 1.4" in told["d"]
    assert "lacks 75% of the values of channel 0" in told["e"]
    assert told["f"] == "has 1 step: a series needs at least 2"
    assert "infinity" in told["g"]


def test_months_are_even_steps() -> None:
    dates = pd.date_range("2020-01-01", periods=24, freq="MS")
    frame = pd.DataFrame({"id": np.repeat(["a", "b"], 24), "date": [*dates, *dates], "x": np.arange(48.0)})
    assert handful.read(frame, modality="series").samples.lengths.tolist() == [24, 24]


def test_a_constant_channel_is_said_and_constant_data_refused() -> None:
    array = waves(4, 10, 2)
    array[:, 1] = 3
    assert handful.read(array, modality="series").settings["constant_channels"] == [1]
    with pytest.raises(InputError, match="all values of the array given are the same, 3:"):
        handful.read(array[:, 1:], modality="series")
