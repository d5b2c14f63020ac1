"""Labels of stretches of a recording, for its windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sounds import write_sounds

import handful
from handful import InputError
from handful.modalities.video_files import write_video


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    rows = "".join(f"{step},{np.sin(step):.4f}\n" for step in range(100))
    (tmp_path / "plant.csv").write_text("time,x\n" + rows)
    return tmp_path / "plant.csv"


def labels_of(source: Path, content: str, **options: float) -> dict[str, str | None]:
    path = source.parent / "intervals.csv"
    path.write_text(content)
    data = handful.read(source, path, **options)
    assert data.labels is not None
    return dict(zip(data.ids.tolist(), data.labels.decode(data.labels.codes).tolist(), strict=True))


def test_a_window_has_the_label_that_covers_most_of_it(recording: Path) -> None:
    found = labels_of(recording, "start,end,label\n0,26,on\n60,100,off\n", modality="series", window=20, stride=20)
    assert list(found.values()) == ["on", None, None, "off", "off"]


def test_intervals_of_one_label_add_up(recording: Path) -> None:
    content = "start,end,label\n0,8,on\n12,20,on\n80,100,off\n"
    found = labels_of(recording, content, modality="series", window=20, stride=20)
    assert list(found.values()) == ["on", None, None, None, "off"]


def test_intervals_of_sounds_are_in_seconds_and_name_the_file(tmp_path: Path) -> None:
    write_sounds(tmp_path / "sounds", ["a/one.wav", "two.wav"], seconds=3)
    content = "id,start,end,label\na/one.wav,0,1,x\ntwo.wav,1.9,3,y\n"
    found = labels_of(tmp_path / "sounds", content, window=1)
    assert {name: label for name, label in found.items() if label} == {"a/one.wav[0:1]": "x", "two.wav[2:3]": "y"}


def test_intervals_of_films_are_in_frames(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 255, (40, 3, 16, 16)).astype(np.uint8)
    film = write_video(frames, tmp_path / "film.avi")
    found = labels_of(film, "start,end,label\n0,12,still\n24,40,moving\n", size=16, window=10, stride=10)
    assert list(found.values()) == ["still", None, "moving", "moving"]


def test_labels_by_the_id_of_a_window_still_stand(recording: Path) -> None:
    ids = list(labels_of(recording, "start,end,label\n0,20,on\n40,60,off\n", modality="series", window=20))
    found = labels_of(recording, f"id,label\n{ids[1]},on\n{ids[2]},off\n", modality="series", window=20)
    assert [found[id] for id in ids[:3]] == [None, "on", "off"]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("0,30,on\n0,30,off\n", "must not overlap"),
        ("0,3,on\n40,60,off\n", "intervals.csv line 2: no window lies mostly within"),
        ("0,20,on\n60,40,off\n", "intervals.csv line 3: an interval starts at 0 or later"),
        ("0,20,on\nsoon,40,off\n", "'soon' in the column 'start' is no number"),
        ("0,20,on\nnan,40,off\n", "an interval starts at 0 or later"),
    ],
)
def test_intervals_that_cannot_be_are_told(recording: Path, rows: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        labels_of(recording, "start,end,label\n" + rows, modality="series", window=20, stride=20)


def test_a_recording_that_is_not_there_and_a_source_without_windows_are_told(tmp_path: Path) -> None:
    write_sounds(tmp_path / "sounds", ["one.wav", "two.wav"], seconds=2)
    with pytest.raises(InputError, match=r"Did you mean 'one\.wav'"):
        labels_of(tmp_path / "sounds", "id,start,end,label\non.wav,0,1,x\ntwo.wav,0,1,y\n", window=1)
    with pytest.raises(InputError, match="needs a column 'id' that names one of the 2 recordings"):
        labels_of(tmp_path / "sounds", "start,end,label\n0,1,x\n", window=1)
    with pytest.raises(InputError, match="not cut into windows"):
        labels_of(tmp_path / "sounds", "start,end,label\n0,1,x\n1,2,y\n")
