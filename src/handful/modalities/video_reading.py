"""Reading videos: clips of a fixed number of frames from files, folders of frames and arrays."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from handful.data.cache import written_whole
from handful.data.dataset import Decoded
from handful.data.digests import digest, digest_file, digest_rows, fingerprint
from handful.data.folders import walk
from handful.data.items import Progress, Undecodable
from handful.data.sources import Source, Wanted, row_numbers
from handful.errors import InputError, did_you_mean
from handful.modalities.image_files import EXTENSIONS as IMAGE_EXTENSIONS
from handful.modalities.video_files import EXTENSIONS, is_video_file, read_frames

FORMAT = 2
"""Raised whenever decoding changes what it gives, so that older files of the cache are left alone."""
FRAMES = 10
SIZE = 64
_ARRAY_FILE = b"\x93NUMPY"


@dataclass(frozen=True)
class Clips:
    """N clips, read by rows: uint8 [M, T, C, H, W].

    films: the frames of each video [F, C, H, W], memory-mapped. film: [N] which one a clip is of; start: [N] its first
    frame. frames: T; every: how many frames of the video one step of the clip is.
    """

    films: list[np.ndarray]
    film: np.ndarray
    start: np.ndarray
    frames: int
    every: int

    def __len__(self) -> int:
        return len(self.film)

    def __getitem__(self, rows: Any) -> np.ndarray:
        if isinstance(rows, int | np.integer):
            return self[np.array([rows])][0]
        chosen = np.arange(len(self))[rows]
        steps = np.arange(self.frames) * self.every
        return np.stack([self.films[self.film[row]][self.start[row] + steps] for row in chosen])

    @property
    def shape(self) -> tuple[int, ...]:
        """N, T, C, H and W."""
        return (len(self), self.frames, *self.films[0].shape[1:])

    def run_up(self, row: int, count: int) -> np.ndarray:
        """Return the frames of clip `row` and those of its video before it, at most `count`: [T, C, H, W]."""
        last = self.start[row] + (self.frames - 1) * self.every
        return self.films[self.film[row]][last % self.every : last + 1 : self.every][-count:]


@dataclass(frozen=True)
class ClipItems:
    """What was found: the clips, their digests, and why others were left out, by row of the source."""

    clips: Clips
    rows: np.ndarray
    digests: np.ndarray
    refused: dict[int, str]

    def blocks(self, rows: np.ndarray) -> Iterator[list[Any]]:
        for row in rows:
            yield [self.clips[int(np.searchsorted(self.rows, row))]]


def holds_videos(source: Any) -> bool:
    """Tell whether `source` is clearly made of videos: told from names and shapes."""
    if isinstance(source, np.ndarray):
        return source.ndim == 5
    if _is_list_of_paths(source):
        return all(is_video_file(Path(name)) for name in source)
    if not isinstance(source, str | os.PathLike):
        return False
    path = Path(source).expanduser()
    if path.is_file():
        return is_video_file(path) and path.suffix.lower() != ".gif"
    endings = [file.suffix.lower() for file in islice(walk(path), 1000)] if path.is_dir() else []
    videos = sum(end in EXTENSIONS and end != ".gif" for end in endings)
    return 2 * videos >= len(endings) > 0


def open_videos(
    source: Any,
    wanted: Wanted,
    *,
    cache: Path,
    size: int | None = None,
    channels: int = 3,
    window: float | None = None,
    every: int = 1,
    stride: float | None = None,
) -> Source:
    """Return the clips of `source` as a Source, every video decoded once into the cache.

    source: a folder of video files, or of folders of frames; one video, or a list of them; an array (n, t, c, h, w), in
        .npy as well.
    size: pixels of a side. channels: 3, or 1 for grey. window: frames of a clip; every: take one of so many; stride:
    frames from the start of one clip to that of the next: without it one clip of each file, from its middle, and of a
    single file all that half overlap. The id of one of several clips of a file ends with its frames: "a.mp4[10:20]".
    Raises InputError where no clip is found.
    """
    cut = _Cut(
        _whole("window", FRAMES if window is None else window, 2),
        _whole("every", every, 1),
        None if stride is None else _whole("stride", stride, 1),
    )
    side = _whole("size", size or SIZE, 8)
    if channels not in (1, 3):
        raise InputError(f"channels must be 1 or 3, got {channels!r}.")
    if _is_list_of_paths(source):
        files = _Files([str(_existing(name)) for name in source], Path(), "the list given", alone=False)
    elif not isinstance(source, str | os.PathLike):
        return _from_array(source, "the array given")
    elif (path := _existing(source)).is_dir():
        names = _find(path)
        files = _Files(names, path, f"{path.resolve().name}/", alone=len(names) == 1)
    elif path.suffix.lower() == ".npy":
        from handful.data.arrays import open_npy

        return _from_array(open_npy(path), path.name)
    else:
        files = _Files([path.name], path.parent, path.name, alone=True)
    return _cut_clips(files, cut, (channels, side, side), cache)


@dataclass(frozen=True)
class _Files:
    """Videos by their names under `root`, what their source is called, and whether it is one video by itself."""

    names: list[str]
    root: Path
    called: str
    alone: bool


@dataclass(frozen=True)
class _Cut:
    """How a video is cut: frames of a clip, one of `every` taken, and frames from clip to clip, if more than one."""

    frames: int
    every: int
    stride: int | None

    @property
    def span(self) -> int:
        """Frames of the video from the first of a clip to its last."""
        return (self.frames - 1) * self.every + 1

    def starts(self, n: int, *, alone: bool) -> list[int]:
        """Return the first frames of the clips of a video of `n` frames."""
        if n < self.span:
            raise Undecodable(f"has {n} frames, {self.span} are needed for a clip")
        if self.stride is None and not alone:
            return [(n - self.span) // 2]
        starts = list(range(0, n - self.span + 1, self.stride or max(1, self.span // 2)))
        if self.stride is None and starts[-1] < n - self.span:
            starts.append(n - self.span)  # the end of the video is in a clip
        return starts


def _cut_clips(files: _Files, cut: _Cut, shape: tuple[int, int, int], cache: Path) -> Source:
    """Return the clips of frames of `shape` [C, H, W] that the files are cut into."""
    ids: list[str] = []
    found: list[tuple[int, int]] = []
    rows: list[int] = []
    digests: list[str] = []
    refused: dict[int, str] = {}
    films: list[np.ndarray] = []
    for name in files.names:
        try:
            film, mark = _decoded(files.root / name, shape, cache)
            starts = cut.starts(len(film), alone=files.alone)
        except Undecodable as error:
            refused[len(ids)] = str(error)
            ids.append(name)
            continue
        for start in starts:
            rows.append(len(ids))
            ids.append(name if len(starts) == 1 else f"{name}[{start}:{start + cut.span}]")
            found.append((len(films), start))
            digests.append(digest(f"{mark} {start} {cut.frames} {cut.every}".encode()))
        films.append(film)
    if not found:
        first, reason = next(iter(refused.items()))
        many = f"none of the {len(ids)} videos of {files.called} can be read: " if len(ids) > 1 else ""
        raise InputError(f"{many}{ids[first]} {reason}.")
    film_of, start_of = (np.array(values) for values in zip(*found, strict=True))
    clips = Clips(films, film_of, start_of, cut.frames, cut.every)
    items = ClipItems(clips, np.array(rows), np.array(digests), refused)
    return Source(files.called, np.array(ids), items, root=files.root)


def read_clips(
    source: Source,
    *,
    cache: Path,
    progress: Progress | None = None,
    size: int | None = None,
    stride: float | None = None,
    **settings: Any,
) -> Decoded:
    """Return the clips that `open_videos` found."""
    items: Any = source.items
    clips = items.clips
    shape = clips[0].shape  # [T, C, H, W]
    read = {"size": int(shape[-1]), "channels": int(shape[1]), "window": int(shape[0]), "every": clips.every}
    if stride is not None:
        read["stride"] = int(stride)
    return Decoded(clips, items.rows, items.digests, read, items.refused)


def _is_list_of_paths(source: Any) -> bool:
    return isinstance(source, list | tuple) and bool(source) and all(isinstance(x, str | os.PathLike) for x in source)


def _existing(source: str | os.PathLike[str]) -> Path:
    path = Path(source).expanduser()
    if not path.exists():
        near = did_you_mean(path.name, (p.name for p in path.parent.iterdir())) if path.parent.is_dir() else ""
        raise InputError(f"{path} does not exist: give a folder of videos or a video.{near}")
    return path


def _whole(name: str, value: float, least: int) -> int:
    if (
        not isinstance(value, int | float | np.integer)
        or isinstance(value, bool)
        or value != int(value)
        or value < least
    ):
        raise InputError(f"{name} must be a whole number of at least {least}, got {value!r}.")
    return int(value)


def _find(root: Path) -> list[str]:
    """Return the videos below a folder, relative to it; where there are none, its folders of frames."""
    files = [path for path in walk(root) if is_video_file(path)]
    if not files:
        files = sorted({path.parent for path in walk(root) if path.suffix.lower() in IMAGE_EXTENSIONS} - {root})
    if not files:
        raise InputError(f"there is no video in {root}: neither a file such as .mp4 nor a folder of frames.")
    return sorted(path.relative_to(root).as_posix() for path in files)


def _decoded(path: Path, shape: tuple[int, int, int], cache: Path) -> tuple[np.ndarray, str]:
    """Return the frames of a video [F, C, H, W], memory-mapped, and the digest of its content."""
    if path.is_dir():
        parts = [digest_file(file) for file in sorted(path.iterdir()) if file.suffix.lower() in IMAGE_EXTENSIONS]
        mark = digest(" ".join(parts).encode())
    else:
        mark = digest_file(path)
    kind = fingerprint({"modality": "video", "format": FORMAT, "shape": list(shape)})
    file = cache / "decoded" / kind / f"{mark}.rgb"
    if not file.is_file():
        with written_whole(file) as out:
            for frame in read_frames(path, size=shape[1], channels=shape[0]):
                out.write(np.ascontiguousarray(frame).data)
    count = file.stat().st_size // int(np.prod(shape))
    return np.memmap(file, np.uint8, "r", shape=(count, *shape)), mark


def _from_array(source: Any, name: str) -> Source:
    array = np.asarray(source)
    if array.ndim != 5 or array.shape[2] not in (1, 3) or array.shape[3] != array.shape[4] or array.shape[1] < 2:
        raise InputError(
            f"{name} has the shape {array.shape}: clips are (n, t, c, h, w) with 2 frames at least, c 1 or 3, h as w."
        )
    if array.dtype.kind == "f":
        if not np.isfinite(array).all() or array.min() < 0 or array.max() > 1:
            raise InputError(
                f"{name} holds values from {array.min():g} to {array.max():g}: give floats from 0 to 1, or uint8."
            )
        array = np.rint(array * 255).astype(np.uint8)
    if array.dtype != np.uint8:
        raise InputError(f"{name} holds {array.dtype}: give uint8, or floats from 0 to 1.")
    n, t = array.shape[:2]
    clips = Clips([*array], np.arange(n), np.zeros(n, int), t, 1)
    return Source(name, row_numbers(n), ClipItems(clips, np.arange(n), np.array(digest_rows(array)), {}))
