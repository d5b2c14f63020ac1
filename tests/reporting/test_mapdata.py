"""What the page unpacks is what was packed."""

from __future__ import annotations

import base64
import io
import json
import zlib
from typing import Any

import numpy as np
from contents import colour_pictures, made_content
from PIL import Image

from handful.reporting.mapdata import GRID, NONE, pack_map

NOTHING = np.array([], dtype=np.int64)


def unpacked(part: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return packed arrays as the page's script reads them."""
    raw, offset, arrays = zlib.decompress(base64.b64decode(part["data"])), 0, {}
    for field in part["fields"]:
        array = np.frombuffer(raw, np.dtype(field["type"]).newbyteorder("<"), field["length"], offset)
        assert offset % array.itemsize == 0  # a typed array of the browser must start on its own size
        arrays[field["name"]] = array
        offset += array.nbytes
    return arrays


def unpacked_json(text: str) -> Any:
    return json.loads(zlib.decompress(base64.b64decode(text)))


def test_points_carry_every_row() -> None:
    content = made_content(truth=True)
    packed = pack_map(content, NOTHING)
    points = unpacked(packed["points"])
    assert packed["drawn"] == packed["total"] == 200
    assert unpacked_json(packed["ids"]) == content.ids.tolist()
    assert np.array_equal(points["label"], np.where(content.labels < 0, NONE, content.labels))
    assert np.array_equal(points["truth"], content.truth)
    assert np.abs(points["confidence"] / 65535 - content.confidence).max() < 1e-5
    assert np.array_equal(points["source"], [["", "given", "propagated"].index(s) for s in content.source])


def test_places_keep_their_proportions() -> None:
    content = made_content(positions=np.array([[0, 0], [10, 0], [10, 5], [5, 5]] * 50, np.float32))
    places = unpacked(pack_map(content, NOTHING)["points"])["place"].reshape(-1, 2)[:4].astype(int)
    assert places[1, 0] - places[0, 0] == GRID
    assert abs((places[2, 1] - places[1, 1]) - GRID / 2) <= 1


def test_a_place_that_is_not_finite_goes_to_the_middle() -> None:
    positions = np.random.default_rng(0).normal(size=(200, 2))
    positions[7] = np.nan
    places = unpacked(pack_map(made_content(positions=positions), NOTHING)["points"])["place"].reshape(-1, 2)
    assert np.ptp(places, axis=0).max() == GRID
    assert np.abs(places[7].astype(int) - GRID // 2).max() < GRID // 4


def test_given_and_featured_rows_are_drawn_where_not_all_are() -> None:
    content = made_content(5000)
    featured = np.array([17, 4999])
    packed = pack_map(content, featured, points=1000, sampled=100)
    ids = unpacked_json(packed["ids"])
    assert packed["drawn"] == len(ids) == 1000
    assert set(content.ids[:4]) <= set(ids)
    assert [ids[place] for _, place in packed["featured"]] == content.ids[featured].tolist()


def test_neighbours_of_pictured_rows_point_at_drawn_rows() -> None:
    content = made_content(5000)
    assert content.neighbours is not None
    packed = pack_map(content, NOTHING, points=2000, sampled=100)
    ids, sample = np.array(unpacked_json(packed["ids"])), unpacked(packed["sample"])
    row_of = {name: row for row, name in enumerate(content.ids.tolist())}
    drawn = {row_of[name] for name in ids.tolist()}
    for place, near in zip(sample["row"], sample["near"].reshape(len(sample["row"]), -1), strict=True):
        true = [row for row in content.neighbours[row_of[ids[place]]] if row in drawn]
        assert [row_of[ids[other]] for other in near if other >= 0] == true


def test_pictures_lie_in_the_cells_of_their_rows() -> None:
    content = made_content(3000, pictures=colour_pictures)
    packed = pack_map(content, NOTHING, sampled=2000)
    rows = unpacked(packed["sample"])["row"]
    across, cell = packed["across"], packed["cell"]
    for at in (0, 1, 900, len(rows) - 1):
        sheet = Image.open(io.BytesIO(base64.b64decode(packed["sheets"][at // across**2].split(",")[1])))
        inside = at % across**2
        pixel = sheet.getpixel((inside % across * cell + 8, inside // across * cell + 8))
        wanted = colour_pictures(rows[at : at + 1])[0, :, 0, 0]
        assert np.abs(np.array(pixel) - wanted.astype(int)).max() < 24  # the image code is lossy
    assert cell % 16 == 0


def test_items_that_are_no_pictures_travel_as_snippets() -> None:
    packed = pack_map(made_content(), NOTHING)
    assert unpacked_json(packed["cards"])[5] == "<i>item 5</i>"
    assert "sheets" not in packed


def test_noise_pictures_and_long_ids_are_cut_down_to_the_budget() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1000, 3, 64, 64), dtype=np.uint8)
    random = np.random.default_rng(1)
    ids = np.array([random.bytes(150).hex() for _ in range(20_000)])
    content = made_content(20_000, ids=ids, pictures=lambda rows: noise[rows % 1000])
    packed = pack_map(content, NOTHING)
    assert len(json.dumps(packed)) < 6_500_000
    assert 1000 <= packed["drawn"] < 20_000
    assert 16 <= packed["sampled"] < 4000


def test_an_odd_row_or_grey_picture_is_packed() -> None:
    for shape in ((1, 9, 30), (2, 8, 8), (4, 100, 50)):
        pictures = lambda rows, shape=shape: np.zeros((len(rows), *shape), np.uint8)  # noqa: E731
        packed = pack_map(made_content(30, pictures=pictures), NOTHING)
        assert packed["width"] / packed["height"] == shape[2] / shape[1]
        assert max(packed["width"], packed["height"]) <= 64
