"""The map's points, ids and pictures, packed small enough to travel inside the page.

The page unpacks them with the browser's own DecompressionStream. Points carry 16-bit places; pictures lie side by side
on sheets, one file for many items.
"""

from __future__ import annotations

import base64
import io
import json
import zlib
from typing import Any

import numpy as np
from PIL import Image

from handful.reporting.content import GIVEN, PROPAGATED, REVIEWED, Content
from handful.reporting.figures import balanced_rows, random_rows

SOURCES = ("", GIVEN, PROPAGATED, REVIEWED)
NONE = 65535  # no class
GRID = 65535  # places along the longer side of the map
BLOCK = 16  # cells end on the blocks of the image code, so that no picture bleeds into the next
SHEET = 1024  # pixels a side
LARGEST_SIDE = 64  # pixels of a picture on the map
LONGEST_ID = 200  # letters; longer ids lose their middle
POINTS_BUDGET = 2_500_000  # bytes in the page
PICTURES_BUDGET = 4_200_000
PROBED = 128  # pictures that tell how large the others are


def pack_map(content: Content, featured: np.ndarray, *, points: int = 100_000, sampled: int = 4_000) -> dict[str, Any]:
    """Return the map as JSON values: at most `points` rows, of which at most `sampled` with a picture or snippet.

    Given rows and those in `featured` come first, the others are drawn at random; fewer are taken where ids or
    pictures are too large for the budget.
    """
    always = np.unique(np.concatenate([content.rows_from(GIVEN)[: sampled // 3], featured]).astype(np.int64))
    while True:
        drawn = random_rows(content, points, always=always)
        ids = _pack_json([short_id(str(name)) for name in content.ids[drawn]])
        arrays = _pack_arrays(_point_arrays(content, drawn))
        if points <= 1_000 or len(ids) + len(arrays["data"]) <= POINTS_BUDGET:
            break
        points //= 2
    packed: dict[str, Any] = {"total": len(content), "drawn": len(drawn), "ids": ids, "points": arrays}
    places = zip(featured.tolist(), np.searchsorted(drawn, featured).tolist(), strict=True)
    packed["featured"] = [[row, place] for row, place in places if place < len(drawn) and drawn[place] == row]
    return packed | _pack_sample(content, drawn, always, sampled)


def _point_arrays(content: Content, drawn: np.ndarray) -> dict[str, np.ndarray]:
    arrays = {
        "place": _grid_places(content.positions)[drawn].ravel(),
        "label": _codes(content.labels[drawn]),
        "confidence": np.round(np.clip(np.nan_to_num(content.confidence[drawn]), 0, 1) * 65535).astype(np.uint16),
        "source": np.select([content.source[drawn] == name for name in SOURCES], range(len(SOURCES))).astype(np.uint8),
    }
    if content.runner_up is not None:
        arrays["second"] = _codes(content.runner_up[drawn])
    if content.truth is not None:
        arrays["truth"] = _codes(content.truth[drawn])
    return arrays


def _grid_places(positions: np.ndarray) -> np.ndarray:
    """Return positions [N, 2] as uint16 with one scale for both axes; places that are not finite go to the middle."""
    finite = np.isfinite(positions).all(axis=1)
    known = positions[finite] if finite.any() else np.zeros((1, 2))
    low, high = np.min(known, axis=0), np.max(known, axis=0)
    places = np.where(finite[:, None], positions, (low + high) / 2)
    size = max(float((high - low).max()), np.finfo(np.float32).tiny)
    centred = (places - (low + high) / 2) / size + 0.5
    return np.round(np.clip(centred, 0, 1) * GRID).astype(np.uint16)


def _codes(codes: np.ndarray) -> np.ndarray:
    return np.where((codes < 0) | (codes >= NONE), NONE, codes).astype(np.uint16)


def short_id(name: str) -> str:
    """Return an id that is not longer than a page can bear: the middle of a longer one is left out."""
    half = LONGEST_ID // 2
    return name if len(name) <= LONGEST_ID else f"{name[:half]}…{name[-half:]}"


def _pack_sample(content: Content, drawn: np.ndarray, always: np.ndarray, limit: int) -> dict[str, Any]:
    """Return what the pictured rows add to the map: which they are, their neighbours, and sheets or snippets."""
    if content.pictures is None and content.show is None:
        return {}
    nothing = np.array([], dtype=np.int64)
    probe = _looks(content, balanced_rows(content, PROBED, always=nothing))
    limit = min(limit, max(1, int(0.95 * PICTURES_BUDGET / _size(probe) * min(PROBED, len(content)))))
    candidates = balanced_rows(content, limit, always=always)
    rows = candidates[np.isin(candidates, drawn)]
    looks = _looks(content, rows)
    while _size(looks) > PICTURES_BUDGET and len(rows) > 1:
        rows = rows[::2]
        looks = _looks(content, rows)
    return {**looks, "sample": _pack_arrays(_sample_arrays(content, drawn, rows)), "sampled": len(rows)}


def _looks(content: Content, rows: np.ndarray) -> dict[str, Any]:
    """Return sheets of pictures where items are pictures, else their snippets."""
    if content.pictures is not None:
        return _sheets(content.pictures(rows))
    assert content.show is not None
    return {"cards": _pack_json(content.show(rows))}


def _size(looks: dict[str, Any]) -> int:
    """Return how many bytes these add to the page."""
    return sum(map(len, looks.get("sheets", []))) + len(looks.get("cards", ""))


def _sample_arrays(content: Content, drawn: np.ndarray, rows: np.ndarray, limit: int = 8) -> dict[str, np.ndarray]:
    place = np.full(len(content) + 1, -1, dtype=np.int32)  # the last entry answers for "no neighbour", -1
    place[drawn] = np.arange(len(drawn))
    arrays = {"row": place[rows]}
    if content.neighbours is not None and content.neighbours.shape[1]:
        arrays["near"] = place[content.neighbours[rows, :limit]].ravel()
    return arrays


def _sheets(pictures: np.ndarray) -> dict[str, Any]:
    """Return pictures uint8 [n, C, H, W] as data URIs of sheets of square cells, filled row by row."""
    height, width = pictures.shape[2:]
    scale = min(1.0, LARGEST_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    cell = -(-max(size) // BLOCK) * BLOCK
    across = max(SHEET // cell, 1)
    sheets = []
    for start in range(0, len(pictures), across * across):
        part = pictures[start : start + across * across]
        sheet = Image.new("RGB", (cell * across, cell * -(-len(part) // across)))
        for index, picture in enumerate(part):
            sheet.paste(_thumbnail(picture, size, cell), (index % across * cell, index // across * cell))
        sheets.append(_data_uri(sheet))
    return {"sheets": sheets, "cell": cell, "across": across, "width": size[0], "height": size[1]}


def _thumbnail(picture: np.ndarray, size: tuple[int, int], cell: int) -> Image.Image:
    """Return one picture [C, H, W] scaled to `size`, its edge repeated to fill a cell."""
    channels = picture[:3] if len(picture) >= 3 else np.repeat(picture[:1], 3, axis=0)
    image = Image.fromarray(np.ascontiguousarray(channels.transpose(1, 2, 0)))
    if image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    padding = ((0, cell - size[1]), (0, cell - size[0]), (0, 0))
    return Image.fromarray(np.pad(np.asarray(image), padding, mode="edge"))


def _data_uri(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, format="WEBP", quality=72, method=4)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def _pack_arrays(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return little-endian arrays, one after the other from the widest to the narrowest type, and how to part them."""
    ordered = sorted(arrays.items(), key=lambda item: -item[1].itemsize)
    raw = b"".join(array.astype(array.dtype.newbyteorder("<")).tobytes() for _, array in ordered)
    fields = [{"name": name, "type": array.dtype.name, "length": array.size} for name, array in ordered]
    return {"fields": fields, "data": _pack(raw)}


def _pack_json(value: Any) -> str:
    return _pack(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def _pack(raw: bytes) -> str:
    return base64.b64encode(zlib.compress(raw, 9)).decode("ascii")
