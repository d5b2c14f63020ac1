"""The first reading of every item, and what is remembered of it."""

from __future__ import annotations

import os

import numpy as np
import pytest

from handful import InputError
from handful.data import memory
from handful.data.items import FileItems, ListItems, Undecodable
from handful.data.scan import scan_array, scan_items


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "SETTLED_NS", -(10**18))  # as if all files had been at rest for long
    for name in "abc":
        (tmp_path / name).write_text(name)
    return FileItems(tmp_path, ["a", "b", "c"])


class Probe:
    """Returns the length of a content, counts its calls, and refuses what begins with an x."""

    __name__ = "length"

    def __init__(self):
        self.calls = 0

    def __call__(self, content):
        self.calls += 1
        if content.startswith(b"x"):
            raise Undecodable("begins with x")
        return (len(content),)


def scan(items, probe, cache):
    return scan_items(items, len(items.paths), probe, n_found=1, cache=cache)


def test_unchanged_files_are_not_read_again(files, cache):
    probe = Probe()
    first = scan(files, probe, cache)
    again = scan(files, probe, cache)
    assert probe.calls == 3
    assert first.digests.tolist() == again.digests.tolist()
    assert again.found.tolist() == [[1], [1], [1]]
    assert len(set(first.digests.tolist())) == 3


def test_a_changed_and_a_new_file_are_read(files, cache, tmp_path):
    probe = Probe()
    first = scan(files, probe, cache)
    times = os.stat(tmp_path / "b")
    (tmp_path / "b").write_text("B")
    os.utime(tmp_path / "b", ns=(times.st_atime_ns, times.st_mtime_ns))  # same size, same time of modification
    (tmp_path / "d").write_text("dd")
    again = scan(FileItems(tmp_path, ["a", "b", "c", "d"]), probe, cache)
    assert probe.calls == 5
    assert (first.digests == again.digests[:3]).tolist() == [True, False, True]
    assert again.found.tolist() == [[1], [1], [1], [2]]


def test_refused_files_are_tried_again(files, cache, tmp_path):
    (tmp_path / "b").write_text("xx")
    probe = Probe()
    assert scan(files, probe, cache).refused == {1: "begins with x"}
    assert scan(files, probe, cache).refused == {1: "begins with x"}
    assert probe.calls == 4


def test_a_file_just_written_is_not_remembered(tmp_path, cache):
    (tmp_path / "a").write_text("a")
    probe = Probe()
    scan(FileItems(tmp_path, ["a"]), probe, cache)
    scan(FileItems(tmp_path, ["a"]), probe, cache)
    assert probe.calls == 2


def test_a_damaged_memory_is_passed_over(files, cache):
    probe = Probe()
    scan(files, probe, cache)
    for path in cache.rglob("*.npz"):
        path.write_bytes(b"damaged")
    assert scan(files, probe, cache).found.tolist() == [[1], [1], [1]]


def test_progress_counts_to_the_end(cache):
    seen = []
    items = ListItems([b"a"] * 200)
    scan_items(items, 200, Probe(), n_found=1, cache=cache, progress=lambda *told: seen.append(told))
    assert seen[-1] == ("reading", 200, 200)
    assert len(seen) > 1


def test_array_digests_tell_rows_and_types_apart(cache):
    array = np.arange(24, dtype=np.float32).reshape(4, 6)
    found = scan_array(array, "x", cache=cache)
    assert (found.low, found.high) == (0, 23)
    assert len(set(found.digests.tolist())) == 4
    assert scan_array(array[[2, 0]], "x", cache=cache).digests.tolist() == found.digests[[2, 0]].tolist()
    assert scan_array(array.astype(np.float64), "x", cache=cache).digests[0] != found.digests[0]


def test_a_cache_that_cannot_be_written_is_not_needed_to_scan(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "SETTLED_NS", -(10**18))
    (tmp_path / "a").write_text("a")
    found = scan(FileItems(tmp_path, ["a"]), Probe(), tmp_path / "a" / "cache")
    assert found.found.tolist() == [[1]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_the_first_row_that_is_not_finite_is_named(cache, value):
    array = np.zeros((50_000, 50))
    array[[41_234, 44_000], 3] = value
    with pytest.raises(InputError, match="x row 41234 holds NaN or infinity"):
        scan_array(array, "x", cache=cache)


def test_a_file_of_values_is_scanned_once(tmp_path, cache, monkeypatch):
    monkeypatch.setattr(memory, "SETTLED_NS", -(10**18))
    np.save(tmp_path / "x.npy", np.arange(24, dtype=np.float32).reshape(4, 6))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    first = scan_array(mapped, "x", cache=cache)
    told = []
    again = scan_array(mapped, "x", cache=cache, progress=lambda *step: told.append(step))
    assert not told
    assert again.digests.tolist() == first.digests.tolist()
