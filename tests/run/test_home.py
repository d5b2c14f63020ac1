"""Run folders on other file systems: the same result, brought there whole, and never over another machine's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pyarrow import fs

import handful
from handful.data.remote import Place
from handful.errors import InputError, WriteError
from handful.run.folder import locked, make_run, open_run
from handful.run.start import run_for_review

Files = dict[str, bytes]
OF_ONE_RUN = {"run.json", "encoder/config.json", "encoder/README.md", "report.html", "map.npy"}
"""Files that say where a run lies, when it was made or how long it took."""


def pictures() -> Files:
    """Return dark and light pictures, and labels for two of each."""
    from io import BytesIO

    found: Files = {"labels.csv": b"id,label\n"}
    for code, name in enumerate(("dark", "light")):
        for number in range(12):
            pixels = np.random.default_rng([code, number]).integers(0, 90, (8, 8)) + 110 * code
            content = BytesIO()
            Image.fromarray(pixels.astype(np.uint8)).save(content, "png")
            found[f"photos/{name}{number:02d}.png"] = content.getvalue()
        found["labels.csv"] += f"{name}00.png,{name}\n{name}01.png,{name}\n".encode()
    return found


def label(root: str, options: str = "", out: str = "run") -> handful.Run:
    source, labels, to = (f"{root}/{name}{options}" for name in ("photos", "labels.csv", out))
    return handful.label(source, labels, out=to, method="pca", n_neighbors=4)


def write(root: Path, files: Files) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


def read(root: Path) -> Files:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """A folder with pictures and labels, named by its address: file:// is to pyarrow what s3:// is."""
    write(tmp_path / "there", pictures())
    return tmp_path / "there"


@contextmanager
def other_machine(monkeypatch: pytest.MonkeyPatch, cache: Path) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("HANDFUL_CACHE", str(cache))
        yield


def test_a_run_there_holds_what_a_run_here_holds(there: Path, tmp_path: Path) -> None:
    run = label(f"file://{there}")
    here = label(str(there), out="here")
    shutil.move(there / "here", tmp_path / "here")
    found, wanted = read(there / "run"), read(tmp_path / "here")
    assert found.keys() == wanted.keys() - {".lock"}
    assert all(found[name] == wanted[name] for name in found.keys() - OF_ONE_RUN)
    assert run.address("labels.csv") == f"file://{there}/run/labels.csv"
    assert here.address("labels.csv") == str(there / "here" / "labels.csv")


def test_another_machine_goes_on_and_the_first_takes_it_up(
    there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"file://{there}"
    label(address)
    before = read(there / "run")
    with other_machine(monkeypatch, tmp_path / "other"):
        assert handful.suggest(f"{address}/run", 3)
        handful.report(f"{address}/run")
        label(address)
    after = read(there / "run")
    assert after.keys() - before.keys() >= {"report.html"}
    assert all(after[name] == before[name] for name in before.keys() - {"run.json"})  # not made anew
    assert "report.html" in open_run(f"{address}/run").made_by("report")


def test_what_another_machine_wrote_meanwhile_is_not_written_over(
    there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"file://{there}/run"

    def work() -> None:
        run = make_run(address)
        with locked(run):
            with other_machine(monkeypatch, tmp_path / "other"):
                other = open_run(address)
                with locked(other):
                    other.note(other=True)
            run.note(this=True)

    with pytest.raises(InputError, match="was changed by another run while this one worked"):
        work()
    assert json.loads((there / "run" / "run.json").read_bytes())["other"] is True
    assert open_run(address).record["other"] is True


def test_a_command_that_was_killed_while_it_brought_files_brings_them_all(
    there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, put, left = f"file://{there}", Place.put, [3]

    def put_few(place: Any, name: str, content: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        put(place, name, content)

    with monkeypatch.context() as patch:
        patch.setattr("handful.data.remote.Place.put", put_few)
        with pytest.raises(KeyboardInterrupt):
            label(address)
    assert json.loads((there / "run" / "run.json").read_bytes())["files"] == {}  # what is there is not taken for done
    run = label(address)
    assert set(run.record["files"]) <= set(read(there / "run"))
    assert len(read(there / "run")) >= 10


def test_a_run_that_was_deleted_there_begins_anew(there: Path) -> None:
    label(f"file://{there}")
    shutil.rmtree(there / "run")
    with pytest.raises(InputError, match=r"run is not a run folder: run\.json is missing"):
        open_run(f"file://{there}/run")
    label(f"file://{there}")
    assert len(read(there / "run")) >= 10


def test_bad_input_leaves_nothing_there(there: Path) -> None:
    with pytest.raises(InputError, match="is not known"):
        handful.label(
            f"file://{there}/photos", f"file://{there}/labels.csv", out=f"file://{there}/run", method="x", n_neighbors=4
        )
    assert not read(there / "run")


def test_a_folder_with_other_things_is_refused(there: Path) -> None:
    with pytest.raises(InputError, match="photos is not empty and not a run folder"):
        make_run(f"file://{there}/photos")


def test_names_that_lead_out_of_the_copy_are_refused(there: Path) -> None:
    folder = there / "run"
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"format": 2, "files": {"../../x": {"digest": "1", "step": "label"}}}))
    with pytest.raises(InputError, match="no path within it"):
        open_run(f"file://{folder}")


def test_a_review_is_refused_in_a_sentence(there: Path) -> None:
    with pytest.raises(InputError, match="a run folder for a review must be on this machine"):
        run_for_review(f"file://{there}/photos")


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[fs.FileSystem, str]]:
    """An S3 server on the loopback address with the pictures and labels, and what to add to its addresses."""
    moto = pytest.importorskip("moto.server", reason="pip install 'moto[server]' for the test on an S3 server")
    for name, value in {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host = "{}:{}".format(*server.get_host_and_port())
        store = fs.S3FileSystem(endpoint_override=host, scheme="http", allow_bucket_creation=True)
        store.create_dir("bucket")
        for name, content in pictures().items():
            with store.open_output_stream(f"bucket/{name}") as file:
                file.write(content)
        yield store, f"?endpoint_override={host}&scheme=http"
    finally:
        server.stop()


def test_on_an_s3_server(s3: tuple[fs.FileSystem, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, options = s3
    run = label("s3://bucket", options)
    write(tmp_path, pictures())
    label(str(tmp_path), out="here")
    found = store.get_file_info(fs.FileSelector("bucket/run", recursive=True))
    there = {one.path.removeprefix("bucket/run/"): one.path for one in found if one.type == fs.FileType.File}
    wanted = read(tmp_path / "here")
    assert there.keys() == wanted.keys() - {".lock"}
    for name in there.keys() - OF_ONE_RUN:
        assert store.open_input_stream(there[name]).read() == wanted[name]
    assert run.address("labels.csv") == "s3://bucket/run/labels.csv"
    with other_machine(monkeypatch, tmp_path / "other"):
        assert open_run(f"s3://bucket/run{options}").labels.equals(run.labels)
    with pytest.raises(InputError, match="s3://bucket/none does not exist, or is empty"):
        handful.read(f"s3://bucket/none{options}")
    with pytest.raises(WriteError, match=r"s3://none/run/run\.json cannot be written \(Bucket 'none' not found"):
        make_run(f"s3://none/run{options}")
