"""Arrays as .npy and .npz files, memory-mapped, never held whole in memory."""

from __future__ import annotations

import re
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from handful.data.cache import unpacked
from handful.data.digests import digest
from handful.errors import InputError

BLOCK_BYTES = 8 << 20
_LABEL_KEYS = ("y", "labels", "label", "targets", "target")
# What a damaged header or member raises, parsed as it is by Python's own tokeniser and by zipfile.
UNREADABLE = (
    ValueError, TypeError, SyntaxError, tokenize.TokenError, OverflowError, RecursionError, MemoryError, OSError,
    EOFError, LookupError, AttributeError, NotImplementedError, zipfile.BadZipFile, zlib.error, struct.error,
    RuntimeError,
)  # fmt: skip
Headers = dict[str, tuple[tuple[int, ...], np.dtype]]


def row_blocks(array: np.ndarray, block_bytes: int = BLOCK_BYTES) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (first row, rows) of `array` in order, about `block_bytes` at a time.

    A memory-mapped file is read with plain reads: touched pages of a mapping count as memory of this process.
    """
    row_bytes = max(1, array.nbytes // max(1, len(array)))
    step = max(1, block_bytes // row_bytes)
    for start in range(0, len(array), step):
        stop = min(start + step, len(array))
        if isinstance(array, np.memmap) and is_whole_map(array):
            values = (stop - start) * (row_bytes // array.itemsize)
            block = np.fromfile(str(array.filename), array.dtype, values, offset=array.offset + start * row_bytes)
            yield start, block.reshape(stop - start, *array.shape[1:])
        else:
            yield start, np.asarray(array[start:stop])


def is_whole_map(array: np.ndarray) -> bool:
    """Tell whether an array is a memory map of a file as it lies, not a part of one (whose `offset` is not its own)."""
    return (
        isinstance(array, np.memmap)
        and array.filename is not None
        and not isinstance(array.base, np.ndarray)
        and array.flags.c_contiguous
    )


def open_npy(path: Path) -> np.ndarray:
    """Return a .npy file as a read-only memory map."""
    try:
        with path.open("rb") as file:
            shape, _ = _npy_header(file)
        return np.zeros(shape) if 0 in shape else np.load(path, mmap_mode="r", allow_pickle=False)
    except UNREADABLE as error:
        raise InputError(f"{path} is not a readable .npy array: {first_line(error)}.") from None


def open_npz(path: Path, key: str | None, cache: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the array of samples in a .npz file, memory-mapped, and the labels that stand beside it, if any.

    key: the name of the samples' array; None takes the only array of two or more dimensions.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            headers = _npz_headers(archive)
            key = _choose_key(path, headers, key)
            samples = open_npy(_unpack_member(archive, f"{key}.npy", cache))
            labels = next((name for name in _label_keys(key) if headers.get(name, ((),))[0] == (len(samples),)), None)
            if labels is None:
                return samples, None
            shape, dtype = headers[labels]
            if archive.getinfo(f"{labels}.npy").file_size < dtype.itemsize * shape[0]:
                raise InputError(f"{path} is truncated: its array {labels!r} is shorter than its header announces.")
            with archive.open(f"{labels}.npy") as member:
                return samples, np.lib.format.read_array(member, allow_pickle=False)
    except InputError:
        raise
    except UNREADABLE as error:
        raise InputError(f"{path} is not a readable .npz archive: {first_line(error)}.") from None


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the rest of a file, piece by piece."""
    while piece := file.read(1 << 20):
        yield piece


def first_line(error: BaseException) -> str:
    """Return what an error says, in one line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype


def _npz_headers(archive: zipfile.ZipFile) -> Headers:
    headers = {}
    for name in archive.namelist():
        if name.endswith(".npy"):
            with archive.open(name) as member:
                headers[name.removesuffix(".npy")] = _npy_header(member)
    return headers


def _unpack_member(archive: zipfile.ZipFile, name: str, cache: Path) -> Path:
    """Return the unpacked file of a member; it is known by its name, size, checksum and last bytes."""
    info = archive.getinfo(name)
    with archive.open(name) as member:
        head = member.read(1 << 16)
    with archive.open(name) as member:
        mark = digest(f"{name} {info.CRC} {info.file_size}".encode(), head)
        packed, name = info.compress_size, Path(archive.filename or "").name
        return unpacked(cache, f"{mark}.npy", info.file_size, pieces(member), packed=packed, source=name)


def _choose_key(path: Path, headers: Headers, key: str | None) -> str:
    if not headers:
        raise InputError(f"{path} is a zip archive without arrays: unpack it and give the folder.")
    found = ", ".join(f"{name!r} {shape}" for name, (shape, _) in headers.items())
    samples = [name for name, (shape, _) in headers.items() if len(shape) >= 2]
    if key is None and len(samples) != 1:
        raise InputError(f"{path} must hold one array of samples, it holds {found}: choose one with column='NAME'.")
    key = key or samples[0]
    if key not in headers:
        raise InputError(f"{path} has no array {key!r}, it holds {found}.")
    if headers[key][1].hasobject:
        raise InputError(
            f"{path}: the array {key!r} holds Python objects and nothing is unpickled: save it as numbers."
        )
    return key


def _label_keys(key: str) -> tuple[str, ...]:
    """Return the names under which the labels of the array `key` may stand: x_train -> y_train, images -> labels."""
    twin = re.sub(r"images?|data", "labels", re.sub(r"^[xX](?=_|$)", "y", key))
    return _LABEL_KEYS if twin == key else (twin, *_LABEL_KEYS)
