"""Training that goes on from a network that was trained elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn
from toy import as_dataset

from handful import InputError, pretrain, wrap
from handful.data import Dataset
from handful.methods import METHODS
from handful.methods.contrastive import SimCLR
from handful.modalities.image import Image
from handful.training.adapt import RATE, hold_lower_half
from handful.training.descent import make_optimizer
from handful.training.loop import Schedule


def _digits(n: int = 200) -> Dataset:
    images = (load_digits().images[:n] * (255 / 16)).astype(np.uint8)[:, None].repeat(3, 1)
    return as_dataset("image", images, size=8, channels=3, fit="crop")


def _network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.GELU(), nn.Conv2d(8, 8, 3), nn.GELU(), nn.Conv2d(8, 16, 3)
    )


def test_the_first_half_of_the_layers_is_held() -> None:
    network = _network()
    hold_lower_half(network)
    assert [p.requires_grad for p in network.parameters()] == [False] * 4 + [True] * 4


def test_a_network_without_weights_cannot_go_on() -> None:
    with pytest.raises(InputError, match="the Flatten that was given has no weights that can be trained"):
        pretrain(_digits(40), "simclr", wrap(nn.Flatten(), size=8), epochs=1)


def test_its_own_weights_learn_slowly_and_the_rest_at_full_rate() -> None:
    backbone: Any = wrap(_network(), size=8)
    method = SimCLR(backbone, Image(size=8, channels=3))
    optimizer = make_optimizer(method, Schedule(), backbone_share=RATE)
    own = {id(parameter) for parameter in backbone.parameters()}
    shares = {(id(p) in own): group["share"] for group in optimizer.param_groups for p in group["params"]}
    assert shares == {True: RATE, False: 1.0}
    counted = sum(len(group["params"]) for group in optimizer.param_groups)
    assert counted == len(list(method.parameters()))


def test_what_was_learnt_stands_beside_the_encoder_as_it_came() -> None:
    network = _network()
    given = {name: value.clone() for name, value in network.state_dict().items()}
    adapted = pretrain(_digits(40), "autoencoder", wrap(network, size=8), epochs=1, precision="no")
    assert list(adapted.networks) == ["pretrained", "autoencoder"]
    assert list(adapted.embed(_digits(40)).blocks) == ["pretrained", "autoencoder"]
    as_it_came = adapted.networks["pretrained"].module.state_dict()
    assert all(torch.equal(as_it_came[name], weight) for name, weight in given.items())
    assert all(torch.equal(network.state_dict()[name], weight) for name, weight in given.items())
    last = dict(adapted.networks["autoencoder"].named_parameters())
    assert any(
        not torch.equal(weight.cpu(), given[name.split("module.")[1]])
        for name, weight in last.items()
        if "module." in name
    )


def test_the_statistics_of_batch_norms_stay() -> None:
    network = _network()
    before = {name: value.clone() for name, value in network.state_dict().items() if "running" in name}
    wrapped: Any = wrap(network, size=8)
    for _ in range(3):
        wrapped.train()(torch.randn(4, 3, 8, 8))
    assert len(before) == 2
    assert all(torch.equal(network.state_dict()[name], value) for name, value in before.items())


def test_the_weights_that_were_learnt_come_back_with_a_module_that_is_given_again(tmp_path: Path) -> None:
    def again() -> Any:
        return pretrain(
            _digits(40), "autoencoder", wrap(_network(), size=8), epochs=1, precision="no", out=tmp_path / "encoder"
        )

    first, second = again().embed(_digits(40)).vectors, again().embed(_digits(40)).vectors
    np.testing.assert_allclose(second, first, atol=1e-5)


class _Spoils(SimCLR):
    """Makes the neighbours worse."""

    def after_step(self, progress: float) -> None:
        for parameter in self.backbone.parameters():
            nn.init.zeros_(parameter)


def test_an_encoder_that_gets_no_better_is_kept_as_it_came_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "simclr", _Spoils)
    network = _network()
    given = {name: weight.clone() for name, weight in network.state_dict().items()}
    adapted = pretrain(_digits(), "simclr", wrap(network, size=8), epochs=1, precision="no")
    assert adapted.record["epoch"] == 0
    assert list(adapted.networks) == ["pretrained"]
    assert "the encoder is kept as it came" in adapted.record["verdict"]
    assert all(torch.equal(network.state_dict()[name], weight) for name, weight in given.items())


def test_a_network_of_ones_own_that_is_not_wrapped_is_trained_as_a_new_one() -> None:
    from handful.encoders import ConvolutionalEncoder

    network = ConvolutionalEncoder(3, widths=(8, 16))
    first = next(network.parameters()).detach().clone()
    pretrain(_digits(40), "simclr", network, epochs=1, precision="no")
    assert not torch.equal(next(network.parameters()), first)
