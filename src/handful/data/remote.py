"""Files and folders on other file systems that pyarrow knows (s3://, gs://, hdfs://, ...), by their address.

handful maps files into memory and looks at them again and again, which no object store is good at. So what lies
elsewhere is mirrored in the cache, and only what has changed there is fetched again.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from handful.data.arrays import first_line
from handful.data.cache import cache_folder, written_whole
from handful.data.digests import digest
from handful.data.folders import as_path
from handful.data.items import Progress
from handful.data.pool import map_blocks
from handful.errors import InputError, WriteError, quoted

THREADS = 8
"""Files under way at a time: what a store far away takes to answer is waited for together."""
PIECE = 4 << 20
OBJECT_STORES = ("s3", "gcs", "abfs")
"""Their files take their names when they are whole, by themselves."""
SETTLED_SECONDS = 2.0
"""A file changed within so short a time before it was listed may change again under the same time stamp."""


def is_remote(given: Any) -> bool:
    """Tell whether what names a file or a folder is an address such as s3://bucket/photos."""
    return isinstance(given, str) and re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", given) is not None


def check_local(given: Any, what: str) -> None:
    """Raise InputError where `given` names another file system, on which `what` cannot be."""
    if is_remote(given):
        raise InputError(
            f"{hidden(given)} is on another file system: {what} must be on this machine, give a path here."
        )


def local_path(given: str | os.PathLike[str], cache: Path | None = None, progress: Progress | None = None) -> Path:
    """Return a path with ~ opened; of an address the mirror of what lies there, brought up to date.

    cache: the cache folder; None takes HANDFUL_CACHE, else ~/.cache/handful. progress: told the files fetched.
    Raises InputError where nothing can lie there, or the file system does not answer.
    """
    if not isinstance(given, str) or not is_remote(given):
        return as_path(given)
    return mirror(Place.find(given), cache or cache_folder(), progress)


def hidden(address: str) -> str:
    """Return an address as it may be shown and kept: without a password or what follows a question mark."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@dataclass(frozen=True)
class Place:
    """A file or a folder on a file system.

    address: as it was given. system: the file system. path: where it lies there.
    """

    address: str
    system: fs.FileSystem
    path: str

    @classmethod
    def find(cls, address: str) -> Place:
        """Return the place at an address. Raises InputError where it carries a password or its kind is not known."""
        if ":" in urlsplit(address).netloc.rpartition("@")[0]:
            raise InputError(
                f"{hidden(address)} is given with a password, which run.json would keep: leave it out, "
                "and give it as the store's own tools take it (of S3: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)."
            )
        try:
            system, path = fs.FileSystem.from_uri(address)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
            raise InputError(
                f"{hidden(address)} is on no file system that pyarrow opens ({first_line(error)}): "
                "give a path, or an address such as s3://bucket/folder."
            ) from None
        return cls(address, system, path.rstrip("/"))

    @property
    def name(self) -> str:
        """The last part of its path."""
        return PurePosixPath(self.path).name or "root"

    def info(self) -> fs.FileInfo:
        """Return what lies here."""
        with self.answering():
            return self.system.get_file_info(self.path)

    def files(self) -> list[tuple[str, fs.FileInfo]]:
        """Return the files below, at any depth, each with its path from here; hidden ones are left out.

        Raises InputError for a name that would lead out of the mirror of this folder, as an object store allows.
        """
        with self.answering():
            found = self.system.get_file_info(fs.FileSelector(self.path, recursive=True, allow_not_found=True))
        files = [(one.path[len(self.path) :].removeprefix("/"), one) for one in found if one.type == fs.FileType.File]
        folders = {str(folder) for name, _ in files for folder in PurePosixPath(name).parents}
        for name, _ in files:
            check_inside(name, self.address)
            if name in folders:
                raise InputError(
                    f"{hidden(self.address)} holds {quoted(name)} both as a file and as a folder: rename one."
                )
        return [(name, one) for name, one in files if not any(part.startswith(".") for part in name.split("/"))]

    def read(self, name: str) -> bytes | None:
        """Return the content of a file below, None where there is none."""
        try:
            with self.answering(), self.system.open_input_stream(f"{self.path}/{name}") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def fetch(self, path: str, to: Path, needed_bytes: int = 0) -> None:
        """Copy the file at `path` of the file system to `to`, whole or not at all."""
        with self.answering(), self.system.open_input_stream(path) as file, written_whole(to, needed_bytes) as copy:
            shutil.copyfileobj(file, copy, PIECE)

    def put(self, name: str, content: Path | bytes) -> None:
        """Write a file below, which takes its name once all of it is there.

        Raises WriteError where the file system does not take it.
        """
        path = f"{self.path}/{name}"
        under = path if self.system.type_name in OBJECT_STORES else f"{path}.part"
        try:
            self.system.create_dir(str(PurePosixPath(path).parent), recursive=True)
            with self.system.open_output_stream(under) as file:
                if isinstance(content, bytes):
                    file.write(content)
                else:
                    with content.open("rb") as here:
                        shutil.copyfileobj(here, file, PIECE)
            if under != path:
                self.system.move(under, path)
        except OSError as error:
            raise WriteError(f"{hidden(self.address)}/{name}", OSError(error.errno, first_line(error))) from None

    def remove(self, name: str) -> None:
        """Delete a file below, if it is there."""
        with self.answering():
            if self.system.get_file_info(f"{self.path}/{name}").type == fs.FileType.File:
                self.system.delete_file(f"{self.path}/{name}")

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Tell as InputError that the file system does not answer, or refuses; FileNotFoundError passes."""
        try:
            yield
        except (FileNotFoundError, InputError):
            raise
        except OSError as error:
            raise InputError(f"{hidden(self.address)} cannot be read ({first_line(error)}): try again.") from None


