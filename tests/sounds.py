"""Small sounds and files of them, made for tests."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soundfile


def tone(hertz: float = 440.0, *, seconds: float = 0.5, rate: int = 8000, channels: int = 1) -> np.ndarray:
    """Return a tone as float32 [n, channels], half as loud as can be."""
    time = np.arange(round(seconds * rate)) / rate
    return np.repeat(0.5 * np.sin(2 * np.pi * hertz * time)[:, None], channels, 1).astype(np.float32)


def encoded_sound(values: np.ndarray, *, rate: int = 8000, kind: str = "WAV", **options: str) -> bytes:
    """Return a sound [n, channels] as the bytes of a file."""
    buffer = io.BytesIO()
    soundfile.write(buffer, values, rate, format=kind, **options)
    return buffer.getvalue()


def write_sounds(folder: Path, names: list[str], **options: float) -> Path:
    """Write a tone of another pitch for each of `names` (paths below `folder`) and return `folder`."""
    for row, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        kind = {"flac": "FLAC", "ogg": "OGG", "mp3": "MP3"}.get(path.suffix[1:], "WAV")
        path.write_bytes(encoded_sound(tone(300 + 40 * row, **options), kind=kind))  # type: ignore[arg-type]
    return folder
