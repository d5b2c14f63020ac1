"""Every method with every kind of data: finite, moving, falling, or refused in one sentence."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from symbols import Letters
from toy import TOYS, as_dataset

from handful.data import Dataset
from handful.errors import InputError
from handful.methods import FAMILIES, METHODS
from handful.methods.method import Method
from handful.modalities.contract import Modality
from handful.modalities.registry import _HOME, make_modality
from handful.training.pretrain import fitted

BATCH = 16
STEPS = 12


def _letters() -> tuple[Modality, Dataset]:
    words = np.random.default_rng(0).integers(0, 11, (96, 1)) + np.arange(9)
    return Letters(), as_dataset("letters", words % 11)


def _kinds() -> Iterator[str]:
    yield from TOYS
    yield "letters"


def _load(kind: str) -> tuple[Modality, Dataset]:
    """Return a kind of data as it reads its toy set, fitted where it has to be."""
    if kind == "letters":
        return _letters()
    data = TOYS[kind]()
    modality = make_modality(data.modality, data.settings)
    return (modality.adapt(data.samples, seed=0) if hasattr(modality, "adapt") else modality), data


def _make(method: str, modality: Modality, data: Dataset) -> Method:
    torch.manual_seed(0)
    return METHODS[method](fitted(METHODS[method].default_backbone(modality), data, modality, 0).train(), modality)


PAIRS = [(method, kind) for method in METHODS for kind in _kinds()]


@pytest.mark.parametrize(("method", "kind"), PAIRS)
def test_a_pair_trains_or_is_refused(method: str, kind: str) -> None:
    modality, data = _load(kind)
    if modality.order is None and method in FAMILIES["predictive"]:
        with pytest.raises(InputError, match="have no order: use"):
            _make(method, modality, data)
        return
    made = _make(method, modality, data)
    before = {name: value.detach().clone() for name, value in made.named_parameters() if value.requires_grad}
    optimizer = torch.optim.AdamW(made.parameters(), 2e-3)
    losses = []
    for step in range(STEPS):
        batch = modality.batch(data.samples, np.arange(BATCH) + BATCH * (step % 2))
        loss = made(batch, torch.Generator().manual_seed(step % 2))
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
        made.after_step(step / STEPS)
        losses.append(loss.total.item())
    assert np.isfinite(losses).all()
    assert sum(losses[-2:]) < sum(losses[:2])
    still = [name for name, value in made.named_parameters() if name in before and torch.equal(before[name], value)]
    assert not still
    assert made.network.eval()(batch).pooled.isfinite().all()


def test_every_method_of_every_family_met_every_kind_of_data() -> None:
    assert {name for names in FAMILIES.values() for name in names} == set(METHODS)
    assert set(TOYS) == set(_HOME)
    assert len(PAIRS) == len(METHODS) * (len(_HOME) + 1) >= 20
