"""Every bad input that was thought of: each is told in one sentence and leaves nothing behind."""

from __future__ import annotations

import gzip
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pictures import encoded, picture, write_idx, write_pictures
from PIL import Image
from sounds import encoded_sound, tone

import handful
from handful import InputError
from handful.data import check_something_to_label

GOOD = "id,label\ncat/1.png,cat\ndog/1.png,dog\n"


@dataclass(frozen=True)
class Case:
    """One bad input: what is wrong, how it comes about, and words of the sentence that tells it.

    make: writes files to a folder that holds good photos in `photos/` and good labels in `ok.csv`; returns the source
        and the labels where they are others than these.
    """

    fault: str
    make: Callable[[Path], dict[str, Any]]
    told: str
    options: dict[str, Any] = field(default_factory=dict)


def text(name: str, content: str | bytes) -> Callable[[Path], dict[str, Any]]:
    """Make a labels file of `content`."""

    def make(folder: Path) -> dict[str, Any]:
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return {"labels": folder / name}

    return make


def source(name: str, content: bytes | None = None) -> Callable[[Path], dict[str, Any]]:
    """Make a source of one file, or of nothing."""

    def make(folder: Path) -> dict[str, Any]:
        if content is not None:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
        return {"source": folder / name, "labels": None}

    return make


def given(value: Any, labels: Any = None) -> Callable[[Path], dict[str, Any]]:
    """Make a source of a Python value."""
    return lambda folder: {"source": value, "labels": labels}


def saved(array: np.ndarray, labels: Any = None) -> Callable[[Path], dict[str, Any]]:
    """Make a source of an array in a .npy file."""

    def make(folder: Path) -> dict[str, Any]:
        np.save(folder / "x.npy", array, allow_pickle=array.dtype.hasobject)
        return {"source": folder / "x.npy", "labels": labels}

    return make


def empty_folder(folder: Path) -> dict[str, Any]:
    (folder / "empty").mkdir()
    return {"source": folder / "empty", "labels": None}


def hidden_only(folder: Path) -> dict[str, Any]:
    return {"source": write_pictures(folder / "hidden", [".a.png", ".b/c.png"]), "labels": None}


def texts_only(folder: Path) -> dict[str, Any]:
    (folder / "texts").mkdir()
    (folder / "texts" / "a.txt").write_text("hello")
    (folder / "texts" / "b.md").write_text("# hello")
    return {"source": folder / "texts", "labels": None}


def all_damaged(folder: Path) -> dict[str, Any]:
    (folder / "damaged").mkdir()
    (folder / "damaged" / "a.png").write_bytes(b"")
    (folder / "damaged" / "b.jpg").write_bytes(encoded(picture(0), "JPEG")[:300])
    return {"source": folder / "damaged", "labels": None}


def one_damaged(content: bytes) -> Callable[[Path], dict[str, Any]]:
    def make(folder: Path) -> dict[str, Any]:
        (folder / "photos" / "bad.jpg").write_bytes(content)
        return {}

    return make


def npz(**arrays: np.ndarray) -> Callable[[Path], dict[str, Any]]:
    def make(folder: Path) -> dict[str, Any]:
        np.savez(folder / "x.npz", **arrays)
        return {"source": folder / "x.npz", "labels": None}

    return make


def idx(change: Callable[[bytes], bytes]) -> Callable[[Path], dict[str, Any]]:
    def make(folder: Path) -> dict[str, Any]:
        path = write_idx(folder / "a-images-idx3-ubyte", np.zeros((5, 8, 8), np.uint8))
        path.write_bytes(change(path.read_bytes()))
        return {"source": path, "labels": None}

    return make


def idx_pair(folder: Path) -> dict[str, Any]:
    write_idx(folder / "a-labels-idx1-ubyte", np.zeros(4, np.uint8))
    return {"source": write_idx(folder / "a-images-idx3-ubyte", np.zeros((5, 8, 8), np.uint8)), "labels": "source"}


def idx_of_two_shapes(folder: Path) -> dict[str, Any]:
    write_idx(folder / "a-images-idx3-ubyte", np.zeros((5, 8, 8), np.uint8))
    write_idx(folder / "b-images-idx3-ubyte", np.zeros((5, 9, 9), np.uint8))
    return {"source": folder, "labels": None}


