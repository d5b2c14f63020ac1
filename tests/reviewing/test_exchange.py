"""Labels go out to other tools and come back without loss."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from desks import COUNT, asked, settled, truth
from PIL import Image

import handful
from handful.errors import InputError
from handful.reviewing.exporting import FORMS, export_run, folder_name, label_config
from handful.reviewing.importing import import_labels
from handful.reviewing.serve import take_in_labels
from handful.run.folder import Run
from handful.run.journal import reviewed_labels
from handful.run.start import run_for_review

STRANGE = "=a/b & <ü>"


@pytest.fixture
def labelled(run: Run) -> Run:
    """The run with eight labels of people, one of them of a strange name, and the others propagated."""
    with asked(run) as (review, _):
        for row in range(7):
            review.desk.decide("ann", [row], "label", label=truth(row))
        review.desk.decide("bob", [7], "label", label=STRANGE)
        settled(review)
    return run


def people(run: Run) -> dict[str, Any]:
    """Return what people said in a run."""
    rows = run.labels.to_pylist()
    return {row["id"]: row["label"] for row in rows if row["source"] in ("given", "reviewed")}


@pytest.mark.parametrize("form", FORMS)
def test_what_people_said_comes_back_from_every_form(labelled: Run, tmp_path: Path, form: str) -> None:
    ending, _ = FORMS[form]
    path, rows = export_run(labelled, form, tmp_path / f"out{ending}")
    assert rows == COUNT
    assert len(people(labelled)) == 8
    assert import_labels(path) == people(labelled)
    assert import_labels(path, form) == people(labelled)


def test_tables_keep_every_column(labelled: Run, tmp_path: Path) -> None:
    path, _ = export_run(labelled, "parquet", tmp_path / "out.parquet")
    assert pq.read_table(path).equals(labelled.labels)
    lines, _ = export_run(labelled, "jsonl", tmp_path / "out.jsonl")
    assert [json.loads(line) for line in lines.read_text().splitlines()] == labelled.labels.to_pylist()


def test_label_studio_gets_annotations_and_scored_predictions(labelled: Run, tmp_path: Path) -> None:
    path, _ = export_run(labelled, "labelstudio", tmp_path / "tasks.json")
    tasks = json.loads(path.read_text())
    assert [bool(task["annotations"]) for task in tasks] == [True] * 8 + [False] * (COUNT - 8)
    row = labelled.labels.to_pylist()[20]
    [prediction] = tasks[20]["predictions"]
    assert prediction["score"] == pytest.approx(row["confidence"], abs=1e-5)
    assert prediction["result"][0]["value"]["choices"] == [row["label"]]
    assert tasks[20]["data"]["image"] == "/data/local-files/?d=020.png"


def test_label_studios_own_package_takes_the_tasks(labelled: Run, tmp_path: Path) -> None:
    interface = pytest.importorskip("label_studio_sdk.label_interface", reason="label-studio-sdk is not installed")
    path, _ = export_run(labelled, "labelstudio", tmp_path / "tasks.json")
    classes = sorted({row["label"] for row in labelled.labels.to_pylist()})
    config = interface.LabelInterface(label_config("image", classes))
    config.validate()
    for task in json.loads(path.read_text()):
        assert config.validate_task({"data": task["data"]})  # with annotations the package's own call fails
        for told in task["annotations"]:
            assert config.validate_annotation(told)
        for told in task["predictions"]:
            assert config.validate_prediction(told)


def test_hugging_faces_own_package_reads_the_folder(labelled: Run, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    path, _ = export_run(labelled, "hf", tmp_path / "set")
    found = datasets.load_dataset("imagefolder", data_dir=str(path), split="train", cache_dir=str(tmp_path / "cache"))
    wanted = {row["id"]: row for row in labelled.labels.to_pylist()}
    assert len(found) == COUNT
    for row in found:
        told = wanted[row["id"]]
        assert (row["label"], row["source"]) == (told["label"], told["source"])
        assert row["confidence"] == pytest.approx(told["confidence"])
        assert row["image"].size == (12, 12)


def test_folders_are_links_that_handful_itself_reads(labelled: Run, tmp_path: Path) -> None:
    path, _ = export_run(labelled, "folders", tmp_path / "tree")
    assert (path / "across" / "000.png").is_symlink()
    with Image.open(path / "across" / "000.png") as picture:
        assert picture.size == (12, 12)
    data = handful.read(path, "folders", modality="image")
    assert data.labels is not None
    assert len(data) == COUNT
    assert {"across", "down", "plain", folder_name(STRANGE)} == set(data.labels.classes.tolist())


def test_a_file_moved_to_another_class_is_a_decision(labelled: Run, tmp_path: Path) -> None:
    path, _ = export_run(labelled, "folders", tmp_path / "tree")
    moved = next(path.glob("down/0[3-5]*.png"))
    moved.rename(path / "plain" / moved.name)
    assert import_labels(path) == {**people(labelled), moved.name: "plain"}


def test_coco_boxes_are_the_whole_picture(labelled: Run, tmp_path: Path) -> None:
    path, _ = export_run(labelled, "coco", tmp_path / "out.json")
    whole = json.loads(path.read_text())
    assert {tuple(one["bbox"]) for one in whole["annotations"]} == {(0, 0, 12, 12)}
    assert len(whole["images"]) == len(whole["annotations"]) == COUNT
    assert all(0 < one["score"] <= 1 for one in whole["annotations"])


def test_imported_labels_become_decisions_once(labelled: Run, tmp_path: Path) -> None:
    (tmp_path / "more.csv").write_text("id,label\n030.png,down\n000.png,down\n001.png,down\n031.png,\n")
    found = import_labels(tmp_path / "more.csv")
    assert found == {"030.png": "down", "000.png": "down", "001.png": "down"}
    assert take_in_labels(labelled, found, who="file") == (2, 1)
    assert take_in_labels(labelled, found, who="file") == (0, 0)
    after = reviewed_labels(labelled.folder)
    assert (after["030.png"], after["000.png"], after["002.png"]) == ("down", "down", truth(2))


def test_the_server_exports_and_imports(labelled: Run, tmp_path: Path) -> None:
    with asked(labelled) as (review, [client]):
        out = client.post("/api/export", json={"format": "csv", "path": str(tmp_path / "out.csv")}).json()
        assert out == {"path": str(tmp_path / "out.csv"), "rows": COUNT}
        (tmp_path / "more.jsonl").write_text('{"id": "040.png", "label": "down"}\n')
        taken = client.post("/api/import", json={"path": str(tmp_path / "more.jsonl")}).json()
        assert taken == {"rows": 1, "conflicts": []}
        assert client.post("/api/export", json={"format": "xml"}).status_code == 400
        review.trusted = False
        refused = client.post("/api/export", json={"format": "csv", "path": "/tmp/x.csv"})
        assert refused.status_code == 403
        assert client.post("/api/import", json={"path": "/etc/passwd"}).status_code == 403


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "name,label\nx,y\n", "neither id nor file_name"),
        ("a.csv", "id,label\nx,a\nx,b\n", "has two labels, 'a' and 'b'"),
        ("a.jsonl", "{not json\n", "is not of the form 'jsonl'"),
        ("a.json", '[{"data": {}, "annotations": [{"result": [{"type": "choices"}]}]}]', "is not of the form"),
        ("a.json", '{"images": 3}', "is not of the form 'coco'"),
        ("a.txt", "x", "is of no form that is read"),
    ],
)
def test_bad_files_are_told_in_one_sentence(tmp_path: Path, name: str, content: str, words: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=words) as told:
        import_labels(tmp_path / name)
    assert "\n" not in str(told.value)


def test_an_unknown_id_is_refused_and_nothing_is_taken(labelled: Run) -> None:
    with pytest.raises(InputError, match=r"'nobody\.png' is not an id of this run"):
        take_in_labels(labelled, {"030.png": "down", "nobody.png": "down"}, who="file")
    assert "030.png" not in reviewed_labels(labelled.folder)


def test_an_export_does_not_write_over_a_folder_that_holds_something(labelled: Run, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thing").write_text("x")
    with pytest.raises(InputError, match="is not an empty folder"):
        export_run(labelled, "folders", tmp_path / "full")


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of forty texts with commas, quotes and lines in them, four of them labelled by a person."""
    folder = tmp_path_factory.mktemp("texts")
    words = {"sea": 'waves, "salt" and a boat\nin the harbour', "hill": "grass, stones; a path\nto the top"}
    rows = [{"id": f"{row}", "text": f"{words[('sea', 'hill')[row % 2]]} number {row}"} for row in range(40)]
    (folder / "texts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = run_for_review(folder / "texts.jsonl", modality="text", method="tfidf", n_neighbors=5)
    with asked(made) as (review, _):
        for row in range(4):
            review.desk.decide("ann", [row], "label", label=("sea", "hill")[row % 2])
        settled(review)
    return made


@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl", "labelstudio", "hf"])
def test_labels_of_texts_come_back_from_every_form_that_holds_texts(texts: Run, tmp_path: Path, form: str) -> None:
    path, rows = export_run(texts, form, tmp_path / f"out{FORMS[form][0]}")
    assert rows == 40
    assert import_labels(path) == people(texts) == {"0": "sea", "1": "hill", "2": "sea", "3": "hill"}
    if form == "labelstudio":
        assert json.loads(path.read_text())[0]["data"]["text"].startswith('waves, "salt" and a boat\nin')
    if form == "hf":
        assert pq.read_table(path / "train.parquet")["text"].to_pylist()[1].endswith("to the top number 1")


@pytest.mark.parametrize(("form", "words"), [("folders", "needs files"), ("coco", "COCO holds pictures")])
def test_forms_of_files_refuse_texts_in_one_sentence(texts: Run, tmp_path: Path, form: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        export_run(texts, form, tmp_path / f"out{FORMS[form][0]}")
