"""A training that two processes share, started by torchrun as a person starts it, and what one does with it after."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from test_path import make_folder, write_labels

import handful
from handful.errors import InputError
from handful.run import crew, open_run


def launch(*words: str) -> subprocess.CompletedProcess[str]:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [*launcher, "-m", "handful", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures, labels, and a run whose encoder two processes trained."""
    folder = tmp_path_factory.mktemp("crew")
    source = make_folder(folder / "pictures")
    write_labels(folder / "labels.csv")
    options = ["--out", str(folder / "run"), "--method", "simclr", "--epochs", "2", "--batch-size", "16"]
    done = launch("pretrain", str(source), *options)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == [str(folder / "run" / "encoder")]
    assert done.stderr.count("training simclr") == 1
    return folder


def test_one_process_labels_with_what_two_have_trained(folder: Path) -> None:
    weights = folder / "run" / "encoder" / "model.safetensors"
    written = weights.stat().st_mtime_ns
    assert "encoder/model.safetensors" in open_run(folder / "run").made_by("pretrain")
    run = handful.label(
        folder / "pictures",
        folder / "labels.csv",
        out=folder / "run",
        method="simclr",
        epochs=2,
        batch_size=16,
        n_neighbors=5,
    )
    assert len(run.labels) == 40
    assert weights.stat().st_mtime_ns == written


def test_label_is_for_one_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "processes", lambda: SimpleNamespace(num_processes=2))
    with pytest.raises(InputError, match="label is for one process, 2 were started: share the training, with `handful"):
        handful.label(folder / "pictures", folder / "labels.csv", out=folder / "other")
    assert not (folder / "other").exists()
