"""The decoded store: each content decoded once, files whole or not there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from pictures import encoded, picture, write_pictures

import handful
from handful import InputError
from handful.data.items import ListItems, Undecodable, load
from handful.data.store import decode_into_store


class Decoder:
    """Decodes one byte into an array of 4, and counts how often it was asked."""

    def __init__(self):
        self.calls = 0

    def __call__(self, content):
        self.calls += 1
        if content == b"\xff":
            raise Undecodable("is 255")
        return np.full(4, content[0], np.uint8)


def store_of(values, cache, decode, **settings):
    items = ListItems([bytes([value]) for value in values])
    digests = np.array([f"digest-{value}" for value in values])
    return decode_into_store(items, np.arange(len(values)), digests, decode, shape=(4,), settings=settings, cache=cache)


def test_a_second_reading_decodes_nothing(cache):
    decode = Decoder()
    first = store_of(range(100), cache, decode)
    again = store_of(range(100), cache, decode)
    assert decode.calls == 100
    assert np.array_equal(first.samples, again.samples)
    assert np.array_equal(first.samples[:, 0], np.arange(100))


def test_a_grown_source_decodes_only_what_is_new(cache):
    decode = Decoder()
    store_of(range(100), cache, decode)
    grown = store_of([200, *range(50), 201, *range(50, 100), 202], cache, decode)
    assert decode.calls == 103
    assert grown.samples[:, 0].tolist() == [200, *range(50), 201, *range(50, 100), 202]


def test_a_shrunk_or_shuffled_source_decodes_nothing(cache):
    decode = Decoder()
    store_of(range(100), cache, decode)
    order = np.random.default_rng(0).permutation(100)[:60].tolist()
    assert store_of(order, cache, decode).samples[:, 0].tolist() == order
    assert decode.calls == 100


def test_a_folder_that_changes_every_day_does_not_fill_the_cache(cache):
    decode, long_ago = Decoder(), 1_000_000_000
    other = store_of(range(150, 170), cache, decode)
    for day in range(4):
        for index in cache.rglob("*.npz"):
            os.utime(index, (long_ago + day, long_ago + day))
        store = store_of(range(10 * day, 100 + 10 * day), cache, decode)
        assert store.samples[:, 0].tolist() == list(range(10 * day, 100 + 10 * day))
    assert decode.calls == 20 + 100 + 3 * 10
    assert len(list(cache.rglob("*.npz"))) == len(list(cache.rglob("*.npy"))) == 2
    assert other.samples[:, 0].tolist() == list(range(150, 170))


def test_a_folder_that_changes_all_the_time_keeps_the_stores_of_an_hour(cache):
    """When a store may be deleted, six rounds later, less than half of its items are still in the folder."""
    for change in range(15):
        for index in cache.rglob("*.npz"):
            ten_minutes_before = index.stat().st_mtime - 600
            os.utime(index, (ten_minutes_before, ten_minutes_before))
        store_of(range(10 * change, 100 + 10 * change), cache, Decoder())
    assert len(list(cache.rglob("*.npz"))) == len(list(cache.rglob("*.npy"))) == 6


def test_other_settings_are_another_store(cache):
    decode = Decoder()
    store_of(range(10), cache, decode, size=1)
    store_of(range(10), cache, decode, size=2)
    assert decode.calls == 20


def test_what_failed_is_left_out_and_not_tried_again(cache):
    decode = Decoder()
    store = store_of([1, 255, 2], cache, decode)
    assert store.samples[:, 0].tolist() == [1, 2]
    assert dict(store.failed) == {"digest-255": "is 255"}
    grown = store_of([1, 255, 2, 3], cache, decode)
    assert decode.calls == 4
    assert grown.samples[:, 0].tolist() == [1, 2, 3]
    assert dict(grown.failed) == {"digest-255": "is 255"}


@pytest.mark.parametrize("name", ["*.npy", "*.npz"])
def test_a_damaged_store_is_made_again(cache, name):
    decode = Decoder()
    store_of(range(10), cache, decode)
    damaged = next(cache.glob(f"decoded/*/{name}"))
    damaged.write_bytes(damaged.read_bytes()[:100])
    assert store_of(range(10), cache, decode).samples[:, 0].tolist() == list(range(10))
    assert decode.calls == 20


def test_all_failed_gives_an_empty_store(cache):
    assert len(store_of([255, 255], cache, Decoder()).samples) == 0


def test_an_error_in_the_middle_leaves_nothing_behind(cache):
    def decode(content):
        if content == b"\x32":
            raise KeyboardInterrupt
        return np.zeros(4, np.uint8)

    with pytest.raises(KeyboardInterrupt):
        store_of(range(100), cache, decode)
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_a_killed_reading_leaves_no_half_and_the_next_one_cleans_up(tmp_path, cache):
    write_pictures(tmp_path, [f"{n}.png" for n in range(200)], size=(16, 16))
    killed = (
        "import os, sys, handful\n"
        "def progress(what, done, total):\n"
        "    if what == 'decoding':\n        os.kill(os.getpid(), 9)\n"
        "handful.read(sys.argv[1], progress=progress)\n"
    )
    child = subprocess.run([sys.executable, "-c", killed, str(tmp_path)], check=False)
    assert child.returncode == -signal.SIGKILL
    assert len(list(cache.rglob("*.tmp"))) == 1
    assert not list(cache.glob("decoded/*/*.np?"))
    assert len(handful.read(tmp_path)) == 200
    assert not list(cache.rglob("*.tmp"))


def test_a_cache_that_cannot_be_written_is_one_sentence(tmp_path):
    write_pictures(tmp_path / "photos", ["a.png", "b.png"])
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"the cache folder .* cannot be written .*HANDFUL_CACHE"):
        handful.read(tmp_path / "photos", cache=tmp_path / "file" / "cache")


def test_load_tells_why_there_is_no_content(tmp_path):
    for item, reason in ((tmp_path / "gone", "No such file"), (b"", "0 bytes"), (None, "missing"), (3, "int")):
        with pytest.raises(Undecodable, match=reason):
            load(item)
    assert load(lambda: b"x") == b"x"
    assert load(bytearray(b"x")) == b"x"


def test_a_folder_that_grew_decodes_only_its_new_pictures(tmp_path):
    told = []
    names = [f"{n}.png" for n in range(200)]
    first = handful.read(write_pictures(tmp_path, names, size=(16, 16)))
    os.rename(tmp_path / "0.png", tmp_path / "zero.png")
    (tmp_path / "a.png").write_bytes(encoded(picture(999, (16, 16))))
    grown = handful.read(tmp_path, progress=lambda *step: told.append(step))
    assert [step for step in told if step[0] == "decoding"] == [("decoding", 201, 201)]
    assert np.array_equal(grown.samples[[200]], first.samples[[0]])
    told.clear()
    handful.read(tmp_path, progress=lambda *step: told.append(step))
    assert not [step for step in told if step[0] == "decoding"]