def check_inside(name: str, address: str) -> None:
    """Raise InputError where a path from a folder is none that stays within it."""
    if any(part in ("", ".", "..") for part in name.split("/")) or "\0" in name or (os.sep == "\\" and os.sep in name):
        raise InputError(f"{hidden(address)} holds {quoted(name)}, no path within it: rename or leave out that file.")


def mirror(place: Place, cache: Path, progress: Progress | None = None) -> Path:
    """Return the copy in the cache of a file or a folder, brought up to date.

    Raises InputError where there is nothing, or no room for it.
    """
    found = place.info()
    copy = cache / "mirrors" / digest(place.address.encode()) / place.name
    if copy.exists() and copy.is_dir() != (found.type == fs.FileType.Directory):
        shutil.rmtree(copy.parent)
    if found.type == fs.FileType.File:
        _fetch_changed(place, [(copy, found)], progress)
        return copy
    files = place.files() if found.type == fs.FileType.Directory else []
    if not files:
        raise InputError(f"{hidden(place.address)} does not exist, or is empty: give a folder or a file.")
    wanted = {copy / name: one for name, one in files}
    for path in list(copy.rglob("*")) if copy.is_dir() else []:
        if path.is_file() and path not in wanted:
            path.unlink()
    _fetch_changed(place, list(wanted.items()), progress)
    return copy


def _fetch_changed(place: Place, files: Sequence[tuple[Path, fs.FileInfo]], progress: Progress | None) -> None:
    """Copy the files that are not here as they are there: of another size or time of change."""
    changed = [(path, one) for path, one in files if not _is_same(path, one)]
    needed = sum(one.size for _, one in changed)

    def fetch(one: tuple[Path, fs.FileInfo]) -> None:
        path, there = one
        try:
            place.fetch(there.path, path, needed)
        except FileNotFoundError:
            raise InputError(f"{hidden(place.address)} changed while it was read: try again.") from None
        # A change that is too fresh to be told from the next keeps the time of the copy, so it is fetched once more.
        if there.mtime_ns is not None and path.stat().st_mtime_ns - there.mtime_ns > SETTLED_SECONDS * 1e9:
            os.utime(path, ns=(there.mtime_ns, there.mtime_ns))

    for done, _ in enumerate(map_blocks(fetch, changed, threads=THREADS), 1):
        if progress is not None:
            progress("fetching", done, len(changed))


def _is_same(path: Path, there: fs.FileInfo) -> bool:
    try:
        here = path.stat()
    except OSError:
        return False
    return here.st_size == there.size and here.st_mtime_ns == there.mtime_ns
