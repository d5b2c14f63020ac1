"""The report of a run folder says what the folder holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pictures import write_pictures

import handful
from handful.data import Dataset, Labels
from handful.errors import InputError
from handful.graph import knn_graph
from handful.propagation import Propagation
from handful.propagation.audit import LabelIssues
from handful.propagation.calibrate import Estimate
from handful.reporting.gather import gather
from handful.run.folder import Run, make_run
from handful.run.summary import issues_table
from handful.training.embed import Embeddings

NAMES = [f"{'ab'[row % 2]}{row:02d}.png" for row in range(24)]
CLASSES = np.array(["a", "b"])
TRUTH = {name: name[0] for name in NAMES}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_pictures(tmp_path / "photos", NAMES)


@pytest.fixture
def run(tmp_path: Path, source: Path) -> Run:
    """A run folder as the steps write it: rows 0 and 1 given, row 2 taken for the wrong class, row 23 unreached."""
    (tmp_path / "labels.csv").write_text(f"id,label\n{NAMES[0]},a\n{NAMES[1]},b\n")
    data = handful.read(source, tmp_path / "labels.csv")
    run = make_run(tmp_path / "run")
    run.note(source=str(source), labels=str(tmp_path / "labels.csv"), reading={"strict": False})
    run.note(pretrain={"options": {"method": "pca", "epochs": None, "views": {"flip": False}, "seed": 3}})
    run.write_data(data)
    vectors = np.random.default_rng(0).normal(size=(24, 6)).astype(np.float32)
    run.write_embeddings(Embeddings(data.ids, vectors, {"pca": slice(0, 6)}), data.digests, "digest")
    graph = knn_graph(vectors, 4)
    made_of = {"embeddings": run.digest("embeddings.npy"), "n_neighbors": 4, "seed": 3}
    with run.writing(
        "graph.npz", step="propagate", note={"graph": {"made_of": made_of, "notes": ["two parts"]}}
    ) as files:
        graph.save(files[0])
    assert data.labels is not None
    one = np.array([1])
    issues = LabelIssues(one, np.array([0.9]), given=one, suggested=np.array([0]), wrong_share=0.1)
    asked = {"rule": "auto", "priors": None, "abstain_below": None}
    run.write_labels(data.ids, answer(), issues_table(data.ids, data.labels, issues), asked=asked)
    return run


def answer() -> Propagation:
    codes = np.array([row % 2 for row in range(24)])
    codes[2] = 1
    reached, given = np.arange(24) < 23, np.arange(24) < 2
    labels = CLASSES[codes].astype(object)
    labels[23] = None
    confidence = np.where(given, 1.0, np.where(reached, 0.8, 0.0))
    return Propagation(
        classes=CLASSES,
        probabilities=np.stack([1 - confidence, confidence], axis=1),
        labels=labels,
        confidence=confidence,
        reached=reached,
        given=given,
        margin=confidence / 2,
        runner_up=np.where(reached, CLASSES[1 - codes].astype(object), None),
        rule="pwll",
        reason="It came back most often.",
        expected_accuracy=Estimate(0.8, 0.7, 0.9),
        notes=("one row is alone",),
        seed=3,
    )


def test_content_holds_the_labels_of_the_folder(run: Run) -> None:
    content = gather(run)
    assert content.title == "photos"
    assert content.ids.tolist() == sorted(NAMES)
    assert len(content.rows_from("given")) == 2
    assert len(content.rows_from("propagated")) == 21
    assert content.unreached.tolist() == [23]
    assert content.accuracy == Estimate(0.8, 0.7, 0.9)
    assert content.notes == ["one row is alone", "two parts"]
    assert [(issue.row, issue.suggested) for issue in content.label_issues] == [(1, "a")]


def test_items_are_shown_in_the_order_of_the_labels(run: Run) -> None:
    content = gather(run)
    assert content.show is not None
    assert content.pictures is not None
    assert content.show(np.array([3]))[0].startswith("<img")
    assert content.pictures(np.array([3, 7])).shape[:2] == (2, 3)


@pytest.mark.parametrize("as_file", [False, True])
def test_truth_is_matched_by_id_or_by_row(run: Run, tmp_path: Path, as_file: bool) -> None:
    truth: object = [name[0] for name in sorted(NAMES)]
    if as_file:
        truth = tmp_path / "truth.csv"
        truth.write_text("id,label\n" + "".join(f"{name},{label}\n" for name, label in reversed(TRUTH.items())))
    content = gather(run, truth=truth)
    right = {content.ids[row]: ok for row, ok in zip(content.scored, content.right(content.scored), strict=True)}
    labels = dict(zip(content.ids, content.labels, strict=True))
    assert right == {name: TRUTH[name] == CLASSES[labels[name]] for name in right}
    assert 0 < sum(right.values()) < len(right) == 21


def test_truth_may_know_a_class_that_no_label_has(run: Run) -> None:
    content = gather(run, truth=["new"] * 24)
    assert list(content.classes) == ["a", "b", "new"]
    assert not content.right(content.scored).any()


def test_truth_of_another_length_is_refused(run: Run) -> None:
    with pytest.raises(InputError, match="truth must have one value for each of the run's 24 items, got 3"):
        gather(run, truth=["a", "b", "a"])


def test_map_is_made_once_and_kept(run: Run) -> None:
    first = gather(run).positions
    stamp = (run.folder / "map.npy").stat().st_mtime_ns
    assert np.array_equal(first, gather(run).positions)
    assert (run.folder / "map.npy").stat().st_mtime_ns == stamp
    run.note(graph={**run.record["graph"], "made_of": {**run.record["graph"]["made_of"], "seed": 4}})
    assert not np.array_equal(first, gather(run).positions)


def test_command_repeats_the_run(run: Run, source: Path) -> None:
    command = gather(run).command
    assert command.startswith(f"handful label {source} --labels ")
    for part in ("--method pca", "--no-flip", "--rule auto", "--n-neighbors 4", "--seed 3"):
        assert part in command
    assert "None" not in command


def test_run_whose_source_is_gone_is_reported_without_its_items(run: Run, source: Path) -> None:
    source.rename(source.with_name("elsewhere"))
    content = gather(run)
    assert content.show is None
    assert any("The items are not shown" in note for note in content.notes)
    assert handful.report(run).is_file()


def test_run_of_an_array_shows_the_data_it_is_given(run: Run) -> None:
    run.note(source="<ndarray>", labels="<list>")
    pixels = np.full((24, 1, 8, 8), 7, np.uint8)
    ids = np.array(sorted(NAMES))
    data = Dataset("image", ids, pixels, ids, "f", Labels(CLASSES, np.full(24, -1)), {"size": 8, "channels": 1})
    content = gather(run, data=data)
    assert content.pictures is not None
    assert content.pictures(np.array([0])).tolist() == pixels[:1].tolist()
    assert content.command == ""
    assert content.title == "run"


def test_training_is_told_with_its_references(run: Run) -> None:
    assert gather(run).health == "Not trained"
    history = [{"epoch": 1, "loss": 2.0, "nt_xent": 2.0, "rank": 9.0, "width": 64, "verdict": "healthy"}]
    record = {"history": history, "verdict": "healthy: rank 9.", "untrained": {"rank": 4.0, "width": 64}, "raw": {}}
    run.write_json("health.json", record, step="pretrain")
    content = gather(run)
    assert content.health == "Healthy: rank 9."
    assert content.curves == [{"epoch": 1, "Loss": 2.0, "Effective rank (RankMe)": 9.0}]
    assert content.references == {"the untrained encoder": {"Effective rank (RankMe)": 4.0}}


def test_report_writes_one_page_where_it_is_asked_to(run: Run, tmp_path: Path) -> None:
    assert handful.report(run.folder) == run.folder / "report.html"
    path = handful.report(run, truth=TRUTH, out=tmp_path / "page.html")
    assert path == tmp_path / "page.html"
    assert "Compared with the truth" in path.read_text()
    assert "Compared with the truth" not in (run.folder / "report.html").read_text()


def test_folder_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run `handful propagate` on this run folder first"):
        handful.report(make_run(tmp_path / "run"))


def test_texts_bring_the_words_that_carry_each_class(tmp_path: Path) -> None:
    texts = [f"rain falls on {place} again" for place in "abcdefgh"] + [
        f"a goal for {name} again" for name in "abcdefgh"
    ]
    labels = ["wet"] * 3 + [None] * 5 + ["sport"] * 3 + [None] * 5
    run = handful.label(texts, labels, out=tmp_path / "run", modality="text", method="tfidf", n_neighbors=4)
    content = gather(run, data=handful.read(texts, labels, modality="text"))
    assert {"rain", "falls"} <= set(content.class_words["wet"])
    assert "again" not in content.class_words["wet"] + content.class_words["sport"]
