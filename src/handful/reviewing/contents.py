"""What a person sees of an item: values for the page to draw, and bytes of pictures, sounds and clips."""

from __future__ import annotations

import io
import re
import threading
import time
import wave
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from handful.data import Dataset
from handful.errors import InputError
from handful.modalities.table_reading import write_cell
from handful.reviewing.opened import Opened

LARGEST = 1600  # pixels of a side
LONG, SHORT = 20_000, 300  # letters of a text
WAVE, SHORT_WAVE = 400, 80
STEPS, SHORT_STEPS = 400, 120
SHORT_CELLS = 4
PROBED = 4_000  # rows that tell what is usual
MOST_WORDS = 24
COMMON = 0.1  # of the texts; a word in more of them says nothing
FRAME_MS = 150
CLIP_QUALITY = 95  # below it a small thing that moves leaves a trail
WAIT_SECONDS = 10.0  # for the source to be read
SEARCH_SECONDS = 2.0
_PICTURES = frozenset(["jpg", "jpeg", "png", "gif", "webp", "bmp", "tif", "tiff", "ppm", "pgm", "pbm", "jp2", "avif"])


class Gone(Exception):
    """An item that cannot be seen or heard now, and why."""


class Contents:
    """Shows the items of a run. They are read again from their source, in a thread of its own.

    data: the data set of the run where there is no source to read.
    """

    def __init__(self, opened: Opened, read: Callable[[], Dataset]) -> None:
        self._opened, self._read = opened, read
        self._ready = threading.Event()
        self._data: Dataset | None = None
        self._rows = np.empty(0, np.int64)
        self._why = ""
        self._usual: Any = None
        source = opened.run.record.get("source")
        root = Path(source) if isinstance(source, str) and not source.startswith("<") else None
        self._root = root.resolve() if root is not None and root.is_dir() else None
        self.media = lru_cache(maxsize=512)(self._media)

    def load(self) -> None:
        """Read the source; what goes wrong is told in the place of each item."""
        try:
            data = self._read()
            row = {name: at for at, name in enumerate(data.ids.tolist())}
            self._rows = np.array([row.get(name, -1) for name in self._opened.ids.to_pylist()], np.int64)
            self._data = data
        except InputError as error:
            self._why = str(error)
        except Exception as error:
            self._why = f"the source could not be read: {error}"
        finally:
            self._ready.set()

    def show(self, row: int, *, short: bool = False, like: Sequence[tuple[int, float]] = ()) -> dict[str, Any]:
        """Return the content of an item as JSON values.

        short: for lists. like: the rows that carried its label, with their shares: the words that a text has in common
        with them count.
        """
        if self._opened.kind == "image" and self._file(row) is not None:
            return {"type": "image", "url": f"/api/items/{row}/media"}
        sample, why = self._sample(row)
        if sample is None:
            return {"type": "missing", "why": why}
        shown: dict[str, Any] = getattr(self, f"_show_{self._opened.kind}")(row, sample, short)
        if self._opened.kind == "text" and not short:
            shown["words"] = self._words(str(sample), like)
        return {"type": self._opened.kind, **shown}

    def text_matches(self, words: str, most: int) -> list[int]:
        """Return rows whose text holds `words`, whatever the case: those found in two seconds."""
        if self._opened.kind != "text" or self._data is None:
            return []
        found, wanted, until = [], words.casefold(), time.monotonic() + SEARCH_SECONDS
        for row in range(len(self._opened)):
            if time.monotonic() > until:
                break
            sample, _ = self._sample(row)
            if sample is not None and wanted in str(sample).casefold():
                found.append(row)
                if len(found) == most:
                    break
        return found

    @property
    def data(self) -> Dataset | None:
        """The data set, once it was read."""
        return self._data

    def _media(self, row: int, size: int) -> tuple[bytes, str]:
        """Return the bytes of an item and their type. size: pixels at most. Raises Gone where there are none."""
        kind = self._opened.kind
        file = self._file(row) if kind == "image" else None
        if file is not None and file.suffix.lower().lstrip(".") in _PICTURES:
            try:
                return _picture_file(file, min(size, LARGEST))
            except (OSError, ValueError, Image.DecompressionBombError):
                file = None
        sample, why = self._sample(row)
        if sample is None:
            raise Gone(why)
        if kind == "image":
            return _png(np.moveaxis(sample, 0, -1)), "image/png"
        if kind == "audio":
            assert self._data is not None
            return _wav(sample, int(self._data.settings["rate"])), "audio/wav"
        if kind == "video":
            return _clip(sample), "image/webp"
        raise Gone(f"items of the kind {kind} come with /api/items, not as a file.")

    def _file(self, row: int) -> Path | None:
        """Return the file of an item, only where it lies below the source's folder, links followed."""
        if self._root is None:
            return None
        try:
            path = (self._root / self._opened.id(row)).resolve()
            return path if path.is_relative_to(self._root) and path.is_file() else None
        except (OSError, ValueError):
            return None

    def _sample(self, row: int) -> tuple[Any, str]:
        if not self._ready.wait(WAIT_SECONDS):
            return None, "the items are still being read."
        if self._data is None:
            return None, self._why
        at = int(self._rows[row])
        if at < 0:
            return None, "this item is no longer in the source."
        return self._data.samples[np.array([at])][0], ""

    def _show_image(self, row: int, sample: np.ndarray, short: bool) -> dict[str, Any]:
        return {"url": f"/api/items/{row}/media"}

    def _show_video(self, row: int, sample: np.ndarray, short: bool) -> dict[str, Any]:
        return {"url": f"/api/items/{row}/media", "mime": "image/webp"}

    def _show_text(self, row: int, sample: Any, short: bool) -> dict[str, Any]:
        text = str(sample)
        most = SHORT if short else LONG
        return {"text": text if len(text) <= most else text[:most].rsplit(" ", 1)[0] + " …"}

    def _show_audio(self, row: int, sample: np.ndarray, short: bool) -> dict[str, Any]:
        heard = np.abs(sample[:, 0].astype(np.float32))
        ends = np.linspace(0, len(heard), (SHORT_WAVE if short else WAVE) + 1).astype(np.int64)
        peaks = np.maximum.reduceat(np.append(heard, 0), np.minimum(ends[:-1], len(heard)))
        return {"url": f"/api/items/{row}/media", "wave": np.round(peaks / max(peaks.max(), 1), 3).tolist()}

    def _show_series(self, row: int, sample: np.ndarray, short: bool) -> dict[str, Any]:
        at = np.unique(np.linspace(0, len(sample) - 1, SHORT_STEPS if short else STEPS).round().astype(np.int64))
        values = sample[at].T.astype(np.float64)
        return {"channels": [[None if value != value else float(f"{value:.5g}") for value in one] for one in values]}

    def _show_table(self, row: int, sample: np.ndarray, short: bool) -> dict[str, Any]:
        samples: Any = self._data.samples if self._data is not None else None
        names: Mapping[str, Mapping[float, str]] = getattr(samples, "names", {})
        odd = self._odd(np.asarray(sample, float))
        cells = [
            {"column": name, "value": write_cell(float(cell), name, kind, names), "odd": round(float(part), 3)}
            for (name, kind), cell, part in zip(samples.columns, sample, odd, strict=True)
        ]
        return {"cells": sorted(cells, key=lambda cell: -cell["odd"])[:SHORT_CELLS] if short else cells}

    def _odd(self, cells: np.ndarray) -> np.ndarray:
        """Return [C] how far from what is usual each cell is, 0 to 1: the share of rows nearer to the median."""
        if self._usual is None:
            samples: Any = self._data.samples if self._data is not None else None
            rows = np.unique(np.linspace(0, len(samples) - 1, PROBED).astype(np.int64))
            values = np.asarray(samples[rows], float)
            middle = np.array([np.nanmedian(one) if (one == one).any() else 0.0 for one in values.T])
            self._usual = middle, np.sort(np.abs(values - middle), axis=0)
            self._counts = [Counter(one.tolist()) for one in values.T]
        middle, far = self._usual
        found = np.zeros(len(cells))
        columns: Any = self._data.samples.columns if self._data is not None else ()  # type: ignore[attr-defined]
        for place, (_, kind) in enumerate(columns):
            if cells[place] != cells[place]:
                continue
            if kind == "number":
                nearer = np.searchsorted(far[:, place], abs(cells[place] - middle[place])) / len(far)
                found[place] = max(0.0, 10 * nearer - 9)
            else:
                counts = self._counts[place]
                found[place] = 1 - counts.get(cells[place], 0) / max(counts.values())
        return found

    def _words(self, text: str, like: Sequence[tuple[int, float]]) -> list[dict[str, Any]]:
        """Return the words that the text has in common with those that carried its label, the rare ones above all."""
        shared: dict[str, float] = defaultdict(float)
        for row, share in like:
            other, _ = self._sample(row)
            for word in set(_split(str(other))) if other is not None else ():
                shared[word] += share
        own = {word: shared[word] * self._rareness(word) for word in set(_split(text)) if shared[word]}
        most = max(own.values(), default=0.0)
        ranked = sorted(own, key=lambda word: (-own[word], word))[:MOST_WORDS]
        return [{"word": word, "weight": round(own[word] / most, 3)} for word in ranked if most > 0]

    def _rareness(self, word: str) -> float:
        if self._usual is None:
            samples: Any = self._data.samples if self._data is not None else ()
            rows = np.unique(np.linspace(0, len(samples) - 1, PROBED).astype(np.int64))
            self._usual = len(rows), Counter(word for text in samples[rows] for word in set(_split(str(text))))
        total, counts = self._usual
        return float(np.log(total / (counts[word] + 0.5))) if counts[word] <= max(COMMON * total, 3) else 0.0


