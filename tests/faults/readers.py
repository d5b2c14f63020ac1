"""Every reader of files as a function of bytes, with good files to begin from: for tests, and for fuzzing.

Only what is told in a sentence may come out of them: InputError, or Undecodable for one item.
"""

from __future__ import annotations

import gzip
import io
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pictures import encoded, picture, write_idx
from PIL import Image
from scipy import sparse
from sounds import encoded_sound, tone

import handful
from handful.data.items import Undecodable
from handful.data.label_files import read_labels
from handful.data.sources import Source
from handful.errors import InputError
from handful.graph import Graph
from handful.modalities.image_files import decode_image, probe_image, quiet_pillow
from handful.run.folder import Run, make_run, open_run
from handful.training.checkpoint import read_tensors
from handful.training.embed import Embeddings
from handful.training.encoder import Encoder

TOLD = (InputError, Undecodable)
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")


@dataclass(frozen=True)
class Reader:
    """read: takes the bytes of a file and an empty folder, and may raise what is in `TOLD`; seeds: good files."""

    read: Callable[[bytes, Path], Any]
    seeds: Callable[[], Sequence[bytes]]


def _file(name: str, **options: Any) -> Callable[[bytes, Path], Any]:
    """Return what reads bytes as a file of this name, through the front door."""

    def read(content: bytes, folder: Path) -> Any:
        path = folder / name
        path.write_bytes(content)
        data = handful.read(path, cache=folder / "cache", **options)
        return data.samples[:3]

    return read


def _labels(content: bytes, folder: Path) -> Any:
    path = folder / "labels.csv"
    path.write_bytes(content)
    source = Source("photos/", np.array(["a.png", "b.png", "c/d.png", "é.png"]))
    return read_labels(path, source, label_column=None, cache=folder / "cache")


def _image(content: bytes, folder: Path) -> Any:
    with quiet_pillow():
        probe_image(content)
        return decode_image(content, size=16, channels=3, fit="crop")


def _run_file(name: str, use: Callable[[Run], Any]) -> Callable[[bytes, Path], Any]:
    """Return what reads bytes as a file of a run folder, whose checksum is theirs."""

    def read(content: bytes, folder: Path) -> Any:
        shutil.copytree(_run(folder.parent / "good-run"), folder / "run")
        run = open_run(folder / "run")
        (run.folder / name).write_bytes(content)
        if name != "run.json":
            run.vouch([name], step="label")
        return use(open_run(run.folder))

    return read


@cache
def _run(folder: Path) -> Path:
    if not folder.exists():
        draw = np.random.default_rng(0)
        data = handful.read(draw.random((12, 4)), modality="table", cache=folder.parent / "good-cache")
        run = make_run(folder)
        run.write_data(data)
        vectors = draw.random((12, 3), dtype=np.float32)
        run.write_embeddings(Embeddings(data.ids, vectors, {"x": slice(0, 3)}), data.digests, "of the encoder")
        with run.writing("graph.npz", step="propagate", note={"graph": {"made_of": {}}}) as files:
            ring = sparse.csr_array(
                np.roll(np.eye(12, dtype=np.float32), 1, 0) + np.roll(np.eye(12, dtype=np.float32), -1, 0)
            )
            Graph(weights=ring, vectors=vectors).save(files[0])  # nothing compiled, which a fuzzer cannot watch
        run.note(propagate={"rule": "none"}, source="<ndarray>", reading={})
        (folder / "encoder").mkdir()
    return folder


def _good_run_file(name: str) -> Callable[[], list[bytes]]:
    def seeds() -> list[bytes]:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            return [(_run(Path(folder) / "run") / name).read_bytes()]

    return seeds


@cache
def _encoder_files() -> dict[str, bytes]:
    import tempfile

    from toy import toy_tables

    with tempfile.TemporaryDirectory() as folder:
        handful.pretrain(toy_tables(32), "untrained", out=Path(folder) / "encoder")
        return {path.name: path.read_bytes() for path in (Path(folder) / "encoder").iterdir()}


def _encoder(name: str) -> Callable[[bytes, Path], Any]:
    def read(content: bytes, folder: Path) -> Any:
        for file, good in _encoder_files().items():
            (folder / file).write_bytes(content if file == name else good)
        return Encoder.from_pretrained(folder)

    return read


def _tensors(content: bytes, folder: Path) -> Any:
    (folder / "x.safetensors").write_bytes(content)
    return read_tensors(folder / "x.safetensors")


def _saved(save: Callable[..., Any], *given: Any, **named: Any) -> bytes:
    file = io.BytesIO()
    save(file, *given, **named)
    return file.getvalue()


