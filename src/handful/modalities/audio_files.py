"""Sounds as files, bytes and arrays: what a header tells, and decoding to int16 [n, 1] at one rate."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import resample_poly

from handful.data.items import Content, Undecodable
from handful.errors import InputError

_READ = "wav wave flac ogg oga opus mp3 aif aiff aifc au snd caf w64 rf64"
_REFUSED = "m4a aac wma amr mid midi ape wv"  # sounds, so they are named, not passed over
EXTENSIONS = frozenset(f".{name}" for name in f"{_READ} {_REFUSED}".split())
RATES = (1000, 768_000)
"""Hertz. A lower rate is a wrong header, or no sound: what people hear begins at about 50 Hz, and speech needs 4000."""
PIECE_SECONDS = 5
MOST_CHANNELS = 32
_FULL = 32767
_SIGNATURES = (b"fLaC", b"OggS", b"ID3", b"FORM", b".snd", b"caff")


def is_audio_file(path: Path) -> bool:
    """Tell whether a file is meant to be a sound, by its extension, else by its first bytes."""
    if path.suffix.lower() in EXTENSIONS:
        return True
    if path.suffix:
        return False
    try:
        with path.open("rb") as file:
            return looks_like_audio(file.read(12))
    except OSError:
        return False


def looks_like_audio(head: bytes) -> bool:
    """Tell whether the first 12 bytes of a file are those of a sound."""
    return head.startswith(_SIGNATURES) or (head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE")


def import_soundfile() -> Any:
    """Return the library that decodes sounds. Raises InputError where it is not installed."""
    try:
        import soundfile
    except (ImportError, OSError):  # OSError: without its shared library
        raise InputError("sounds need the extra 'audio': pip install 'handful[audio]'.") from None
    return soundfile


def probe_audio(content: Content | Path) -> tuple[int, ...]:
    """Return from the header of an encoded sound, or its file, how many samples it has, its rate and its channels.

    Of an array [n] or [channels, n] the rate is 0. Raises Undecodable with the reason.
    """
    if isinstance(content, np.ndarray):
        if content.ndim not in (1, 2) or content.size == 0:
            raise Undecodable(f"has the shape {content.shape}: a sound is (samples,) or (channels, samples)")
        return content.shape[-1], 0, content.size // content.shape[-1]
    with _opened(content) as file:
        return _check_header(file)


def decode_audio(content: Content | Path, *, rate: int, seconds: float) -> np.ndarray:
    """Return a sound as int16 [n, 1] at `rate` hertz, its channels mixed.

    content: an encoded sound, or its file, of which no more than is needed is read; or an array [n] or [channels, n] at
        `rate` already, of int16 or of floats from -1 to 1.
    seconds: of a longer sound, stretches of 5 s evenly spread over it are read, so many seconds in all.
    Raises Undecodable for damaged and silent ones.
    """
    if isinstance(content, np.ndarray):
        heard = _as_float(content)
        heard = heard if heard.ndim == 1 else heard.mean(0)
        pieces = [heard[at : at + length] for at, length in stretches(len(heard), rate, seconds)]
        return _as_int16(np.concatenate(pieces))
    with _opened(content) as file:
        frames, own_rate, _ = _check_header(file)
        try:
            pieces = [_read(file, at, length) for at, length in stretches(frames, own_rate, seconds)]
        except Exception as error:
            raise Undecodable(f"cannot be decoded: {_reason(error)}") from None
    found = sum(len(piece) for piece in pieces)
    if found == 0 or found < 0.9 * sum(length for _, length in stretches(frames, own_rate, seconds)):
        raise Undecodable(f"is truncated: it holds {found} of the samples that its header announces")
    return _as_int16(np.concatenate([resample(piece, own_rate, rate) for piece in pieces]))


def stretches(samples: int, rate: int, seconds: float) -> list[tuple[int, int]]:
    """Return beginning and length in samples of what is read of a sound: all, or pieces spread over it evenly."""
    most = round(seconds * rate)
    if samples <= most:
        return [(0, samples)]
    piece = min(most, PIECE_SECONDS * rate)
    count = max(1, most // piece)
    begins = np.linspace(0, samples - piece, count).astype(np.int64)
    return [(int(at), piece) for at in begins]


def resample(wave: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """Return a sound [n] at another rate, without what the new rate cannot carry."""
    if rate == wanted or len(wave) == 0:
        return wave
    ratio = Fraction(wanted, rate).limit_denominator(1000)
    return resample_poly(wave, ratio.numerator, ratio.denominator).astype(np.float32)


def encode_wav(wave: np.ndarray, rate: int) -> bytes:
    """Return int16 [n] as the bytes of a .wav file."""
    import wave as wav

    buffer = io.BytesIO()
    with wav.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.ascontiguousarray(wave).astype("<i2").tobytes())
    return buffer.getvalue()


def _opened(content: bytes | Path | Any) -> Any:
    soundfile = import_soundfile()
    if isinstance(content, Path) and content.stat().st_size == 0:
        raise Undecodable("is empty (0 bytes)")
    try:
        return soundfile.SoundFile(content if isinstance(content, Path) else io.BytesIO(content))
    except Exception as error:
        raise Undecodable(f"is not a sound of a kind that is read, or is damaged: {_reason(error)}") from None


def _check_header(file: Any) -> tuple[int, int, int]:
    low, high = RATES
    if not low <= file.samplerate <= high:
        raise Undecodable(f"has a rate of {file.samplerate} Hz: sounds are read at {low} to {high} Hz")
    if file.channels > MOST_CHANNELS:
        raise Undecodable(f"has {file.channels} channels, more than {MOST_CHANNELS}: 5 s of them could fill the memory")
    if file.frames <= 0:
        raise Undecodable("holds no sound: its length is 0")
    if "data : " in file.extra_info and "(should be" in file.extra_info.split("data : ", 1)[1].split("\n", 1)[0]:
        raise Undecodable("is truncated: its header announces more samples than it holds")
    return int(file.frames), int(file.samplerate), int(file.channels)


def _read(file: Any, start: int, length: int) -> np.ndarray:
    if start:
        file.seek(start)
    found = file.read(length, dtype="float32", always_2d=True)
    return found.mean(1)


def _as_float(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "f":
        top = float(np.abs(values).max(initial=0)) if np.isfinite(values).all() else np.inf
        if not top <= 1.5:
            raise Undecodable(
                "holds floats beyond -1 to 1, which is what a sound runs over: divide by its largest value"
            )
        return values.astype(np.float32)
    if values.dtype == np.int16:
        return values.astype(np.float32) / _FULL
    raise Undecodable(f"holds values of type {values.dtype}: a sound is int16, or floats from -1 to 1")


def _as_int16(wave: np.ndarray) -> np.ndarray:
    if not np.isfinite(wave).all():
        raise Undecodable("holds values that are not finite")
    if float(np.ptp(wave)) * _FULL < 1:
        raise Undecodable("is silent: all its values are the same")
    return np.clip(np.rint(wave * _FULL), -_FULL, _FULL).astype(np.int16)[:, None]


def _reason(error: BaseException) -> str:
    words = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
    return words.rsplit(": ", 1)[-1]
