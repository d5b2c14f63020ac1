"""Files that are made to harm: each meets a limit, told in a sentence, and nothing outside its place is touched."""

from __future__ import annotations

import gzip
import io
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sounds import encoded_sound

import handful
from handful.data.folders import walk
from handful.data.items import Undecodable, load
from handful.errors import InputError
from handful.modalities.audio_files import probe_audio
from handful.modalities.image_files import probe_image
from handful.tasks.outputs import output_paths

GB = 1 << 30


def test_a_small_archive_that_unpacks_to_a_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handful.data.cache.MOST_UNPACKED", 1 << 20)  # a gigabyte takes its time to pack
    np.savez_compressed(tmp_path / "bomb.npz", x=np.zeros((2000, 64, 64), np.uint8))
    with pytest.raises(InputError, match=r"bomb\.npz unpacks from 0\.0 MB to 0\.0 GB, more than 200 times as much"):
        handful.read(tmp_path / "bomb.npz", modality="image", cache=tmp_path / "cache")
    assert not (tmp_path / "cache" / "unpacked").exists()


def test_a_gzipped_file_that_announces_a_disk_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(bytes([0, 0, 8, 3]) + struct.pack(">3I", 2**20, 64, 64) + bytes(10**6)))
    with pytest.raises(InputError, match=r"unpacks from 0\.0 MB to 4\.3 GB"):
        handful.read(path, cache=tmp_path / "cache")


def test_a_table_of_more_rows_than_its_bytes_can_tell_apart_is_refused(tmp_path: Path) -> None:
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(3_000_000, np.int32)), pa.array(["a.png"]))
    pq.write_table(pa.table({"path": column}), tmp_path / "t.parquet", row_group_size=10**8)
    with pytest.raises(InputError, match="announces 3,000,000 rows in"):
        handful.read(tmp_path / "t.parquet", modality="image", cache=tmp_path / "cache")


def test_a_picture_that_announces_any_size_is_refused() -> None:
    with pytest.raises(Undecodable, match="announces more than 100,000,000 pixels"):
        probe_image(b"P5 60000 60000 255\n" + bytes(100))


def test_a_sound_of_hundreds_of_channels_is_refused() -> None:
    with pytest.raises(Undecodable, match="has 200 channels, more than 32"):
        probe_audio(encoded_sound(np.zeros((100, 200), np.float32)))


def test_an_item_larger_than_memory_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "x.wav").open("wb") as file:
        file.truncate(5 * GB)  # takes no room on the disk
    with pytest.raises(Undecodable, match=r"has 5\.4 GB, more than 4\.3 GB"):
        load(tmp_path / "x.wav")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_devices_and_pipes_that_a_table_names_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, told in ((tmp_path / "pipe", "is no file"), (Path("/dev/zero"), "is no file"), (tmp_path, "is a folder")):
        with pytest.raises(Undecodable, match=told):
            load(path)


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "x.png").write_bytes(b"1")
    (tmp_path / "a" / "b" / "back").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "a" / "itself").symlink_to(tmp_path / "a" / "itself")
    found = sorted(path.name for path in walk(tmp_path))
    assert found == ["itself", "x.png"]
    with pytest.raises(Undecodable, match="cannot be read"):
        load(tmp_path / "a" / "itself")


def test_a_name_in_an_archive_leads_nowhere(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    content = io.BytesIO()
    np.save(content, np.arange(320, dtype=np.uint8).reshape(5, 8, 8))
    with zipfile.ZipFile(folder / "x.npz", "w") as archive:
        archive.writestr("../../outside.npy", content.getvalue())
    data = handful.read(folder / "x.npz", modality="image", cache=folder / "cache")
    assert len(data) == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here"]
    unpacked = [path.name for path in (folder / "cache" / "unpacked").iterdir()]
    assert len(unpacked) == 1
    assert "outside" not in unpacked[0]


@pytest.mark.parametrize("name", ["../x.png", "a/../../x.png", "/etc/x.png"])
def test_an_id_that_leads_out_of_the_folder_writes_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="which leads out of"):
        output_paths(np.array(["a.png", name]), tmp_path)
