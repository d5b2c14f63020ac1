"""One process and two give the same gradients: gathered rows, statistics of all, over gloo."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from split import METHODS_THAT_COMPARE, pretrain_here, train_split
from toy import toy_images


@pytest.fixture(scope="module")
def of_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what two processes, started by torchrun, wrote."""
    folder = tmp_path_factory.mktemp("two")
    script = Path(__file__).with_name("split.py")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*launcher, str(script), str(folder)], env=environment, capture_output=True, timeout=240)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return folder


@pytest.mark.parametrize("name", METHODS_THAT_COMPARE)
def test_a_step_of_two_processes_is_the_step_of_one(name: str, of_two: Path) -> None:
    one, two = train_split(name), load_file(of_two / f"{name}.safetensors")
    assert one.keys() == two.keys()
    for parameter in one:
        torch.testing.assert_close(two[parameter], one[parameter], atol=2e-5, rtol=2e-3, msg=f"{name} {parameter}")


def test_both_processes_end_with_the_same_weights_and_one_writes(of_two: Path) -> None:
    first, second = (load_file(of_two / f"loop-{rank}.safetensors") for rank in (0, 1))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert (of_two / "loop.safetensors").is_file()
    assert (of_two / "beats-0.txt").read_text() == "4"
    assert (of_two / "beats-1.txt").read_text() == "0"


def test_what_two_processes_trained_is_one_encoder_that_the_same_call_finds_again(of_two: Path) -> None:
    first, second = (load_file(of_two / f"vectors-{rank}.safetensors")["vectors"] for rank in (0, 1))
    assert torch.equal(first, second)
    written = (of_two / "whole" / "encoder" / "model.safetensors").stat().st_mtime_ns
    found = pretrain_here(of_two)
    assert (of_two / "whole" / "encoder" / "model.safetensors").stat().st_mtime_ns == written
    torch.testing.assert_close(torch.from_numpy(found.embed(toy_images()).vectors), first, atol=1e-5, rtol=1e-4)
