"""Every file of a run folder has a checksum: a damaged one is named, with the step that makes it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import label_in, results

import handful
from handful.errors import InputError
from handful.run import open_run

STEPS: dict[str, tuple[str, Any]] = {
    "data.json": ("label", lambda run: run.data),
    "embeddings.npy": ("embed", lambda run: run.embeddings),
    "ids.parquet": ("embed", lambda run: run.embeddings),
    "graph.npz": ("propagate", lambda run: run.graph),
    "labels.parquet": ("propagate", lambda run: run.labels),
    "label_issues.csv": ("propagate", handful.report),
    "health.json": ("pretrain", handful.report),
    "encoder/model.safetensors": ("pretrain", lambda run: run.encoder),
    "encoder/config.json": ("pretrain", lambda run: run.encoder),
    "encoder/README.md": ("pretrain", lambda run: run.encoder),
}


def flip(path: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_every_file_of_a_run_has_a_checksum(place: Path) -> None:
    handful.report(place / "run")
    run = open_run(place / "run")
    files = {str(path.relative_to(run.folder)) for path in run.folder.rglob("*") if path.is_file()}
    assert files - set(run.record["files"]) == {"run.json", ".lock"}
    assert len(files) >= 13
    assert run.stands(*run.record["files"])


@pytest.mark.parametrize("name", STEPS)
def test_a_damaged_file_is_named_and_made_again(place: Path, name: str) -> None:
    wanted, (step, use) = results(place / "run"), STEPS[name]
    flip(place / "run" / name)
    with pytest.raises(InputError, match=rf"{name} is damaged.*`handful {step}` makes it again"):
        use(open_run(place / "run"))
    label_in(place)()
    assert results(place / "run") == wanted
    use(open_run(place / "run"))


def test_a_changed_record_is_damaged(place: Path) -> None:
    path = place / "run" / "run.json"
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1', 1))
    with pytest.raises(InputError, match=r"run\.json is damaged \(its checksum"):
        open_run(place / "run")


def test_a_file_that_no_step_finished_is_not_used(place: Path) -> None:
    run = open_run(place / "run")
    run.disown(["embeddings.npy"])
    with pytest.raises(InputError, match=r"embeddings\.npy is not finished"):
        _ = run.embeddings


def test_a_picture_that_was_replaced_makes_a_new_graph(place: Path) -> None:
    before = open_run(place / "run").record["graph"]["made_of"]
    names = ("dark05.png", "light05.png")
    one, other = ((place / "pictures" / name).read_bytes() for name in names)
    for name, content in zip(names, (other, one), strict=True):
        (place / "pictures" / name).write_bytes(content)
    run = label_in(place)()
    assert run.record["graph"]["made_of"] != before
    answer = dict(zip(run.labels["id"].to_pylist(), run.labels["label"].to_pylist(), strict=True))
    assert [answer[name] for name in names] == ["light", "dark"]
