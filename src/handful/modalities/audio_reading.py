"""Reading sounds: every one decoded once, at one rate, into a memory-mapped file of the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from handful.data.cache import written_whole
from handful.data.dataset import Decoded
from handful.data.digests import fingerprint
from handful.data.folders import walk
from handful.data.items import ArrayItems, FileItems, Items, ListItems, Progress, Undecodable, load
from handful.data.memory import recall
from handful.data.pool import map_blocks
from handful.data.scan import scan_items
from handful.data.sources import Source, Wanted, open_source
from handful.errors import InputError
from handful.modalities.audio_files import (
    EXTENSIONS,
    RATES,
    decode_audio,
    encode_wav,
    import_soundfile,
    is_audio_file,
    probe_audio,
)
from handful.modalities.image_files import EXTENSIONS as IMAGE_EXTENSIONS
from handful.modalities.series_samples import Sequences

FORMAT = 1
"""Raised whenever decoding changes what it gives, so that older files of the cache are left alone."""
USUAL_RATE = 16_000
"""Hertz: the highest that is chosen unasked; what speech is recognised at, and most of what tells sounds apart."""
_LOOKED_AT = 1000  # files that decide what a folder holds


@dataclass(frozen=True)
class AudioSettings:
    """How sounds are read.

    rate: samples a second; None takes the rate of the middle one of all, at most 16,000. Of arrays it is the rate that
    they have. seconds: how much of a sound is read, in pieces spread over it.
    """

    rate: int | None = None
    seconds: float = 30.0

    def __post_init__(self) -> None:
        low, high = RATES
        whole = isinstance(self.rate, int | np.integer) and not isinstance(self.rate, bool)
        if self.rate is not None and not (whole and low <= self.rate <= high):
            raise InputError(f"rate must be a whole number of hertz from {low} to {high}, got {self.rate!r}.")
        if not (isinstance(self.seconds, int | float) and 0.1 <= self.seconds <= 3600):
            raise InputError(f"seconds must be a number from 0.1 to 3600, got {self.seconds!r}.")


def holds_audio(source: Any) -> bool:
    """Tell whether `source` is clearly made of sounds: told from names, without reading any."""
    if isinstance(source, list | tuple):
        names = [item for item in source if isinstance(item, str | Path)]
        return len(names) == len(source) > 0 and all(
            Path(str(name)[-99:]).suffix.lower() in EXTENSIONS for name in names
        )
    if not isinstance(source, str | Path):
        return False
    path = Path(source).expanduser()
    if not path.is_dir():
        return path.suffix.lower() in EXTENSIONS and path.is_file()
    endings = [file.suffix.lower() for file in islice(walk(path), _LOOKED_AT)]
    sounds = sum(end in EXTENSIONS for end in endings)  # beside them may lie their words, or a list of them
    return 2 * sounds >= len(endings) > 0 and not any(end in IMAGE_EXTENSIONS for end in endings)


def open_audio(
    source: Any, wanted: Wanted, *, cache: Path, window: float | None = None, stride: float | None = None
) -> Source:
    """Return the sounds of `source` as a Source, or their windows.

    window, stride: seconds; every file is cut into windows, one every `stride`, each an item of its own whose id is
    the file's and the seconds ("song.ogg[5:10]"). None leaves files whole.
    """
    for name, value in (("window", window), ("stride", stride)):
        if value is not None and not (isinstance(value, int | float) and 0.1 <= value <= 3600):
            raise InputError(f"{name} must be a number of seconds from 0.1 to 3600, got {value!r}.")
    if stride is not None and window is None:
        raise InputError(f"stride={stride!r} says how far apart windows begin: give window as well.")
    path = Path(source).expanduser() if isinstance(source, str | Path) else None
    if path is not None and path.is_file() and is_audio_file(path):
        found = Source(path.name, np.array([path.name]), FileItems(path.parent, [path.name]), root=path.parent)
    else:
        found = open_source(source, wanted, cache=cache)
    if window is None:
        return found
    ids: list[str] = []
    items: list[Any] = []
    for name, path in zip(found.ids.tolist(), _paths(found, window), strict=True):
        for suffix, item in _windows(path, window, stride or window):
            ids.append(name + suffix)
            items.append(item)
    return Source(found.name, np.array(ids), ListItems(items), root=found.root)


def _paths(found: Source, window: float) -> list[Path]:
    """Return the files of a source. Raises InputError where its items are none."""
    if isinstance(found.items, FileItems):
        return [found.items.root / path for path in found.items.paths]
    if isinstance(found.items, ListItems) and all(isinstance(item, str | Path) for item in found.items.items):
        return [Path(item) for item in found.items.items]
    raise InputError(f"window={window!r} cuts files, and {found.name} holds none: cut the arrays first.")


def _windows(path: Path, window: float, stride: float) -> Iterator[tuple[str, Any]]:
    """Yield the windows of a file with the end of their ids; the file itself where its length cannot be told, or where
    its header announces a rate at which nothing is read."""
    try:
        info = import_soundfile().info(path)
    except RuntimeError:  # of soundfile: it will be refused by name when it is decoded
        yield "", path
        return
    if not RATES[0] <= info.samplerate <= RATES[1]:  # it is refused once, not window by window
        yield "", path
        return
    total = info.frames / info.samplerate
    count = max(1, 1 + int((total - window) / stride + 1e-9))
    for at in range(count):
        start = at * stride
        yield f"[{start:g}:{min(start + window, total):g}]", partial(_read_window, path, start, window)


def _read_window(path: Path, start: float, window: float) -> bytes:
    soundfile = import_soundfile()
    try:
        with soundfile.SoundFile(path) as file:
            file.seek(round(start * file.samplerate))
            heard = file.read(round(window * file.samplerate), dtype="float32", always_2d=True).mean(1)
            return encode_wav(np.clip(np.rint(heard * 32767), -32767, 32767), file.samplerate)
    except RuntimeError:
        raise Undecodable("cannot be decoded at this place: the file is damaged or truncated") from None


def read_audio(
    source: Source,
    *,
    cache: Path,
    progress: Progress | None = None,
    size: int | None = None,
    window: float | None = None,
    stride: float | None = None,
    **settings: Any,
) -> Decoded:
    """Return the sounds of a source as int16 [n_i, 1] of one rate, read as `AudioSettings` says.

    Raises InputError where none can be read.
    """
    if size is not None:
        raise InputError(f"size={size!r} is a setting of images: leave it out for sounds.")
    wish = AudioSettings(**settings)
    items = _as_items(source, wish)
    seen = scan_items(items, len(source.ids), probe_audio, n_found=3, cache=cache, progress=progress, by_piece=True)
    rows = np.flatnonzero(seen.digests != "")
    if len(rows) == 0:
        raise InputError(_none_readable(source, seen.refused))
    chosen: dict[str, Any] = {"rate": wish.rate or _usual_rate(seen.found[rows, 1]), "seconds": wish.seconds}
    decode = partial(decode_audio, **chosen)
    samples, failed = _decode_once(items, rows, seen.digests[rows], decode, chosen, cache, progress)
    refused = {**seen.refused, **{int(rows[at]): reason for at, reason in failed.items()}}
    kept = np.delete(rows, list(failed))
    if len(kept) == 0:
        raise InputError(_none_readable(source, refused))
    if window is not None:
        chosen |= {"window": window, "stride": stride or window}
    chosen["bands"] = usual_bands(chosen["rate"])
    return Decoded(samples, kept, seen.digests[kept], chosen, refused)


def usual_bands(rate: int) -> int:
    """Return how many mel bands sounds of this rate are described by."""
    return 40 if rate <= 8000 else 64


def _as_items(source: Source, wish: AudioSettings) -> Items:
    in_memory = source.array is not None or (
        isinstance(source.items, ListItems) and any(isinstance(item, np.ndarray) for item in source.items.items)
    )
    if in_memory and wish.rate is None:
        raise InputError(f"{source.name} does not say how many samples a second it has: give rate=16000, say.")
    if source.array is not None:
        return ArrayItems(source.array, lambda block: block)
    assert source.items is not None
    return source.items


def _usual_rate(rates: np.ndarray) -> int:
    return int(min(USUAL_RATE, np.sort(rates)[len(rates) // 2]))


def _decode_once(
    items: Items,
    rows: np.ndarray,
    digests: np.ndarray,
    decode: Callable[[Any], np.ndarray],
    settings: dict[str, Any],
    cache: Path,
    progress: Progress | None,
) -> tuple[Sequences, dict[int, str]]:
    """Return the decoded `rows` [M] from the cache, and which of the M cannot be decoded, with the reason."""
    kind = fingerprint({"modality": "audio", "format": FORMAT, **settings})
    place = cache / "decoded" / kind / f"{fingerprint({}, digests)}.npz"
    index = recall(place, ("ends", "failed", "reasons"))
    packed = place.with_suffix(".i16")
    if index is None or not packed.is_file() or packed.stat().st_size != 2 * int(index["ends"].max(initial=0)):
        index = _write(items, rows, decode, place, packed, progress)
    failed = dict(zip(index["failed"].tolist(), index["reasons"].tolist(), strict=True))
    values = np.memmap(packed, np.int16, "r") if packed.stat().st_size else np.zeros(0, np.int16)
    return Sequences(values[:, None], index["ends"]), failed


def _write(
    items: Items,
    rows: np.ndarray,
    decode: Callable[[Any], np.ndarray],
    place: Path,
    packed: Path,
    progress: Progress | None,
) -> dict[str, np.ndarray]:
    def work(block: Sequence[Any]) -> list[np.ndarray | str]:
        return [_decode_one(item, decode) for item in block]

    lengths: list[int] = []
    failed: dict[int, str] = {}
    done = 0
    with written_whole(packed) as file:
        for block in map_blocks(work, items.blocks(rows)):
            for sound in block:
                if isinstance(sound, str):
                    failed[done] = sound
                else:
                    file.write(sound.data)
                    lengths.append(len(sound))
                done += 1
            if progress is not None:
                progress("decoding", done, len(rows))
    index = {
        "ends": np.cumsum(lengths, dtype=np.int64),
        "failed": np.array(list(failed), np.int64),
        "reasons": np.array(list(failed.values()), dtype=str),
    }
    with written_whole(place, durable=False) as file:
        np.savez(file, allow_pickle=False, **index)
    return index


def _decode_one(item: Any, decode: Callable[[Any], np.ndarray]) -> np.ndarray | str:
    try:
        return np.ascontiguousarray(decode(item if isinstance(item, Path) else load(item)))
    except Undecodable as reason:
        return str(reason)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"


def _none_readable(source: Source, refused: dict[int, str] | Any) -> str:
    row, reason = next(iter(refused.items()))
    return f"none of the {len(source.ids)} sounds of {source.name} can be read: {source.ids[row]} {reason}."
