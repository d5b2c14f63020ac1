"""How much is embedded at a time."""

from __future__ import annotations

import numpy as np

from handful.modalities.series_samples import Sequences
from handful.modalities.video_reading import Clips
from handful.training.embed import VALUES_AT_ONCE, fitting_batch


def test_a_batch_holds_so_many_numbers_whatever_the_kind_of_data() -> None:
    small = np.zeros((4, 3, 8, 8), np.uint8)
    assert fitting_batch(small, 512) == 512
    assert fitting_batch(np.broadcast_to(small[:1, :, :1, :1], (4, 3, 1024, 1024)), 512) == VALUES_AT_ONCE // (3 << 20)
    long = Sequences(np.broadcast_to(np.zeros((1, 2), np.int16), (1_100_000, 2)), np.array([100_000, 1_100_000]))
    assert fitting_batch(long, 512) == VALUES_AT_ONCE // 2_000_000
    film = np.broadcast_to(np.zeros((1, 3, 1, 1), np.uint8), (40, 3, 256, 256))
    clips = Clips([film], np.zeros(9, int), np.arange(9), frames=10, every=2)
    assert clips.shape == (9, 10, 3, 256, 256)
    assert fitting_batch(clips, 512) == VALUES_AT_ONCE // (10 * 3 * 256 * 256)
    assert fitting_batch(["a text", "another"], 512) == 512
