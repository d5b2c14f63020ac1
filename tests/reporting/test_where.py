"""Where in a long recording the odd windows lie."""

from __future__ import annotations

import re

import numpy as np

from handful.modalities.series_samples import Sequences
from handful.reporting.where import draw_where
from handful.tasks.similar import find_windows


def _drawn(scores: list[float], names: list[str]) -> str:
    windows = find_windows(np.array(names))
    assert windows is not None
    samples = Sequences.pack([np.full((10, 2), row, np.float32) for row in range(len(names))])
    return draw_where(windows, samples, np.array(scores), 1.0)


def test_the_odd_window_is_marked_at_its_place_in_time() -> None:
    drawn = _drawn([0, 0, 3, 0], [f"a.csv[{at}:{at + 10}]" for at in range(0, 40, 10)])
    marks = re.findall(r'<rect x="([\d.]+)" width="([\d.]+)" y="0"', drawn)
    assert marks == [("360.0", "180.0")]  # 20 to 30 of 0 to 40, of 720 pixels
    assert "20 to 30: score 3.00" in drawn
    assert drawn.count("<polyline") == 2


def test_recordings_without_an_odd_window_are_not_drawn_and_the_oddest_comes_first() -> None:
    drawn = _drawn([2, 0, 5], ["<a>[0:10]", "b[0:10]", "c[0:10]"])
    assert drawn.count("<svg") == 2
    assert drawn.index("c: 0 to 10") < drawn.index("&lt;a&gt;: 0 to 10")
    assert "<a>" not in drawn


def test_frames_are_drawn_by_the_mean_of_each_channel() -> None:
    windows = find_windows(np.array(["a.avi[0:10]", "a.avi[10:20]"]))
    assert windows is not None
    clips = np.zeros((2, 10, 3, 4, 4), np.uint8)
    clips[1, :, 2] = np.arange(16).reshape(4, 4)  # 7.5 on average
    drawn = draw_where(windows, clips, np.array([0.0, 3.0]), 1.0)
    assert drawn.count("<polyline") == 3
    means = Sequences.pack([clip.mean((2, 3)).astype(np.float32) for clip in clips])
    assert drawn == draw_where(windows, means, np.array([0.0, 3.0]), 1.0)
