"""IDX files, the format of MNIST, gzipped or not: two zero bytes, a type, how many axes, their lengths, the values.

Files belong together by name: `train-images-idx3-ubyte.gz` carries the labels of `train-labels-idx1-ubyte.gz`; a
folder, or a prefix such as `fashion-mnist/t10k`, stands for all parts it names, one after the other, "train" first.
"""

from __future__ import annotations

import gzip
import math
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from handful.data.arrays import first_line
from handful.data.cache import unpacked
from handful.data.digests import digest, digest_file
from handful.errors import InputError

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_NAME = re.compile(r"idx\d|ubyte")


@dataclass(frozen=True)
class IdxSet:
    """Samples [N, ...]; ids [N], "train/17", where there are several parts; labels [N] where every part has them."""

    name: str
    ids: np.ndarray | None
    samples: np.ndarray
    labels: np.ndarray | None


@dataclass(frozen=True)
class _File:
    path: Path
    dtype: np.dtype
    shape: tuple[int, ...]
    offset: int

    @property
    def n_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def is_idx(path: Path) -> bool:
    """Tell whether a file begins as IDX does."""
    try:
        with _open(path) as file:
            magic = file.read(4)
    except (OSError, EOFError, zlib.error):
        return False
    return len(magic) == 4 and magic[:2] == b"\0\0" and magic[2] in _TYPES and 1 <= magic[3] <= 8


def read_idx(path: Path, cache: Path) -> np.ndarray:
    """Return an IDX file as a read-only memory map; a gzipped one is unpacked into the cache once."""
    return _one_after_the_other([_header(path)], cache)


def read_idx_set(folder: Path, cache: Path, prefix: str = "") -> IdxSet | None:
    """Return the IDX files in `folder` whose names begin with `prefix` as one set, or None where there are none."""
    found = {p.name: p for p in folder.iterdir() if _NAME.search(p.name) and p.is_file() and is_idx(p)}
    names = [name for name in found if name.startswith(prefix) and not _holds_labels(name)]
    if not names:
        return None
    names.sort(key=lambda name: (not name.startswith("train"), name))
    files = [_header(found[name]) for name in names]
    samples = _one_after_the_other(files, cache)
    ids = None if len(files) == 1 else np.concatenate([_part_ids(file) for file in files])
    return IdxSet(prefix or f"{folder.resolve().name}/", ids, samples, _labels_of(files, found, cache))


def _labels_of(files: Sequence[_File], found: Mapping[str, Path], cache: Path) -> np.ndarray | None:
    """Return the labels of all files, or None where one has none."""
    labels = []
    for file in files:
        twin = next((n for n in found if _holds_labels(n) and _part(n) == _part(file.path.name)), None)
        if twin is None:
            return None
        values = read_idx(found[twin], cache)
        if values.shape != file.shape[:1]:
            raise InputError(
                f"{twin} holds {values.shape} labels and {file.path.name} {file.shape[0]} rows: not a pair."
            )
        labels.append(np.asarray(values, dtype=np.int64))
    return np.concatenate(labels)


def _holds_labels(name: str) -> bool:
    return "label" in name or "idx1" in name


def _part(name: str) -> str:
    """Return "train" of "train-images-idx3-ubyte.gz" and of "train-labels.idx1-ubyte"."""
    return re.split(r"[-_.]?(?:images?|labels?|data|idx\d|ubyte)", name, maxsplit=1)[0]


def _part_ids(file: _File) -> np.ndarray:
    prefix, n_rows = _part(file.path.name), file.shape[0]
    return np.array([f"{prefix}/{row}" for row in range(n_rows)])


def _one_after_the_other(files: Sequence[_File], cache: Path) -> np.ndarray:
    """Return files of one kind of row as one read-only memory map.

    A single file that is not gzipped is mapped where it lies; else the values are written to the cache once.
    """
    first = files[0]
    for file in files:
        if (file.dtype, file.shape[1:]) != (first.dtype, first.shape[1:]):
            raise InputError(
                f"{file.path.name} holds rows of shape {file.shape[1:]} and {first.path.name} of {first.shape[1:]}: "
                "read them one by one."
            )
    shape = (sum(file.shape[0] for file in files), *first.shape[1:])
    if 0 in shape:
        raise InputError(f"{first.path} announces an array of shape {shape}: there is nothing in it.")
    if len(files) == 1 and not _is_gzip(first.path):
        if first.path.stat().st_size < first.offset + first.n_bytes:
            raise InputError(f"{first.path} is truncated: its header announces an array of shape {shape}.")
        return np.memmap(first.path, first.dtype, "r", first.offset, shape)
    name = digest(*(digest_file(file.path).encode() for file in files))
    size, packed = sum(file.n_bytes for file in files), sum(file.path.stat().st_size for file in files)
    path = unpacked(cache, name, size, _values(files), packed=packed, source=first.path.name)
    return np.memmap(path, first.dtype, "r", 0, shape)


def _values(files: Sequence[_File]) -> Iterator[bytes]:
    """Yield the values of files, piece by piece."""
    for file in files:
        left = file.n_bytes
        try:
            with _open(file.path) as stream:
                stream.seek(file.offset)
                while left and (piece := stream.read(min(left, 1 << 20))):
                    left -= len(piece)
                    yield piece
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{file.path} cannot be unpacked: {first_line(error)}.") from None
        if left:
            raise InputError(f"{file.path} is truncated: its header announces an array of shape {file.shape}.")


def _header(path: Path) -> _File:
    try:
        with _open(path) as file:
            magic = file.read(4)
            sizes = file.read(4 * magic[3])
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be unpacked: {first_line(error)}.") from None
    if len(sizes) < 4 * magic[3]:
        raise InputError(f"{path} is truncated: it ends within its header.")
    shape = tuple(int(length) for length in np.frombuffer(sizes, ">u4"))
    return _File(path, np.dtype(_TYPES[magic[2]]), shape, 4 + len(sizes))


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _open(path: Path) -> gzip.GzipFile | IO[bytes]:
    return gzip.open(path, "rb") if _is_gzip(path) else path.open("rb")
