from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import handful
from handful.data.tables import TextTable
from handful.errors import InputError
from handful.modalities.text_files import find_encoding, visible_text

CAFE = "café au lait très bon, naïve façade"


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def reasons(data: handful.Dataset) -> dict[str, str]:
    return {refusal.id: refusal.reason for refusal in data.refused}


def test_list_of_strings_is_read_as_texts_without_being_told() -> None:
    data = handful.read(["one text", "שלום עולם 😀"])
    assert (data.modality, data.samples[:]) == ("text", ["one text", "שלום עולם 😀"])
    assert data.ids.tolist() == ["0", "1"]


def test_rows_are_read_in_the_order_asked_for() -> None:
    data = handful.read(["a a", "bb bb", "ccc"], modality="text")
    assert data.samples[np.array([2, 0])] == ["ccc", "a a"]
    assert data.samples[1] == "bb bb"
    assert data.samples.lengths(np.array([1, 2])).tolist() == [5, 3]


def test_list_of_image_paths_is_not_texts() -> None:
    with pytest.raises(InputError, match="images"):
        handful.read(["missing/one.png", "missing/two.png"])


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.jsonl", "t.parquet"])
def test_every_kind_of_table_gives_the_same_texts_and_labels(tmp_path: Path, name: str) -> None:
    frame = pd.DataFrame({"id": ["x", "y"], "text": ['a "quoted", text', "second\ttext"], "label": ["p", "q"]})
    path = tmp_path / name
    if name.endswith("parquet"):
        pq.write_table(pa.Table.from_pandas(frame), path)
    elif name.endswith("jsonl"):
        path.write_text("".join(json.dumps(row) + "\n" for row in frame.to_dict("records")))
    else:
        frame.to_csv(path, index=False, sep="," if name.endswith("csv") else "\t")
    data = handful.read(path, "source")
    assert data.modality == "text"
    assert data.ids.tolist() == ["x", "y"]
    assert data.samples[:] == frame["text"].tolist()
    assert data.labels is not None
    assert data.labels.classes.tolist() == ["p", "q"]


def test_data_frame_is_read_as_its_file_is() -> None:
    data = handful.read(pd.DataFrame({"sentence": ["a b", None, "c d"], "n": [1, 2, 3]}))
    assert data.samples[:] == ["a b", "c d"]
    assert reasons(data) == {"1": "is empty (0 bytes)"}


def test_only_column_of_words_is_found_whatever_its_name(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "kind,blurb\n1,the first of them\n2,and then another\n")
    assert handful.read(path, modality="text").samples[0] == "the first of them"


def test_two_columns_of_words_have_to_be_chosen_from(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "one,other\nthe first of them,and so on\nand then another,or not so\n")
    with pytest.raises(InputError, match=r"several columns of texts \('one', 'other'\): choose one with column="):
        handful.read(path, modality="text")
    assert handful.read(path, modality="text", column="other").samples[0] == "and so on"


def test_folder_gives_one_text_a_file_in_any_encoding_and_says_which(tmp_path: Path) -> None:
    write(tmp_path / "a" / "one.txt", CAFE, "cp1252")
    write(tmp_path / "a" / "two.txt", "Привет, как дела сегодня у вас", "cp1251")
    write(tmp_path / "b" / "three.txt", "日本語のテキストです。これはテストの文章です。", "shift_jis")
    write(tmp_path / "b" / "four.txt", CAFE, "utf-16")
    data = handful.read(tmp_path, "folders")
    assert data.ids.tolist() == ["a/one.txt", "a/two.txt", "b/four.txt", "b/three.txt"]
    assert data.samples[:] == [
        CAFE,
        "Привет, как дела сегодня у вас",
        CAFE,
        "日本語のテキストです。これはテストの文章です。",
    ]
    assert data.settings["encodings"] == {"cp1252": 1, "cp1251": 1, "utf-16-le": 1, "shift_jis": 1}
    assert data.labels is not None


def test_unchanged_folder_is_read_from_the_cache(tmp_path: Path, cache: Path) -> None:
    write(tmp_path / "one.txt", "the first")
    write(tmp_path / "two.txt", "the second")
    first = handful.read(tmp_path)
    packed = list(cache.rglob("*.utf8"))
    assert len(packed) == 1
    before = packed[0].stat().st_mtime_ns
    assert handful.read(tmp_path).fingerprint == first.fingerprint
    assert packed[0].stat().st_mtime_ns == before


def test_file_of_lines_gives_one_text_a_line(tmp_path: Path) -> None:
    data = handful.read(write(tmp_path / "lines.txt", "first line\r\n\r\nthird line\r\n"))
    assert data.samples[:] == ["first line", "third line"]
    assert list(reasons(data)) == ["1"]


def test_csv_in_another_encoding_is_read_and_the_encoding_said(tmp_path: Path) -> None:
    data = handful.read(write(tmp_path / "t.csv", f"text;label\n{CAFE};x\nvoilà;y\n", "cp1252"))
    assert data.samples[0] == CAFE
    assert data.settings["encodings"] == {"cp1252": 2}


