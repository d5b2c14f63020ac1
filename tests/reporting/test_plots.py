"""Charts are well-formed SVG that shows the numbers it was given."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from handful.reporting.figures import reliability
from handful.reporting.plots import axis_range, confusion_chart, histogram_chart, line_chart, reliability_chart

SVG = {"role": "img"}


def marks(chart: str, kind: str) -> list[ElementTree.Element]:
    """Return the elements of an SVG with the class `kind`, which must parse as XML."""
    return [element for element in ElementTree.fromstring(chart).iter() if kind in element.get("class", "").split()]


def test_bars_are_as_high_as_their_counts() -> None:
    bars = marks(histogram_chart(np.array([10, 0, 40])), "bar")
    heights = [float(bar.get("height", "0")) for bar in bars]
    assert len(bars) == 2
    assert heights[1] == pytest.approx(4 * heights[0], abs=0.05)


def test_split_bars_tell_right_from_wrong() -> None:
    chart = histogram_chart(np.array([10, 20]), np.array([4, 20]))
    titles = [bar[0].text for bar in marks(chart, "right")]
    assert "10 labels with confidence 0% to 50%: 4 right, 6 wrong" in titles
    right, wrong = (float(marks(chart, kind)[0].get("height", "0")) for kind in ("right", "wrong"))
    assert right / wrong == pytest.approx(4 / 6, rel=0.01)


def test_reliability_diagram_has_a_point_for_each_filled_bin_between_its_ends() -> None:
    found = reliability(np.array([0.1, 0.5, 0.5, 0.9]), np.array([False, True, False, True]))
    chart = reliability_chart(found)
    assert len(marks(chart, "point")) == len(marks(chart, "interval")) == 3
    assert marks(chart, "point")[1][0].text == "2 labels: mean confidence 50.0%, right 50.0%"


def test_line_chart_draws_every_epoch_and_names_its_references() -> None:
    chart = line_chart([1, 2, 3], [5.0, 4.0, 3.5], name="loss", references={"<PCA>": 4.5, "raw": float("nan")})
    assert len(marks(chart, "curve")[0].get("points", "").split()) == 3
    assert len(marks(chart, "reference")) == 1
    assert "&lt;PCA&gt;" in chart


@pytest.mark.parametrize("values", [[2.0], [3.0, 3.0], [float("nan"), 1.0], [0.0], [-1e-9, 1e12]])
def test_line_chart_of_odd_values_stays_finite(values: list[float]) -> None:
    chart = line_chart(list(range(1, len(values) + 1)), values, name="loss")
    assert "nan" not in chart
    assert "inf" not in chart
    ElementTree.fromstring(chart)


def test_histogram_of_nothing_is_an_empty_chart() -> None:
    assert not marks(histogram_chart(np.zeros(20, int)), "bar")


@pytest.mark.parametrize(("low", "high"), [(0, 7), (0.013, 0.0171), (-3.3, 900), (5, 5), (0, 0)])
def test_axis_has_round_ends_around_the_values(low: float, high: float) -> None:
    start, end, ticks = axis_range(low, high)
    assert start <= low <= high <= end
    assert start < end
    assert 2 <= len(ticks) <= 8
    assert np.allclose(np.diff(ticks), ticks[1] - ticks[0])


def test_confusion_matrix_shows_the_share_of_each_true_class() -> None:
    chart = confusion_chart(np.array([[8, 2], [0, 5]]), ["a<b", "c"])
    assert [cell.text for cell in marks(chart, "cell")] == ["80", "20", "100"]
    assert marks(chart, "wrong")[0][0].text == "a<b labelled c: 2 items, 20.0% of the class"
