"""Video files as frames: decoded once, a frame at a time, whatever their length."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from handful.data.items import Undecodable
from handful.errors import InputError
from handful.modalities.image_files import EXTENSIONS as IMAGE_EXTENSIONS

EXTENSIONS = (".mp4", ".avi", ".webm", ".mov", ".mkv", ".m4v", ".mpg", ".mpeg", ".gif")
WRITABLE = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".gif")
RATE = 25  # frames a second of what is written


def is_video_file(path: Path) -> bool:
    """Tell from its name whether a file is meant to be a video."""
    return path.suffix.lower() in EXTENSIONS


def import_av() -> Any:
    """Return PyAV. Raises InputError where it is not installed."""
    try:
        import av
    except ImportError:
        raise InputError("videos need PyAV: pip install 'handful[video]'.") from None
    return av


def read_frames(path: Path, *, size: int, channels: int) -> Iterator[np.ndarray]:
    """Yield the frames of a video [C, size, size] uint8, the middle square of each, in order of time.

    A folder is a video of the images in it, by name. Where frames of a file stand at uneven times, those of an even
    rate are yielded, as many a second as the file has on average. Raises Undecodable where there is no frame.
    """
    count = 0
    for picture in _folder_frames(path) if path.is_dir() else _file_frames(path):
        yield _square(picture, size, channels)
        count += 1
    if not count:
        raise Undecodable("holds no frame")


def check_writable(path: str | Path) -> None:
    """Raise InputError unless the ending of a name says a format that videos are written in."""
    if Path(path).suffix.lower() not in WRITABLE:
        raise InputError(f"{Path(path).name} does not say its format: call it .mp4, .mov, .mkv, .avi, .webm or .gif.")


def write_video(frames: np.ndarray, path: Path, *, rate: float = RATE) -> Path:
    """Write frames [T, C, H, W] uint8 as a video and return its path; the ending of the name chooses the format.

    Raises InputError where the ending is not known.
    """
    av = import_av()
    check_writable(path)
    codec = {".webm": "libvpx-vp9", ".gif": "gif", ".avi": "mpeg4"}.get(path.suffix.lower(), "libx264")
    path.parent.mkdir(parents=True, exist_ok=True)
    even = frames[..., : frames.shape[-2] // 2 * 2, : frames.shape[-1] // 2 * 2]  # what the codecs take
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=round(rate))
        stream.width, stream.height = even.shape[-1], even.shape[-2]
        stream.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
        for picture in even:
            colour = np.repeat(picture, 3, 0) if len(picture) == 1 else picture
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(np.moveaxis(colour, 0, -1)), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _file_frames(path: Path) -> Iterator[Image.Image]:
    av = import_av()
    try:
        if path.stat().st_size == 0:
            raise Undecodable("is empty (0 bytes)")
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise Undecodable("holds no pictures, only sound" if container.streams.audio else "holds no pictures")
            counts = _counts(path)
            for place, frame in enumerate(container.decode(video=0)):
                for _ in range(1 if counts is None or place >= len(counts) else int(counts[place])):
                    yield frame.to_image()
    except (av.FFmpegError, OSError) as error:
        told = (getattr(error, "strerror", None) or str(error)).lower()
        raise Undecodable(f"is not a video that can be read: {told}") from None


def _counts(path: Path) -> np.ndarray | None:
    """Return how often each frame is shown at the average rate [F], None where the frames are evenly apart already or
    their times are not told."""
    with import_av().open(str(path)) as container:  # opened anew, because not every format can be wound back
        times = [packet.pts for packet in container.demux(video=0) if packet.size]
    if len(times) < 3 or None in times:
        return None
    moments = np.sort(np.array(times, dtype=np.float64))
    apart = np.diff(moments)
    usual = np.median(apart)
    if apart.min() <= 0 or (apart.max() < 1.5 * usual and apart.min() > 0.5 * usual):
        return None
    ticks = np.rint((moments - moments[0]) / apart.mean()).astype(int)
    return np.diff(ticks, append=ticks[-1] + 1)


def _folder_frames(path: Path) -> Iterator[Image.Image]:
    for file in sorted(path.iterdir()):
        if file.suffix.lower() in IMAGE_EXTENSIONS:
            try:
                with Image.open(file) as picture:
                    yield picture.convert("RGB")
            except (UnidentifiedImageError, OSError):
                raise Undecodable(f"has a frame that cannot be read: {file.name}") from None


def _square(picture: Image.Image, size: int, channels: int) -> np.ndarray:
    """Return the middle square of a picture as [C, size, size] uint8."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    fitted = picture.convert("L" if channels == 1 else "RGB").resize(
        (size, size),
        Image.Resampling.BOX if side >= size else Image.Resampling.BILINEAR,
        (left, top, left + side, top + side),
    )
    pixels = np.asarray(fitted)
    return pixels[None] if channels == 1 else np.moveaxis(pixels, -1, 0)