def _images() -> list[bytes]:
    modes = {"PNG": ("L", "P", "RGBA", "I;16"), "GIF": ("P",), "TIFF": ("L", "CMYK")}
    plain = [encoded(picture(0), kind) for kind in FORMATS]
    return plain + [
        _saved(Image.new("L", (9, 7)).convert(mode if mode != "I;16" else "I").convert(mode).save, format=kind)
        for kind, several in modes.items()
        for mode in several
    ]


def _idx(folder: Path | None = None) -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        return write_idx(
            Path(place) / "a-images-idx3-ubyte", np.arange(320, dtype=np.uint8).reshape(5, 8, 8)
        ).read_bytes()


TABLE = b"id,amount,shop,when\n1,2.5,a,2024-01-01\n2,3.5,b,2024-01-02\n3,-1,a,\n4,1e3,,2024-03-01\n"
JSONL = b'{"text": "rain and wind", "label": "a"}\n{"text": "a goal, \\u00e9", "label": null}\n{"text": "snow"}\n'
TS = b"@problemName x\n@timeStamps false\n@classLabel true a b\n@data\n1,2,3:4,5,6:a\n2,?,1:0,1,2:b\n"
LABELS = [
    b"id,label\na.png,cat\nb.png,dog\n",
    b'file_name;label\n"a.png";1\nb.png;2\n',
    b"\xef\xbb\xbfid\tlabel\na.png\tx\n",
]
LONG = b"id,time,x\na,1,2\na,2,4\na,3,1\nb,1,1\nb,2,2\nb,3,2\n"

READERS: dict[str, Reader] = {
    "labels": Reader(_labels, lambda: LABELS),
    "csv": Reader(_file("t.csv", modality="table"), lambda: [TABLE]),
    "csv-text": Reader(_file("t.csv", modality="text"), lambda: [b"text,label\nrain and wind,a\na long goal,b\n"]),
    "csv-series": Reader(_file("t.csv", modality="series"), lambda: [LONG]),
    "jsonl": Reader(_file("t.jsonl", modality="text"), lambda: [JSONL]),
    "txt": Reader(_file("t.txt", modality="text"), lambda: [b"<html><p>rain</p> &amp; wind", "Käfer".encode("utf-16")]),
    "idx": Reader(_file("a-images-idx3-ubyte", modality="image"), lambda: [_idx()]),
    "idx-gz": Reader(_file("a-images-idx3-ubyte.gz", modality="image"), lambda: [gzip.compress(_idx())]),
    "npy": Reader(_file("x.npy", modality="image"), lambda: [_saved(np.save, np.zeros((5, 8, 8), np.uint8))]),
    "npz": Reader(
        _file("x.npz", modality="image"),
        lambda: [
            _saved(np.savez, x=np.zeros((5, 8, 8), np.uint8), y=np.arange(5)),
            _saved(np.savez_compressed, x=np.zeros((5, 8, 8), np.uint8)),
        ],
    ),
    "parquet": Reader(
        _file("t.parquet", modality="table"),
        lambda: [_saved(lambda file: pq.write_table(pa.table({"a": [1.0, 2.0, 4.0], "b": ["x", "y", "x"]}), file))],
    ),
    "wav": Reader(_file("x.wav", modality="audio"), lambda: [encoded_sound(tone()[:800])]),
    "ts": Reader(_file("x.ts", modality="series"), lambda: [TS]),
    "image": Reader(_image, _images),
    "run.json": Reader(_run_file("run.json", lambda run: (run.data, run.summary())), _good_run_file("run.json")),
    "data.json": Reader(_run_file("data.json", lambda run: run.data), _good_run_file("data.json")),
    "ids.parquet": Reader(_run_file("ids.parquet", lambda run: run.embeddings), _good_run_file("ids.parquet")),
    "embeddings.npy": Reader(
        _run_file("embeddings.npy", lambda run: run.embeddings.vectors[:2]), _good_run_file("embeddings.npy")
    ),
    "graph.npz": Reader(_run_file("graph.npz", lambda run: run.graph), _good_run_file("graph.npz")),
    "safetensors": Reader(
        _tensors, lambda: [_encoder_files()["model.safetensors"][:4000], _encoder_files()["model.safetensors"]]
    ),
    "config.json": Reader(_encoder("config.json"), lambda: [_encoder_files()["config.json"]]),
}


def read(name: str, content: bytes, folder: Path) -> str | None:
    """Read bytes by the reader of this name; return the sentence that refused them, None where they were read."""
    folder.mkdir()
    try:
        READERS[name].read(content, folder)
    except TOLD as told:
        return str(told)
    finally:
        shutil.rmtree(folder)
    return None


def as_json(value: Any) -> bytes:
    """Return a value as JSON."""
    return json.dumps(value).encode()
