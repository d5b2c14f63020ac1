"""Sounds in, from every form in which they come."""

from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from sounds import encoded_sound, tone, write_sounds

import handful
from handful.errors import InputError
from handful.modalities.audio_files import decode_audio, resample, stretches


def reasons(data: handful.Dataset) -> dict[str, str]:
    return {refusal.id: refusal.reason for refusal in data.refused}


def strongest(sound: np.ndarray, rate: int) -> float:
    """Return the frequency in hertz that is loudest."""
    power = np.abs(np.fft.rfft(sound[:, 0] * np.hanning(len(sound))))
    return float(np.fft.rfftfreq(len(sound), 1 / rate)[power.argmax()])


def test_one_file_has_the_ids_that_it_has_in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sounds(tmp_path, ["long.wav"], seconds=3)
    monkeypatch.chdir(tmp_path)
    for source in ("long.wav", tmp_path / "long.wav"):
        assert handful.read(source, window=1).ids.tolist() == ["long.wav[0:1]", "long.wav[1:2]", "long.wav[2:3]"]
        assert handful.read(source).ids.tolist() == ["long.wav"]


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
def test_every_format_is_read_without_being_told(tmp_path: Path, ending: str) -> None:
    write_sounds(tmp_path, [f"a/1.{ending}", f"b/2.{ending}"])
    (tmp_path / "README.md").write_text("tones")
    data = handful.read(tmp_path, "folders")
    assert data.modality == "audio"
    assert data.ids.tolist() == [f"a/1.{ending}", f"b/2.{ending}"]
    assert data.labels.codes.tolist() == [0, 1]
    assert abs(strongest(data.samples[1], 8000) - 340) < 4


def test_any_rate_and_any_number_of_channels_become_one(tmp_path: Path) -> None:
    for name, rate, channels in (("a", 8000, 1), ("b", 8000, 1), ("c", 384_000, 1), ("d", 11_025, 8)):
        sound = tone(500, rate=rate, channels=channels)
        (tmp_path / f"{name}.wav").write_bytes(encoded_sound(sound, rate=rate))
    data = handful.read(tmp_path)
    assert data.settings["rate"] == 11_025
    for sound in data.samples[:]:
        assert abs(len(sound) - 0.5 * 11_025) < 3
        assert abs(strongest(sound, 11_025) - 500) < 4


def test_what_the_lower_rate_cannot_carry_is_filtered_out() -> None:
    high = tone(7000, rate=32_000)[:, 0]
    assert np.abs(resample(high, 32_000, 8000)[100:-100]).max() < 0.01


def test_a_long_sound_is_read_in_pieces_spread_over_it() -> None:
    pieces = stretches(3 * 3600 * 16_000, 16_000, 30)
    assert sum(length for _, length in pieces) == 30 * 16_000
    assert pieces[0][0] == 0
    assert pieces[-1][0] + pieces[-1][1] == 3 * 3600 * 16_000
    assert stretches(100, 16_000, 30) == [(0, 100)]
    heard = decode_audio(encoded_sound(tone(400, seconds=60)), rate=8000, seconds=10)
    assert heard.shape == (80_000, 1)


def test_windows_of_files_are_items_of_their_own(tmp_path: Path) -> None:
    write_sounds(tmp_path, ["a/song.wav"], seconds=2.2)
    write_sounds(tmp_path, ["b/short.wav"], seconds=0.4)
    data = handful.read(tmp_path, "folders", window=1, stride=0.5)
    assert data.ids.tolist() == ["a/song.wav[0:1]", "a/song.wav[0.5:1.5]", "a/song.wav[1:2]", "b/short.wav[0:0.4]"]
    assert data.samples.lengths.tolist() == [8000, 8000, 8000, 3200]
    assert data.labels.codes.tolist() == [0, 0, 0, 1]


def test_a_file_of_no_rate_is_refused_once_and_not_by_its_windows(tmp_path: Path) -> None:
    write_sounds(tmp_path, ["good.wav"], seconds=1)
    good = encoded_sound(tone())
    (tmp_path / "slow.wav").write_bytes(good[:24] + struct.pack("<I", 1) + good[28:])
    data = handful.read(tmp_path, modality="audio", window=0.2)
    assert len(data) == 5
    assert list(reasons(data)) == ["slow.wav"]


