"""Which epoch's weights come out, and when a training ends early: told without labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from toy import as_dataset, toy_images

from handful import InputError, pretrain
from handful.encoders import ConvolutionalEncoder
from handful.methods import Method
from handful.methods.autoencoding import Denoising
from handful.methods.contrastive import SimCLR
from handful.modalities.image import Image
from handful.training.best import Best, best_epoch, chosen_epoch, has_rested
from handful.training.loop import Schedule, Trained, train


def _lines(*agreements: float) -> list[dict[str, Any]]:
    return [{"agreement": agreement} for agreement in agreements]


def test_the_last_epoch_is_chosen_as_long_as_its_neighbours_are_better_than_the_untrained_ones() -> None:
    assert chosen_epoch(_lines(0.3, 0.5, 0.495), 0.2) == 3
    # Neighbours by an independent view fell while those by the true classes rose: SimCLR on Fashion-MNIST, 45 epochs.
    assert chosen_epoch(_lines(0.482, 0.45, 0.43), 0.382) == 3
    assert best_epoch(_lines(0.3, 0.5, 0.5)) == 2


def test_an_epoch_from_before_is_chosen_where_training_undid_what_it_had_done() -> None:
    assert chosen_epoch(_lines(0.3, 0.5, 0.2), 0.2) == 2
    assert chosen_epoch(_lines(0.15, 0.1), 0.2) == 1
    assert chosen_epoch(_lines(0.19, 0.185), 0.2) == 2  # hardly better: the end of the schedule


def test_the_last_epoch_is_chosen_where_nothing_tells_them_apart() -> None:
    assert chosen_epoch([{"loss": 1.0}, {"loss": 2.0}], 0.5) == 2
    assert chosen_epoch(_lines(0.5, 0.1), None) == 2


def test_weights_that_came_from_elsewhere_stay_unless_training_is_noticeably_better() -> None:
    assert chosen_epoch(_lines(0.5, 0.505), 0.5, adapts=True) == 0
    assert chosen_epoch(_lines(0.5, 0.52), 0.5, adapts=True) == 2
    assert chosen_epoch(_lines(0.6, 0.4), 0.5, adapts=True) == 1
    assert chosen_epoch([], 0.5, adapts=True) == 0


def test_a_training_has_rested_when_the_best_epoch_is_so_long_ago() -> None:
    assert not has_rested(_lines(0.3, 0.5, 0.4), 2)
    assert has_rested(_lines(0.3, 0.5, 0.4, 0.5), 2)
    assert not has_rested(_lines(0.5, 0.4, 0.3, 0.2), None)


def test_the_weights_of_the_chosen_epoch_are_put_in_place() -> None:
    network, history = torch.nn.Linear(2, 2), []
    best = Best(network, untrained=0.4)
    for agreement in (0.3, 0.6, 0.4):
        torch.nn.init.constant_(network.weight, agreement)
        history += _lines(agreement)
        best.consider(history)
    assert best.put_in_place(history) == 2
    assert torch.allclose(network.weight, torch.tensor(0.6))


def test_the_weights_that_were_there_are_put_back() -> None:
    network = torch.nn.Linear(2, 2)
    given = network.weight.detach().clone()
    best = Best(network, untrained=0.5, adapts=True)
    torch.nn.init.zeros_(network.weight)
    best.consider(_lines(0.4))
    assert best.put_in_place(_lines(0.4)) == 0
    assert torch.equal(network.weight, given)


class _SpoiltHalfWay(SimCLR):
    """Forgets what it has learnt when half of the training is done, and gives all samples one vector."""

    def after_step(self, progress: float) -> None:
        if progress > 0.5:
            for parameter in self.backbone.parameters():
                torch.nn.init.zeros_(parameter)


def _train_digits(kind: type[Method] = _SpoiltHalfWay, **how: Any) -> Trained:
    digits = (load_digits().images[:300] * (255 / 16)).astype(np.uint8)[:, None]
    data = as_dataset("image", digits, size=8, channels=1, fit="crop")
    torch.manual_seed(0)
    method = kind(ConvolutionalEncoder(1, widths=(8, 16)), Image(size=8, channels=1, flip=False))
    return train(method, data, Schedule(epochs=6, batch_size=50, precision="no", **how))


def test_a_training_that_is_spoilt_gives_the_weights_from_before() -> None:
    trained = _train_digits()
    agreements = [line["agreement"] for line in trained.history]
    assert trained.epoch == int(np.argmax(agreements)) + 1 <= 3
    assert trained.verdict.startswith(f"epoch {trained.epoch} of 6 is kept, whose neighbours were the best")
    assert trained.history[-1]["verdict"].startswith(("past its best", "no better than PCA", "collapsed"))


def test_patience_ends_it_early_and_says_so() -> None:
    trained = _train_digits(patience=2)
    assert len(trained.history) == trained.epoch + 2 < 6
    assert trained.verdict.startswith(f"ended early after {len(trained.history)} of 6 epochs; epoch {trained.epoch}")


class _SpoiltRestorer(Denoising):
    """Forgets its embedding, and may have learnt to restore all the same."""

    after_step = _SpoiltHalfWay.after_step


def test_a_network_that_also_restores_is_not_chosen_by_its_vectors() -> None:
    trained = _train_digits(kind=_SpoiltRestorer)
    agreements = [line["agreement"] for line in trained.history]
    assert max(agreements) > agreements[-1] + 0.1
    assert trained.epoch == 6


def test_patience_of_no_epoch_is_refused() -> None:
    with pytest.raises(InputError, match="patience must be a number of at least 1, got 0"):
        pretrain(toy_images(), "simclr", ConvolutionalEncoder(3, widths=(4, 8)), epochs=2, patience=0)
