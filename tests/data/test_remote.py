"""Sources on other file systems: mirrored, fetched again only where they changed, kept within the mirror."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import handful
from handful.data.remote import Place, check_inside, check_local, is_remote, local_path
from handful.errors import InputError


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """A folder that is named by its address: file:// is a file system to pyarrow as s3:// is."""
    folder = tmp_path / "there"
    for name, content in {"a/one.txt": "1", "b/two.txt": "2", ".hidden/x.txt": "x"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
        os.utime(folder / name, (1_000_000_000, 1_000_000_000))
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if not path.is_dir()}


def test_a_folder_is_mirrored_and_only_what_changed_is_fetched_again(there: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []

    def mirrored() -> Path:
        told.clear()
        return local_path(f"file://{there}", tmp_path / "cache", lambda _, done, total: told.append((done, total)))

    copy = mirrored()
    assert copy.name == "there"
    assert contents(copy) == {"a/one.txt": "1", "b/two.txt": "2"}
    assert told == [(1, 2), (2, 2)]
    assert mirrored() == copy
    assert told == []
    (there / "a" / "one.txt").write_text("3")
    (there / "b" / "two.txt").unlink()
    assert contents(mirrored()) == {"a/one.txt": "3"}
    assert told == [(1, 1)]


def test_a_file_changed_a_moment_ago_is_fetched_again(there: Path, tmp_path: Path) -> None:
    (there / "a" / "one.txt").write_text("fresh")
    for _ in range(2):
        fetched: list[int] = []
        local_path(f"file://{there}", tmp_path / "cache", lambda _, done, total, into=fetched: into.append(total))
        assert fetched  # the next change may carry the same time


def test_a_file_of_labels_is_mirrored_with_its_name(there: Path, tmp_path: Path) -> None:
    (there / "labels.csv").write_text("id,label\n")
    assert local_path(f"file://{there}/labels.csv", tmp_path / "cache").name == "labels.csv"


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", "a//b", "a/./b", ""])
def test_a_name_that_leads_out_of_the_mirror_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="no path within it"):
        check_inside(name, "s3://bucket/photos")


def test_what_is_no_address_is_a_path(tmp_path: Path) -> None:
    assert not is_remote(tmp_path)
    assert not is_remote(r"C:\photos")
    assert local_path(str(tmp_path)) == tmp_path


def test_addresses_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^s3://bucket/x is given with a password, which run\.json would keep"):
        Place.find("s3://key:secret@bucket/x")
    with pytest.raises(InputError, match="is on no file system that pyarrow opens"):
        handful.read("nowhere://bucket/x", cache=tmp_path)
    with pytest.raises(InputError, match="does not exist, or is empty: give a folder or a file"):
        handful.read(f"file://{tmp_path}/nothing", cache=tmp_path)
    with pytest.raises(InputError, match="is on another file system: the page must be on this machine"):
        check_local("s3://bucket/like.html", "the page")