def test_arrays_and_bytes_in_parquet_are_sounds(tmp_path: Path) -> None:
    whole = np.stack([tone(300)[:, 0], tone(400)[:, 0]])
    data = handful.read(whole, modality="audio", rate=8000)
    assert np.abs(data.samples[1][:, 0] / 32767 - whole[1]).max() < 1e-4
    several = handful.read([whole[0], whole[0, :3000]], modality="audio", rate=8000)
    assert several.samples.lengths.tolist() == [4000, 3000]
    table = pa.table({"audio": [encoded_sound(tone(300)), encoded_sound(tone(400))], "label": ["a", "b"]})
    pq.write_table(table, tmp_path / "t.parquet")
    assert len(handful.read(tmp_path / "t.parquet", "source", "audio")) == 2
    with pytest.raises(InputError, match="give rate=16000"):
        handful.read(whole, modality="audio")


def test_what_is_no_sound_is_left_out_and_named(tmp_path: Path) -> None:
    write_sounds(tmp_path, ["good.wav", "other.flac"])
    good = encoded_sound(tone(400))
    bad = {
        "empty.wav": b"",
        "text.wav": b"this is no sound at all, but a text",
        "nothing.wav": encoded_sound(np.zeros((0, 1), np.float32)),
        "silent.wav": encoded_sound(np.zeros((4000, 1), np.float32)),
        "cut.wav": good[:3000],
        "cut.flac": encoded_sound(np.random.default_rng(0).normal(0, 0.1, (8000, 1)), kind="FLAC")[:4000],
        "slow.wav": good[:24] + struct.pack("<I", 1) + good[28:],
        "nan.wav": encoded_sound(np.full((4000, 1), np.nan, np.float32), subtype="FLOAT"),
        "video.m4a": b"\0\0\0\x20ftypM4A " + bytes(200),
    }
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
    data = handful.read(tmp_path)
    assert data.ids.tolist() == ["good.wav", "other.flac"]
    told = reasons(data)
    assert set(told) == set(bad)
    words = {
        "empty.wav": "0 bytes", "text.wav": "not a sound", "nothing.wav": "its length is 0", "silent.wav": "is silent",
        "cut.wav": "truncated", "slow.wav": "rate of 1 Hz", "nan.wav": "not finite", "video.m4a": "not a sound",
    }  # fmt: skip
    assert not [name for name, word in words.items() if word not in told[name]], told


def test_a_second_reading_decodes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sounds(tmp_path, ["a.wav", "b.wav"])
    (tmp_path / "c.wav").write_bytes(encoded_sound(np.zeros((4000, 1), np.float32)))
    first = handful.read(tmp_path)
    monkeypatch.setattr("handful.modalities.audio_files.resample", None)  # every decoding calls it
    second = handful.read(tmp_path)
    assert second.fingerprint == first.fingerprint
    assert reasons(second) == reasons(first)
    assert np.array_equal(second.samples[1], first.samples[1])


def test_a_file_larger_than_what_is_read_of_it_is_not_loaded(tmp_path: Path) -> None:
    seconds = 1200
    with soundfile.SoundFile(tmp_path / "long.wav", "w", 16_000, 1) as file:
        for minute in range(seconds // 60):
            file.write(tone(200 + 10 * minute, seconds=60, rate=16_000))
    (tmp_path / "short.wav").write_bytes(encoded_sound(tone(), rate=8000))
    tracemalloc.start()
    data = handful.read(tmp_path, modality="audio", cache=tmp_path / "cache")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "long.wav").stat().st_size > 38e6
    assert peak < 12e6
    assert len(data.samples[0]) == 30 * data.settings["rate"]


def test_loud_wide_and_foreign_files_are_read_or_named(tmp_path: Path) -> None:
    sounds = {
        "clipped": encoded_sound(np.clip(3 * tone(), -1, 1)),
        "eight_channels": encoded_sound(tone(channels=8)),
        "very_fast": encoded_sound(tone(rate=384_000), rate=384_000),
        "video": b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 8,
    }
    for name, content in sounds.items():
        (tmp_path / f"{name}.wav").write_bytes(content)
    (tmp_path / "film.mp4").write_bytes(sounds["video"])
    data = handful.read(tmp_path, modality="audio", rate=8000)
    assert data.ids.tolist() == ["clipped.wav", "eight_channels.wav", "very_fast.wav"]
    assert [len(sound) for sound in data.samples[:]] == [4000, 4000, 4000]
    assert [(one.id, "not a sound" in one.reason) for one in data.refused] == [("video.wav", True)]


def test_one_file_is_cut_into_windows(tmp_path: Path) -> None:
    (tmp_path / "long.flac").write_bytes(encoded_sound(tone(seconds=2.0), kind="FLAC"))
    data = handful.read(tmp_path / "long.flac", window=0.5)
    assert len(data) == 4
    assert data.modality == "audio"
    listed = handful.read([str(tmp_path / "long.flac")], modality="audio", window=0.5, stride=0.25)
    assert len(listed) == 7