def parquet(**columns: Any) -> Callable[[Path], dict[str, Any]]:
    def make(folder: Path) -> dict[str, Any]:
        pq.write_table(pa.table(columns), folder / "t.parquet")
        return {"source": folder / "t.parquet", "labels": None}

    return make


def damaged_parquet(folder: Path) -> dict[str, Any]:
    pq.write_table(pa.table({"image": [encoded(picture(s)) for s in range(9)]}), folder / "t.parquet")
    raw = bytearray((folder / "t.parquet").read_bytes())
    raw[4:200] = b"\xff" * 196
    (folder / "t.parquet").write_bytes(raw)
    return {"source": folder / "t.parquet", "labels": None}


def unwritable_cache(folder: Path) -> dict[str, Any]:
    (folder / "file").write_text("")
    return {"cache": folder / "file" / "cache"}


def full_cache(folder: Path) -> dict[str, Any]:
    """A file that cannot be unpacked because its header announces more than any disk holds."""
    raw = bytes([0, 0, 8, 3]) + struct.pack(">3I", 2**31, 2**14, 2**14)
    (folder / "a-images-idx3-ubyte.gz").write_bytes(gzip.compress(raw))
    return {"source": folder / "a-images-idx3-ubyte.gz", "labels": None}


def sounds(**files: bytes) -> Callable[[Path], dict[str, Any]]:
    """Make a folder of .wav files."""

    def make(folder: Path) -> dict[str, Any]:
        (folder / "sounds").mkdir()
        for name, content in files.items():
            (folder / "sounds" / f"{name}.wav").write_bytes(content)
        return {"source": folder / "sounds", "labels": None}

    return make


def film(name: str, frames: int) -> Callable[[Path], dict[str, Any]]:
    """Make a video of so many black frames."""

    def make(folder: Path) -> dict[str, Any]:
        with av.open(str(folder / name), "w") as container:
            stream = container.add_stream("mpeg4", rate=25)
            stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
            container.start_encoding()
            for _ in range(frames):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))))
            container.mux(stream.encode() if frames else [])
        return {"source": folder / name, "labels": None}

    return make


def with_rate(rate: int) -> bytes:
    """Return a .wav file whose header announces another rate."""
    good = encoded_sound(tone())
    return good[:24] + struct.pack("<I", rate) + good[28:]


def csv_series(content: str) -> Callable[[Path], dict[str, Any]]:
    """Make a table with a row for each step."""
    return source("series.csv", content.encode())


def rows_of(**columns: Any) -> Callable[[Path], dict[str, Any]]:
    """Make a source of an Arrow table of these columns."""
    return given(pa.table({name: list(cells) for name, cells in columns.items()}))


def kinds(**columns: str) -> dict[str, Any]:
    """Return options that say what columns are."""
    return {"modality": "table", "columns": columns}


SILENCE = encoded_sound(np.zeros((4000, 1), np.float32))
GAPS = np.sin(np.arange(60.0)).reshape(3, 20)
GAPS[:, 3:15] = np.nan
SERIES = {"modality": "series"}
IMAGE, TABLE = {"modality": "image"}, {"modality": "table"}
NAN = np.zeros((9, 8, 8), np.float32)
NAN[4, 2, 2] = np.nan
INFINITE = np.zeros((9, 8, 8), np.float64)
INFINITE[7] = -np.inf