def test_encoding_that_was_given_is_used(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", f"text;n\n{CAFE};1\nЯ;2\n", "utf-8")
    assert handful.read(path, encoding="cp1252").samples[0] == CAFE.encode().decode("cp1252")
    with pytest.raises(InputError, match="encoding='utf-9' is not known"):
        handful.read(path, encoding="utf-9")


def test_what_is_no_text_is_left_out_and_named(tmp_path: Path) -> None:
    huge = "word " * 500_000
    data = handful.read(["a text", "", " \n", "x\0y", huge, "another", "\x01\x02\x03\x04"], modality="text")
    found = reasons(data)
    assert data.ids.tolist() == ["0", "5"]
    assert found["1"] == "is empty (0 bytes)"
    assert found["2"].startswith("holds no text")
    assert found["3"].startswith("holds NUL bytes")
    assert found["4"].startswith("has 2,500,000 characters, more than 2,000,000")
    assert found["6"].startswith("is not text")


def test_document_of_another_program_is_named_not_passed_over(tmp_path: Path) -> None:
    for name in ("one.txt", "two.txt"):
        write(tmp_path / name, f"text {name}")
    (tmp_path / "three.pdf").write_bytes(b"%PDF-1.7 ...")
    assert reasons(handful.read(tmp_path)) == {"three.pdf": "is a PDF: save it as plain text"}


def test_fifty_megabytes_in_one_line_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "big.txt"
    path.write_bytes(b"first\n" + b"x " * 25_000_000 + b"\nlast\n")
    data = handful.read(path)
    assert data.samples[:] == ["first", "last"]
    assert list(reasons(data)) == ["1"]


def test_open_quote_is_named_by_the_line_it_opens_on(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", 'text,label\nfirst,x\n"second,y\nthird,x\n')
    with pytest.raises(InputError, match=r"t\.csv line 3 opens a quote that is never closed"):
        handful.read(path)


def test_row_swallowed_by_a_quote_is_named_by_its_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", 'text,label\nfirst,x\n"second,y\nthird,"x"\nlast,y\n')
    with pytest.raises(InputError, match=r"t\.csv lines 3 to 4, one row by the quotes, have 1 cells"):
        handful.read(path)


def test_quote_within_a_cell_of_a_csv_is_a_quote(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", 'text,label\nfirst,x\na 5" disk,y\n')
    assert TextTable(path).column("text") == ["first", 'a 5" disk']


def test_quotes_of_a_tab_separated_file_may_stand_for_themselves(tmp_path: Path) -> None:
    path = write(tmp_path / "t.tsv", 'text\tlabel\n"Well, he said\tx\nright\ty\n')
    assert handful.read(path).samples[0] == '"Well, he said'


def test_cell_of_many_megabytes_is_read_as_a_cell(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", f'text\n"{"long " * 100_000}"\nshort\n')
    assert len(handful.read(path).samples[0]) == 499_999


def test_html_is_read_as_a_browser_shows_it() -> None:
    page = "<html><head><style>p {}</style></head><body><p>One &amp; <b>two</b></p><script>x</script><p>three</body>"
    assert visible_text(page) == "One & two\nthree"
    stripped = handful.read(["<p>bold <b>words</b></p>", "3 < 4 and 5 > 2"], modality="text")
    assert stripped.samples[:] == ["bold words", "3 < 4 and 5 > 2"]
    kept = handful.read(["<p>bold</p>", "plain"], modality="text", markup="keep")
    assert kept.samples[0] == "<p>bold</p>"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ([], "the list of texts is empty"),
        (["same", "same"], "all 2 texts of the list of 2 texts are the same"),
        (["1", "2.5", "-3e4"], "are numbers: choose the column"),
        (["", " "], "none of the 2 texts .* can be read: 0 is empty"),
        (7, "a source of type int holds no texts"),
    ],
)
def test_source_without_texts_is_one_sentence(source: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        handful.read(source, modality="text")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("id,text\n1,a\n1,b\n", "the id '1' stands twice, at t.csv line 2 and at t.csv line 3"),
        ("id,text\n1,a\n,b\n", "t.csv line 3 has no id"),
        ("id,text\n", "t.csv has no rows"),
    ],
)
def test_table_with_bad_ids_is_one_sentence(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        handful.read(write(tmp_path / "t.csv", content))


def test_damaged_json_line_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", '{"text": "a"}\n\n{"text": "b"\n')
    with pytest.raises(InputError, match=r"t\.jsonl line 3 is not readable as JSON"):
        handful.read(path)


def test_setting_of_images_is_refused_for_texts() -> None:
    with pytest.raises(InputError, match="size=32 is a setting of images"):
        handful.read(["a", "b"], modality="text", size=32)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-8-sig", "cp1252"])
def test_encoding_is_found(encoding: str) -> None:
    content = (CAFE * 3).encode(encoding)
    assert content.decode(find_encoding(content)).removeprefix("\ufeff") == CAFE * 3


def test_texts_may_be_given_as_bytes() -> None:
    data = handful.read([CAFE.encode("cp1252"), b"plain words"], modality="text")
    assert data.samples[:] == [CAFE, "plain words"]


def test_emoji_and_scripts_from_right_to_left_are_read_as_they_stand(tmp_path: Path) -> None:
    texts = ["😀 ☀️ 👩‍🚀", "مرحبا بالعالم", "שלום עולם"]
    data = handful.read(write(tmp_path / "t.csv", "text,label\n" + "\n".join(f"{text},x" for text in texts) + "\n"))
    assert data.samples[:] == texts
    assert not data.refused
