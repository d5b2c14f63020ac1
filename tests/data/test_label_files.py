"""Labels from every form in which they come."""

from __future__ import annotations

import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pictures import write_pictures

import handful
from handful import InputError

NAMES = ["cat/1.png", "cat/2.png", "dog/1.png", "top.png"]
WANTED = ["cat", None, "dog", None]
ENTRIES = "cat/1.png,cat\ndog/1.png,dog\n"


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return write_pictures(tmp_path_factory.mktemp("photos"), NAMES, size=(8, 8))


def read(photos, labels, **options):
    labels = handful.read(photos, labels, **options).labels
    return labels.decode(labels.codes).tolist()


def test_every_form_gives_the_same_labels(photos, tmp_path):
    (tmp_path / "l.csv").write_text("id,label\n" + ENTRIES)
    pq.write_table(pa.table({"id": ["cat/1.png", "dog/1.png"], "label": ["cat", "dog"]}), tmp_path / "l.parquet")
    forms = [
        tmp_path / "l.csv",
        str(tmp_path / "l.parquet"),
        {"cat/1.png": "cat", "dog/1.png": "dog"},
        WANTED,
        np.array(["cat", "", "dog", "-1"]),
        pa.table({"id": ["cat/1.png", "dog/1.png"], "label": ["cat", "dog"]}),
        handful.data.encode_labels(WANTED),
    ]
    for labels in forms:
        assert read(photos, labels) == WANTED


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffid,label\n" + ENTRIES,
        ("id;label\n" + ENTRIES.replace(",", ";")),
        ("id\tlabel\n" + ENTRIES.replace(",", "\t")),
        "id|label\r\n" + ENTRIES.replace(",", "|").replace("\n", "\r\n"),
        ' Label ,note, ID\ncat,"a, b",cat/1.png\n\ndog,"x\ny",dog/1.png\n',
        "file_name,label\n" + ENTRIES,
        "id,label\n./cat/1.png,cat\ndog\\1.png,dog\ncat/2.png,\ntop.png,-1\n",
        "id,label\n" + ENTRIES + ENTRIES,
        "id,label\n" + ENTRIES + "cat/1.png,\n",
    ],
)
def test_csv_as_people_write_it(photos, tmp_path, text):
    (tmp_path / "l.csv").write_text(text, encoding="utf-8")
    assert read(photos, tmp_path / "l.csv") == WANTED


def test_another_column_can_hold_the_labels(photos, tmp_path):
    (tmp_path / "l.csv").write_text("id,kind\n" + ENTRIES)
    assert read(photos, tmp_path / "l.csv", label_column="kind") == WANTED


def test_integers_of_a_parquet_file_stay_integers(photos, tmp_path):
    pq.write_table(pa.table({"id": ["cat/1.png", "dog/1.png"], "label": [7, 3]}), tmp_path / "l.parquet")
    assert read(photos, tmp_path / "l.parquet") == [7, None, 3, None]


def test_an_npy_file_gives_one_label_a_row(photos, tmp_path):
    np.save(tmp_path / "l.npy", np.array([1, -1, 0, -1]))
    assert read(photos, tmp_path / "l.npy") == [1, None, 0, None]


def test_folders_name_classes_and_the_top_none(photos):
    assert read(photos, "folders") == ["cat", "cat", "dog", None]
    assert read(photos, "source") == ["cat", "cat", "dog", None]
    assert handful.read(photos).labels is None


def test_a_folder_named_unlabelled_is_no_class(tmp_path):
    write_pictures(tmp_path, ["a/1.png", "b/1.png", "unlabelled/1.png", "Unlabeled/2.png"], size=(8, 8))
    assert sorted(read(tmp_path, "folders"), key=str) == [None, None, "a", "b"]


def test_metadata_beside_the_files_comes_before_their_folders(tmp_path):
    write_pictures(tmp_path, NAMES, size=(8, 8))
    (tmp_path / "metadata.csv").write_text("file_name,label,kind\ncat/1.png,x,q\ntop.png,y,r\n")
    assert read(tmp_path, "source") == ["x", None, None, "y"]
    assert read(tmp_path, None, label_column="kind") == ["q", None, None, "r"]
    assert handful.read(tmp_path).ids.tolist() == NAMES


def test_of_its_own_labels_file_only_what_a_person_gave_counts(photos, tmp_path):
    (tmp_path / "labels.csv").write_text(
        "id,label,confidence,source,reached,margin,runner_up\n"
        "cat/1.png,cat,1,given,True,1,\ncat/2.png,dog,.6,propagated,True,.2,cat\n"
        "dog/1.png,dog,1,reviewed,True,1,\ntop.png,,,,False,,\n"
    )
    assert read(photos, tmp_path / "labels.csv") == WANTED


def test_an_accent_matches_composed_or_not(tmp_path):
    write_pictures(tmp_path, [unicodedata.normalize("NFD", "é.png"), "b.png"], size=(8, 8))
    labels = {unicodedata.normalize("NFC", "é.png"): "x", "b.png": "y"}
    assert sorted(read(tmp_path, labels)) == ["x", "y"]


def test_numbers_are_ids_of_rows():
    array = np.random.default_rng(0).integers(0, 256, (4, 8, 8), dtype=np.uint8)
    assert read(array, {0: "a", 3: "b"}) == ["a", None, None, "b"]


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("cta/1.png", "cat/1.png"),
        ("photos/cat/2.png", "cat/2.png"),
        ("top", "top.png"),
        ("TOP.PNG", "top.png"),
        ("dog/1.pgn", "dog/1.png"),
    ],
)
def test_an_unknown_id_names_the_line_and_the_nearest(photos, tmp_path, key, near):
    (tmp_path / "l.csv").write_text(f"id,label\n\ncat/1.png,cat\n{key},dog\n")
    with pytest.raises(InputError, match=rf"l\.csv line 4: '{key}' is not an id in .* Did you mean '{near}'\?"):
        handful.read(photos, tmp_path / "l.csv")


def test_labels_that_disagree_name_both_lines(photos, tmp_path):
    (tmp_path / "l.csv").write_text("id,label\n" + ENTRIES + "cat/1.png,dog\n")
    with pytest.raises(InputError, match=r"l\.csv line 4: .*'dog' here and 'cat' \(l\.csv line 2\)"):
        handful.read(photos, tmp_path / "l.csv")


def test_a_class_that_only_refused_rows_have_is_dropped(tmp_path):
    write_pictures(tmp_path, ["a/1.png", "b/1.png"], size=(8, 8))
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "1.png").write_bytes(b"damaged")
    assert handful.read(tmp_path, "folders").labels.classes.tolist() == ["a", "b"]
