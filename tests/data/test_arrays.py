"""Arrays in files, read by blocks."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from pictures import write_idx

from handful import InputError
from handful.data.arrays import open_npy, open_npz, row_blocks
from handful.data.idx import is_idx, read_idx


@pytest.mark.parametrize("kind", ["memory", "mapped", "slice", "fortran", "strided"])
def test_blocks_cover_every_row_once(tmp_path, kind):
    array = np.random.default_rng(0).normal(size=(1000, 3, 5))
    if kind == "mapped":
        np.save(tmp_path / "x.npy", array)
        given = open_npy(tmp_path / "x.npy")
    elif kind == "slice":
        np.save(tmp_path / "x.npy", np.concatenate([array[:7], array]))
        given = open_npy(tmp_path / "x.npy")[7:]
    elif kind == "fortran":
        np.save(tmp_path / "x.npy", np.asfortranarray(array))
        given = open_npy(tmp_path / "x.npy")
    else:
        given = np.repeat(array, 2, axis=0)[::2] if kind == "strided" else array
    blocks = list(row_blocks(given, block_bytes=1000))
    assert len(blocks) > 50
    assert [start for start, _ in blocks] == np.cumsum([0, *(len(block) for _, block in blocks[:-1])]).tolist()
    assert np.array_equal(np.concatenate([block for _, block in blocks]), array)


def test_objects_are_never_unpickled(tmp_path, cache):
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="not a readable"):
        open_npy(tmp_path / "x.npy")
    np.savez(tmp_path / "x.npz", x=np.array([[{"a": 1}]], dtype=object))
    with pytest.raises(InputError, match="nothing is unpickled"):
        open_npz(tmp_path / "x.npz", None, cache)


@pytest.mark.parametrize("dtype", ["u1", "i1", ">i2", ">i4", ">f4", ">f8"])
def test_idx_of_every_type(tmp_path, cache, dtype):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    codes = {"u1": 8, "i1": 9, ">i2": 0x0B, ">i4": 0x0C, ">f4": 0x0D, ">f8": 0x0E}
    raw = bytes([0, 0, codes[dtype], 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4]) + array.tobytes()
    (tmp_path / "x").write_bytes(raw)
    (tmp_path / "x.gz").write_bytes(gzip.compress(raw))
    for name in ("x", "x.gz"):
        assert is_idx(tmp_path / name)
        assert np.array_equal(read_idx(tmp_path / name, cache), array)


@pytest.mark.parametrize("name", ["x", "x.gz"])
def test_a_truncated_idx_file_is_told(tmp_path, cache, name):
    path = write_idx(tmp_path / name, np.zeros((5, 4, 4), np.uint8))
    raw = gzip.decompress(path.read_bytes()) if name.endswith("gz") else path.read_bytes()
    path.write_bytes(gzip.compress(raw[:-1]) if name.endswith("gz") else raw[:-1])
    with pytest.raises(InputError, match=r"truncated: its header announces .*\(5, 4, 4\)"):
        read_idx(path, cache)
    assert not [left for left in cache.rglob("*") if left.is_file()]


def test_other_files_are_no_idx(tmp_path):
    for content in (b"", b"\0\0", b"\0\0\7\3", b"\0\0\x08\0", b"\x1f\x8b damaged", b"text"):
        (tmp_path / "x").write_bytes(content)
        assert not is_idx(tmp_path / "x")
