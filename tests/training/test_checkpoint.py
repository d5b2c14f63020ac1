"""The state of a training: whole, damaged, of another network, and never unpickled."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from torch import nn

from handful.errors import InputError
from handful.training.checkpoint import load_loop, save_loop


def _trained(width: int = 3) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    network = nn.Linear(4, width)
    optimizer = torch.optim.AdamW(network.parameters())
    network(torch.randn(5, 4)).square().sum().backward()
    optimizer.step()
    return network, optimizer


def test_weights_moments_averages_and_state_come_back(tmp_path: Path) -> None:
    network, optimizer = _trained()
    averaged = {"weight": torch.ones(2)}
    state = {"epoch": 3, "loss": 0.1}
    save_loop(tmp_path / "loop", network, optimizer, state, others={"average": averaged, "best": {}})
    other = nn.Linear(4, 3)
    fresh = torch.optim.AdamW(other.parameters())
    found, others = load_loop(tmp_path / "loop", other, fresh, others=("average", "best"))
    assert found == state
    assert torch.equal(others["average"]["weight"], averaged["weight"])
    assert others["best"] == {}
    assert torch.equal(other.weight, network.weight)
    moments = zip(optimizer.state_dict()["state"].values(), fresh.state_dict()["state"].values(), strict=True)
    assert all(torch.equal(old[name], new[name]) for old, new in moments for name in old)


def test_the_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    save_loop(tmp_path / "loop", *_trained(), {})
    with pytest.raises(InputError, match="was trained with another network"):
        load_loop(tmp_path / "loop", *_trained(width=7))


def _boom() -> None:
    raise AssertionError("unpickled")


class _Bomb:
    def __reduce__(self) -> tuple[object, tuple[()]]:
        return _boom, ()


@pytest.mark.parametrize("content", [b"", b"{}", pickle.dumps(_Bomb()), b"\xff" * 64])
def test_a_damaged_file_or_a_pickle_is_refused_and_nothing_in_it_is_run(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "loop"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is not a training state"):
        load_loop(path, *_trained())


def test_saving_leaves_nothing_beside_the_file(tmp_path: Path) -> None:
    save_loop(tmp_path / "loop", *_trained(), {})
    assert [path.name for path in tmp_path.iterdir()] == ["loop"]