CASES = [
    # The source.
    Case("path does not exist", source("nowhere"), "does not exist"),
    Case("path does not exist", source("nowhere/at/all"), "does not exist"),
    Case("path nearly exists", source("photo"), "Did you mean 'photos'?"),
    Case("path does not exist", source("x" * 5000), "does not exist"),
    Case("no such user", given("~nobody-of-this-name/photos"), "does not exist"),
    Case("empty folder", empty_folder, "it is empty"),
    Case("hidden files only", hidden_only, "it is empty"),
    Case("folder of texts", texts_only, "none of its 2 files is one", {"modality": "image"}),
    Case("all images damaged", all_damaged, "none of the 2 images of damaged/ can be read: a.png is empty"),
    Case("truncated image, strict", one_damaged(encoded(picture(0), "JPEG")[:400]), "bad.jpg", {"strict": True}),
    Case("zero-byte image, strict", one_damaged(b""), "bad.jpg is empty (0 bytes)", {"strict": True}),
    Case("mislabelled image, strict", one_damaged(b"a text"), "bad.jpg is not an image", {"strict": True}),
    Case("empty file", source("x.csv", b""), "is empty (0 bytes)"),
    Case("a file of another kind", source("x.bin", bytes(range(256)) * 9), "is of no kind that is read"),
    Case("a file of another kind", source("x.tar", b"a.png\0\0\0" * 90), "is of no kind that is read"),
    Case("a zip of images", source("x.zip", b"PK\x03\x04 damaged"), "is not a readable .npz archive"),
    Case("a source of another type", given(3), "a source of type int cannot be read"),
    Case("a source of another type", given({"a": 1}), "a source of type dict cannot be read"),
    Case("empty list", given([]), "the list of images is empty"),
    Case("the same path twice", given(["a.png", "b.png", "a.png"]), "'a.png' stands twice, at item 0 and at item 2"),
    Case("nested lists of several lengths", given([[1, 2], [3]]), "lists of different lengths"),
    Case("unknown kind of data", given([b""]), "modality='imge' is not known", {"modality": "imge"}),
    Case("unknown setting", lambda _: {}, "'chanels' is not a setting", {"chanels": 3}),
    Case("size of zero", lambda _: {}, "size must be a whole number of pixels", {"size": 0}),
    Case("size in words", lambda _: {}, "size must be a whole number of pixels", {"size": "big"}),
    Case("two channels", lambda _: {}, "channels must be 1 (grey) or 3 (colour)", {"channels": 2}),
    Case("unknown fit", lambda _: {}, "fit='stretch' is not known", {"fit": "stretch"}),
    # Arrays.
    Case("NaN in an array", saved(NAN), "x.npy row 4 holds NaN or infinity"),
    Case("NaN in an array", given(NAN), "row 4 holds NaN or infinity"),
    Case("infinity in an array", saved(INFINITE), "x.npy row 7 holds NaN or infinity"),
    Case("NaN in a list of arrays", given([np.zeros((8, 8)), np.full((9, 9), np.nan)]), "item 1 holds NaN"),
    Case("mixed-up shape", saved(np.zeros((32, 32, 3, 50), np.uint8)), "use transpose(3, 0, 1, 2)"),
    Case("mixed-up shape", saved(np.zeros((50, 5, 32, 32), np.uint8)), "C of 1, 3 or 4"),
    Case("mixed-up shape", saved(np.zeros((50, 3, 32, 3), np.uint8)), "layout='NCHW' or layout='NHWC'"),
    Case("mixed-up shape", saved(np.zeros((2, 3, 4, 5, 6), np.uint8)), "(2, 3, 4, 5, 6)"),
    Case("rows of pixels", saved(np.zeros((50, 784), np.uint8)), "reshape(-1, 28, 28)"),
    Case("a single image", saved(np.zeros((32, 32, 3), np.uint8)), "array[None]"),
    Case("one axis", saved(np.zeros(50, np.uint8)), "has the shape (50,)"),
    Case("no rows", saved(np.zeros((0, 28, 28), np.uint8)), "has the shape (0, 28, 28)"),
    Case("another range of values", saved(np.full((5, 8, 8), 16.0)), "say value_range=(16, 16)"),
    Case("values below zero", saved(np.linspace(-2, 2, 320).reshape(5, 8, 8)), "values from -2 to 2"),
    Case("complex numbers", saved(np.zeros((5, 8, 8), complex)), "samples must be numbers"),
    Case("texts in an array", given(np.array([["a", "b"]])), "samples must be numbers"),
    Case("pickled objects", saved(np.array([{}, {}], object)), "is not a readable .npy array"),
    Case("truncated .npy", source("x.npy", b"\x93NUMPY\x01\0\x10\0{'descr': '|u1',"), "is not a readable .npy array"),
    Case("damaged .npz", source("x.npz", b"PK\x03\x04damaged"), "is not a readable .npz archive"),
    Case("several arrays", npz(a=np.zeros((5, 8, 8)), b=np.zeros((5, 8, 8))), "choose one with column='NAME'"),
    Case("no such array", npz(a=np.zeros((5, 8, 8))), "has no array 'b'", {"column": "b"}),
    Case("truncated IDX", idx(lambda raw: raw[:-1]), "is truncated"),
    Case("truncated IDX", idx(lambda raw: raw[:9]), "is truncated: it ends within its header"),
    Case("IDX of nothing", idx(lambda raw: raw[:4] + bytes(4) + raw[8:]), "there is nothing in it"),
    Case("IDX images and labels that differ", idx_pair, "not a pair"),
    Case("IDX files of two shapes", idx_of_two_shapes, "read them one by one"),
    # Tables.
    Case("table without paths", source("t.csv", b"name,size\na,1\n"), "its columns are 'name', 'size'", IMAGE),
    Case("table without rows", source("t.csv", b"path,label\n"), "t.csv has no rows"),
    Case(
        "table of missing files", source("t.csv", b"path\na.png\nb.png\n"), "none of the 2 images of t.csv can be read"
    ),
    Case(
        "the same id twice in a table",
        source("t.csv", b"path\na.png\nb.png\na.png\n"),
        "t.csv line 2 and at t.csv line 4",
    ),
    Case("no such column", source("t.csv", b"path\na.png\n"), "has no column 'img'", {"column": "img"}),
    Case("several columns of bytes", parquet(a=[b"x"], b=[b"y"]), "choose one with column='NAME'"),
    Case("a column of numbers", parquet(path=[1, 2]), "holds neither bytes nor paths"),
    Case("damaged Parquet", source("t.parquet", b"PAR1 damaged"), "is not readable as Parquet"),
    Case("damaged Parquet", damaged_parquet, "t.parquet is damaged"),
    # Labels.
    Case("labels file does not exist", lambda folder: {"labels": folder / "nofile.csv"}, "nofile.csv does not exist"),
    Case("labels file nearly exists", lambda folder: {"labels": folder / "oks.csv"}, "Did you mean 'ok.csv'?"),
    Case("labels file does not exist", lambda folder: {"labels": "x" * 5000}, "does not exist"),
    Case("labels are a folder", lambda folder: {"labels": folder / "photos"}, "are a folder"),
    Case("a word that is nearly one", lambda folder: {"labels": "folder"}, "Did you mean 'folders'?"),
    Case("empty labels file", text("l.csv", ""), "l.csv is empty"),
    Case("unknown id", text("l.csv", GOOD + "nope.png,cat\n"), "l.csv line 4: 'nope.png' is not an id in photos/"),
    Case("unknown id", text("l.csv", GOOD + "cta/2.png,cat\n"), "Did you mean 'cat/2.png'?"),
    Case("unknown id in a mapping", lambda _: {"labels": {"x": "a"}}, "'x' is not an id in photos/"),
    Case("ids that disagree", text("l.csv", GOOD + "cat/1.png,dog\n"), "l.csv line 4: 'cat/1.png' is labelled 'dog'"),
    Case(
        "one class only",
        text("l.csv", "id,label\ncat/1.png,a\ncat/2.png,a\n"),
        "one class only in l.csv, 'a' on 2 rows",
    ),
    Case("no label", text("l.csv", "id,label\n"), "there is no label in l.csv"),
    Case("no label", text("l.csv", "id,label\ncat/1.png,\ndog/1.png,-1\n"), "there is no label in l.csv"),
    Case("no label", lambda _: {"labels": [None] * 4}, "there is no label in the labels given"),
    Case("missing column", text("l.csv", "file,cls\ncat/1.png,cat\n"), "its columns are 'file', 'cls'"),
    Case("missing column", text("l.csv", "id,lable\ncat/1.png,cat\n"), "Did you mean 'lable'?"),
    Case("missing column", lambda _: {}, "has no column 'kind'", {"label_column": "kind"}),
    Case("no header", text("l.csv", "cat/1.png,cat\ndog/1.png,dog\n"), "its columns are 'cat/1.png', 'cat'"),
    Case("wrong encoding", text("l.csv", b"id,label\n\xff\xfe\0\1"), "l.csv line 2 is not UTF-8 (byte 0xff)"),
    Case("wrong encoding", text("l.csv", "id,label\ncat/1.png,Käfer\n".encode("latin-1")), "line 2 is not UTF-8"),
    Case("wrong encoding", text("l.csv", GOOD.encode("utf-16")), "l.csv is UTF-16"),
    Case("a BOM and no label", text("l.csv", "\ufeffid,label\n"), "there is no label in l.csv"),
    Case("NUL bytes", text("l.csv", "id,label\ncat/1.png,a\0b\n"), "l.csv line 2 holds a NUL byte"),
    Case(
        "quotes left open", text("l.csv", GOOD + '"cat/2.png,cat\ntop.png,dog\n'), "opens a quote that is never closed"
    ),
    Case("too many cells", text("l.csv", GOOD + "cat/2.png,cat,or dog\n"), "line 4 has 3 cells and the header has 2"),
    Case("a cell of megabytes", text("l.csv", "id,label\n" + "x" * 200_000 + ",a\n"), "xxx...xxx"),
    Case("labels too few", lambda _: {"labels": ["a", "b"]}, "has 2 entries and photos/ has 4 rows"),
    Case("labels of two axes", lambda _: {"labels": np.zeros((4, 2))}, "shape (4, 2)"),
    Case("strings and numbers mixed", lambda _: {"labels": ["a", 1, None, None]}, "all strings or all whole numbers"),
    Case("fractions", lambda _: {"labels": [0.5, 1.5, -1, -1]}, "neither a string nor a whole number"),
    Case("a source without labels", given([encoded(picture(0))] * 2, "source"), "carries no labels of its own"),
    Case("folders without sub-folders", given([encoded(picture(0))], "folders"), "needs a folder with sub-folders"),
    # Rows of tables.
    Case("table of one row", source("t.csv", b"a,b\n1,2\n"), "t.csv has one row: there is no other"),
    Case("table of a header", source("t.csv", b"a,b\n"), "t.csv has no rows below its header"),
    Case(
        "all-missing columns", source("t.csv", b"a,b\n,NA\n,?\n"), "no column that tells its rows apart: 'a' is empty"
    ),
    Case("constant columns", source("t.csv", b"a,b\n1,x\n1,x\n1,x\n"), "'a' is constant, 'b' is constant"),
    Case("infinite columns", given(np.full((9, 3), np.inf)), "'column_0' is empty", TABLE),
    Case("only ids", source("t.csv", b"id,label\n1,a\n2,b\n"), "'id' names the rows, 'label' holds the labels", TABLE),
    Case(
        "duplicate column names", source("t.csv", b"a,b,a\n1,2,3\n3,4,5\n"), "two columns named 'a', the 1. and the 3."
    ),
    Case("ragged rows", source("t.csv", b"a,b\n1,2\n3\n4,5\n"), "t.csv line 3 has 1 cells and the header has 2"),
    Case("a table in Latin-1", source("t.csv", "a,b\nä,2\né,4\n".encode("latin-1")), "t.csv line 2 is not UTF-8"),
    Case("the same id in a table", source("t.csv", b"id,b\nx,1\nx,2\ny,5\n"), "the id 'x' stands twice, in row 0"),
    Case("a row without an id", source("t.csv", b"id,b\nx,1\n,2\ny,5\n"), "row 1 of t.csv has no id"),
    Case("labels named in the features", rows_of(label="xyx", a=[1, 2, 4]), "'label' of", kinds(label="category")),
    Case("an unknown kind", rows_of(a=[1, 2, 4]), "choose one of 'number', 'category'", kinds(a="float")),
    Case(
        "kinds of missing columns",
        rows_of(a=[1, 2, 4]),
        "lacks 2 columns that are needed: 'b', 'c'",
        kinds(b="id", c="id"),
    ),
    Case("two id columns", rows_of(a=[1, 2], b=[3, 4], c=[4, 4]), "choose one", kinds(a="id", b="id")),
    Case("numbers as dates", rows_of(a=[1, 2, 4]), "they are no dates", kinds(a="date")),
    Case("damaged Arrow file", source("t.arrow", b"ARROW1\0\0damaged"), "t.arrow is damaged", TABLE),
    Case("no label column", rows_of(a=[1, 2, 4]), "has no column 'b' for the labels", {"label_column": "b", **TABLE}),
    # Texts.
    Case("an open quote", source("t.csv", b'text,label\na b,x\n"c d,y\ne f,x\n'), "t.csv line 3 opens a quote"),
    Case(
        "a text column of numbers", source("t.csv", b"text,label\n1,x\n2.5,y\n-3,x\n"), "are numbers: choose the column"
    ),
    Case(
        "texts all the same", source("t.csv", b"text,label\na b,x\na b,y\na b,x\n"), "all 3 texts of t.csv are the same"
    ),
    Case("texts all empty", source("t.csv", b"text,label\n ,x\n,y\n\t,x\n"), "none of the 3 texts"),
    Case(
        "NUL bytes in all texts",
        source("t.jsonl", b'{"text": "a\\u0000b"}\n{"text": "c\\u0000d"}\n'),
        "holds NUL bytes",
    ),
    Case("the same id of two texts", source("t.csv", b"id,text\n1,a b\n1,c d\n"), "t.csv: the id '1' stands twice"),
    Case("a text without an id", source("t.csv", b"id,text\n1,a b\n,c d\n"), "t.csv line 3 has no id"),
    Case(
        "a damaged line of JSON", source("t.jsonl", b'{"text": "a"}\n{"text": "b"\n'), "t.jsonl line 2 is not readable"
    ),
    Case("a list among objects", source("t.jsonl", b'{"text": "a"}\n["b"]\n'), "t.jsonl line 2 is a list"),
    Case("an unknown encoding", source("t.txt", b"a b\nc d\n"), "utf-9", {"encoding": "utf-9"}),
    # Sounds.
    Case("all sounds silent", sounds(a=SILENCE, b=SILENCE), "a.wav is silent"),
    Case("zero-length sound, strict", sounds(a=encoded_sound(tone()), b=b""), "b.wav is empty", {"strict": True}),
    Case("truncated sound", sounds(a=encoded_sound(tone())[:999]), "a.wav is truncated"),
    Case("text called .wav", sounds(a=b"this is a text and no sound"), "a.wav is not a sound"),
    Case("a rate of 1 Hz", sounds(a=with_rate(1)), "a.wav has a rate of 1 Hz"),
    Case(
        "a rate of 1 Hz, in windows",
        sounds(a=encoded_sound(tone()), b=with_rate(1)),
        "b.wav has a rate of 1 Hz",
        {"window": 0.2, "strict": True},
    ),
    Case(
        "silence beside sound, strict", sounds(a=encoded_sound(tone()), b=SILENCE), "b.wav is silent", {"strict": True}
    ),
    Case(
        "a video called .wav, strict",
        sounds(a=encoded_sound(tone()), b=b"RIFF\x00\x01\x00\x00AVI LIST" + bytes(500)),
        "b.wav is not a sound",
        {"strict": True},
    ),
    Case(
        "sounds as floats beyond 1", given(np.full((3, 99), 7.0)), "beyond -1 to 1", {"modality": "audio", "rate": 8000}
    ),
    Case("sounds without a rate", given(np.zeros((3, 99), np.int16)), "give rate=16000", {"modality": "audio"}),
    Case("unknown rate", sounds(a=encoded_sound(tone())), "rate must be a whole number of hertz", {"rate": 10}),
    Case("stride without a window", sounds(a=encoded_sound(tone())), "give window as well", {"stride": 1}),
    # Series.
    Case("gaps in all series", given(GAPS), "lacks 60% of the values of channel 0", SERIES),
    Case("constant series", given(np.ones((4, 1, 20))), "all values of the array given are the same", SERIES),
    Case("infinite series", given(np.full((4, 1, 20), np.inf)), "holds infinity", SERIES),
    Case("series of one step", given(np.zeros((4, 1))), "has 1 step: a series needs at least 2", SERIES),
    Case("one series", csv_series("time,x\n1,2\n2,4\n3,1\n"), "cut it into windows", SERIES),
    Case("a window longer than the series", given(GAPS), "as many as 99 steps", {**SERIES, "window": 99}),
    Case("window of one step", given(GAPS), "window must be a whole number", {**SERIES, "window": 1}),
    Case("times out of order", csv_series("id,time,x\na,1,2\na,3,4\na,2,1\nb,1,1\nb,3,2\nb,2,2\n"), "comes before"),
    Case("times repeated", csv_series("id,time,x\na,1,2\na,1,4\na,2,1\nb,1,1\nb,1,2\nb,2,2\n"), "stands twice"),
    Case("irregular times", csv_series("id,time,x\na,1,2\na,2,4\na,4.5,1\nb,1,1\nb,2,2\nb,4.5,2\n"), "irregularly"),
    Case("words in a channel", csv_series("id,time,x\na,1,2\na,2,high\n"), "series.csv line 3: 'high' in the column"),
    Case("times that are none", csv_series("id,time,x\na,noon,2\na,later,1\n"), "line 2: 'noon' is no time"),
    Case("a .ts file without a header", source("x.ts", b"1,2,3:1\n"), "x.ts line 1 stands before '@data'"),
    Case("a .ts file with time stamps", source("x.ts", b"@timestamps true\n@data\n(0,1):1\n"), "holds time stamps"),
    Case("a .ts file of nothing", source("x.ts", b"@timestamps false\n@data\n"), "holds no series"),
    Case(
        "series of other channel counts, strict",
        given(
            [np.sin(np.arange(60.0)).reshape(2, 30), np.sin(np.arange(30.0)), np.cos(np.arange(60.0)).reshape(2, 30)]
        ),
        "has 1 channel, most have 2",
        {**SERIES, "strict": True},
    ),
    Case(
        "one point among series, strict",
        csv_series("id,time,x\na,1,2\na,2,4\nb,1,1\n"),
        "has 1 step",
        {**SERIES, "strict": True},
    ),
    Case("cube of series", given(np.zeros((2, 3, 4, 5))), "(n, time) or (n, channels, time)", SERIES),
    # Videos.
    Case("only sound in a video", source("x.mp4", encoded_sound(tone())), "x.mp4 holds no pictures, only sound"),
    Case("a video of no frame", film("x.avi", 0), "x.avi holds no frame"),
    Case("a video shorter than a clip", film("x.avi", 3), "has 3 frames, 10 are needed for a clip"),
    Case("zero-length video", source("x.mp4", b""), "x.mp4 is empty (0 bytes)"),
    Case("text called .mp4", source("x.mp4", b"a text and no video"), "x.mp4 is not a video that can be read"),
    Case("texts as videos", texts_only, "there is no video in", {"modality": "video"}),
    # The cache.
    Case("unwritable cache", unwritable_cache, "cannot be written"),
    Case("unpacks to fill the disk", full_cache, "more than 200 times as much"),
]
FAULTS = {
    "path does not exist", "empty folder", "folder of texts", "truncated image, strict", "zero-byte image, strict",
    "mislabelled image, strict", "unknown id", "ids that disagree", "one class only", "no label", "missing column",
    "all sounds silent", "zero-length sound, strict", "truncated sound", "text called .wav", "a rate of 1 Hz",
    "gaps in all series", "constant series", "series of one step", "times out of order", "times repeated",
    "table of one row", "all-missing columns", "constant columns", "infinite columns", "duplicate column names",
    "labels named in the features", "irregular times", "wrong encoding", "a BOM and no label",
    "an open quote", "a text column of numbers", "texts all the same", "texts all empty", "NUL bytes in all texts",
    "the same id of two texts", "a text without an id", "only sound in a video", "a video of no frame",
    "a video shorter than a clip", "zero-length video", "text called .mp4",
    "NaN in an array", "mixed-up shape", "unwritable cache", "unpacks to fill the disk",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return good_folder(tmp_path)


def good_folder(folder: Path) -> Path:
    """Write `photos/` and `ok.csv` to a folder and return it."""
    write_pictures(folder / "photos", ["cat/1.png", "cat/2.png", "dog/1.png", "top.png"], size=(8, 8))
    (folder / "ok.csv").write_text(GOOD)
    return folder


def assert_one_sentence(told: str) -> None:
    """Fail unless a text is one line of sensible length that ends as a sentence does."""
    assert "\n" not in told
    assert 20 < len(told) < 500, told
    assert told.endswith((".", "?")), told
    assert "Traceback" not in told


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fault.replace(" ", "-"))
def test_bad_input_is_one_sentence_and_leaves_nothing(case: Case, folder: Path, cache: Path):
    made = {"source": folder / "photos", "labels": folder / "ok.csv", **case.make(folder), **case.options}
    with pytest.raises(InputError) as error:
        handful.read(made.pop("source"), made.pop("labels"), **made)
    assert_one_sentence(str(error.value))
    assert case.told in str(error.value)
    assert not list(cache.rglob("*.tmp"))