def _split(text: str) -> list[str]:
    return re.findall(r"\w{3,}", text.casefold())


def _picture_file(path: Path, size: int) -> tuple[bytes, str]:
    with Image.open(path) as picture:
        picture.draft("RGB", (size, size))
        turned = picture.convert("RGB") if picture.mode not in ("L", "RGB", "RGBA") else picture.copy()
    turned.thumbnail((size, size))
    buffer = io.BytesIO()
    if turned.mode == "RGBA" or max(turned.size) <= 128:
        turned.save(buffer, "PNG")
        return buffer.getvalue(), "image/png"
    turned.save(buffer, "JPEG", quality=88)
    return buffer.getvalue(), "image/jpeg"


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels[..., :3]).save(buffer, "PNG")
    return buffer.getvalue()


def _wav(sound: np.ndarray, rate: int) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(sound[:, 0].astype("<i2").tobytes())
    return buffer.getvalue()


def _clip(clip: np.ndarray) -> bytes:
    """Return a clip [T, C, H, W] as an animated WebP."""
    pictures = [Image.fromarray(frame[0] if len(frame) == 1 else np.moveaxis(frame[:3], 0, -1)) for frame in clip]
    buffer = io.BytesIO()
    first, rest = pictures[0].convert("RGB"), [picture.convert("RGB") for picture in pictures[1:]]
    first.save(buffer, "WEBP", save_all=True, append_images=rest, duration=FRAME_MS, loop=0, quality=CLIP_QUALITY)
    return buffer.getvalue()