ALL_LABELLED = GOOD + "cat/2.png,cat\ntop.png,dog\n"
AFTER_READING = [  # what only the steps after reading can tell
    Case("labels for every row", text("l.csv", ALL_LABELLED), "each of the 4 rows of photos/ has a label already"),
    Case("fewer rows than neighbours", lambda _: {}, "n_neighbors=10 needs more than 10 items"),
    Case("no labels", lambda _: {"labels": None}, "no label is given for the 4 items of photos/"),
]
FLAGS = {"strict": "--strict", "size": "--size", "label_column": "--label-column"}


def command_line(case: Case, folder: Path) -> list[str] | None:
    """Return the words of `handful label` that meet the same fault, None where only Python can."""
    made = {"source": folder / "photos", "labels": folder / "ok.csv", **case.make(folder)}
    on_disk = isinstance(made["source"], Path) and isinstance(made["labels"], Path | str | None)
    if not on_disk or "cache" in made or not set(case.options) <= set(FLAGS) or case.fault == "size in words":
        return None
    words = ["handful", "label", str(made["source"]), "--out", str(folder / "run")]
    words += [] if made["labels"] is None else ["--labels", str(made["labels"])]
    for name, value in case.options.items():
        words += [FLAGS[name]] if value is True else [FLAGS[name], str(value)]
    return words


def test_the_command_line_says_the_same_and_exits_2(tmp_path_factory, monkeypatch, capsys):
    from handful.cli import main

    tried, wrong = 0, []
    for case in CASES + AFTER_READING:
        folder = good_folder(tmp_path_factory.mktemp("case"))
        words = command_line(case, folder)
        if words is None:
            continue
        tried += 1
        monkeypatch.setattr("sys.argv", words)
        with pytest.raises(SystemExit) as end:
            main()
        told = capsys.readouterr().err.strip()
        if end.value.code != 2 or case.told not in told or "\n" in told or (folder / "run").exists():
            wrong.append((case.fault, end.value.code, told))
    assert tried >= 100
    assert not wrong


def test_the_table_holds_every_fault_that_was_asked_for():
    assert {case.fault for case in CASES} >= FAULTS
    assert len(CASES) >= 137


def test_the_good_folder_is_good(folder: Path):
    data = handful.read(folder / "photos", folder / "ok.csv")
    assert data.labels.given.tolist() == [True, False, True, False]


def test_labels_for_every_row_leave_nothing_to_find(folder: Path):
    data = handful.read(folder / "photos", ["a", "b", "a", "b"])
    with pytest.raises(InputError, match="each of the 4 rows of photos/ has a label already") as error:
        check_something_to_label(data.labels, data.source)
    assert_one_sentence(str(error.value))


@pytest.mark.skipif(os.geteuid() == 0, reason="to root every folder is open")
def test_a_folder_that_may_not_be_opened_is_told(folder: Path):
    (folder / "photos" / "cat").chmod(0)
    with pytest.raises(InputError, match="cat cannot be read: Permission denied"):
        handful.read(folder / "photos")
    (folder / "photos" / "cat").chmod(0o755)


def test_damaged_images_among_good_ones_do_not_stop_the_reading(folder: Path):
    (folder / "photos" / "zero.png").write_bytes(b"")
    (folder / "photos" / "cut.png").write_bytes(encoded(Image.effect_noise((64, 64), 50))[:900])
    (folder / "photos" / "text.gif").write_text("a text")
    data = handful.read(folder / "photos", folder / "ok.csv")
    assert len(data) == 4
    assert sorted(refusal.id for refusal in data.refused) == ["cut.png", "text.gif", "zero.png"]
