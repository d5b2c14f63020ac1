"""The panel: figures against known vectors, and a data set that collapses on purpose."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from toy import as_dataset, toy_images

from handful.encoders import ConvolutionalEncoder, TransformerEncoder
from handful.methods import METHODS, Loss
from handful.methods.method import Method
from handful.modalities.image import Image
from handful.training.health import Health, agreement, effective_rank, judge, measure
from handful.training.loop import Schedule, train


def _normal(n: int = 400, width: int = 20, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, width))


def _health(**figures: float) -> Health:
    return Health(**{"contrast": 0.5, "rank": 30.0, "width": 64, "spread": 0.9, "uniformity": -3.0, **figures})


def test_the_rank_of_even_directions_is_their_number() -> None:
    assert measure(_normal()).rank == pytest.approx(20, rel=0.05)
    flat = np.zeros((400, 20))
    flat[:, :3] = _normal(width=3)
    assert measure(flat).rank == pytest.approx(3, rel=0.05)


@pytest.mark.parametrize("shape", [(400, 20), (15, 20)])
def test_the_rank_is_the_one_of_the_singular_values(shape: tuple[int, int]) -> None:
    vectors = _normal(*shape) * np.linspace(0.01, 1, 20)
    singular = np.linalg.svd(vectors - vectors.mean(0), compute_uv=False)
    share = singular / singular.sum()
    assert effective_rank(vectors) == pytest.approx(np.exp(-(share * np.log(share + 1e-12)).sum()), rel=1e-5)


def test_the_rank_knows_neither_turn_nor_scale_nor_shift() -> None:
    vectors = _normal() * np.linspace(0.1, 1, 20)
    turn, _ = np.linalg.qr(_normal(20, 20))
    rank = measure(vectors).rank
    assert measure(5 * vectors @ turn + 3).rank == pytest.approx(rank, rel=1e-6)


def test_alignment_is_nothing_for_equal_views_and_two_for_strangers() -> None:
    assert measure(_normal(), _normal(seed=1)).alignment == pytest.approx(2, abs=0.15)
    assert measure(_normal(), _normal()).alignment == pytest.approx(0, abs=1e-12)
    assert measure(_normal()).alignment is None


def test_uniformity_is_lowest_for_vectors_that_point_everywhere() -> None:
    everywhere = measure(_normal()).uniformity
    two_ways = np.sign(_normal(width=1)) * np.ones((1, 20)) + 1e-3 * _normal()
    assert everywhere < measure(two_ways).uniformity
    assert everywhere == pytest.approx(-4, abs=0.4)


def test_equal_vectors_are_a_collapse() -> None:
    constant = np.ones((50, 8))
    assert measure(constant).collapsed
    nearly = constant + 1e-4 * _normal(50, 8)
    assert measure(nearly).collapsed
    assert not measure(_normal(50, 8)).collapsed


def test_the_verdict_names_the_state_and_the_remedy() -> None:
    untrained = raw = _health(rank=10.0)
    assert judge(_health(rank=1.5), untrained, raw, [3.0, 2.0, 1.0]).startswith("collapsed")
    assert "lower learning rate" in judge(_health(rank=1.5), untrained, raw, [1.0])
    assert "still improving" in judge(_health(), untrained, raw, [3.0, 2.0, 1.0])
    assert "done" in judge(_health(), untrained, raw, [1.001, 1.0005, 1.0])


def test_neighbours_that_stay_in_their_group_agree_wholly_and_random_ones_as_chance_has_it() -> None:
    groups = np.arange(400) % 4
    apart = np.eye(4)[groups] + 0.01 * _normal(400, 4)
    unit = apart / np.linalg.norm(apart, axis=1, keepdims=True)
    assert agreement(unit, groups) == 1
    assert agreement(unit, np.random.default_rng(0).permutation(groups)) == pytest.approx(0.25, abs=0.05)


LEVEL = [1.001, 1.0005, 1.0]


def test_what_is_behind_the_raw_input_is_called_no_better_than_pca() -> None:
    raw, untrained, now = _health(agreement=0.6), _health(agreement=0.3), _health(agreement=0.5)
    assert judge(now, untrained, raw, LEVEL, [0.5, 0.5]).startswith("no better than PCA: 50% of")
    assert "use milder views or another method" in judge(now, untrained, raw, LEVEL, [0.5, 0.5])
    assert judge(now, untrained, raw, [3.0, 2.0, 1.0], [0.5, 0.5]).startswith("still improving, and so far no")
    assert judge(now, _health(agreement=0.55), raw, LEVEL, [0.5, 0.5]).startswith("no better than PCA or the untrained")
    assert "`handful evaluate`" in judge(now, untrained, raw, LEVEL, [0.5, 0.5])
    assert "done" in judge(_health(agreement=0.7), untrained, raw, LEVEL, [0.7, 0.7])


def test_what_is_a_little_behind_the_raw_input_is_not_judged_by_it() -> None:
    raw, untrained = _health(agreement=0.47), _health(agreement=0.38)
    assert judge(_health(agreement=0.44), untrained, raw, LEVEL, [0.44, 0.44]).startswith("healthy and done")


def test_neighbours_that_still_get_better_are_an_improvement_whatever_the_loss_does() -> None:
    raw = untrained = _health(agreement=0.4)
    assert "still improving" in judge(_health(agreement=0.6), untrained, raw, LEVEL, [0.5, 0.55])
    assert "done" in judge(_health(agreement=0.6), untrained, raw, LEVEL, [0.595, 0.6])


def test_a_training_that_undid_what_it_had_done_is_told_with_its_best_epoch() -> None:
    raw = untrained = _health(agreement=0.4)
    told = judge(_health(agreement=0.405), untrained, raw, [3.0, 2.0, 1.0], [0.45, 0.6])
    assert told.startswith("past its best")
    assert "60% after epoch 2; keep that epoch, or lower the learning rate" in told
    assert judge(_health(agreement=0.5), untrained, raw, [3.0, 2.0, 1.0], [0.45, 0.6]).startswith("healthy")


class _Shrinks(Method):
    """Asks for nothing but equal vectors, and trains a network without batch norm, which would not let it collapse."""

    def forward(self, batch: torch.Tensor, generator: torch.Generator) -> Loss:
        vectors = self.backbone(batch).pooled
        return Loss(vectors.var(0).sum(), {})


def test_a_training_that_collapses_is_told_in_words() -> None:
    torch.manual_seed(0)
    image = Image(size=12, channels=3)
    method = _Shrinks(TransformerEncoder(image.token_kind, axes=2, width=24, depth=1, cut=image.tokens), image)
    trained = train(method, toy_images(), Schedule(epochs=8, batch_size=16, precision="no", learning_rate=0.01))
    assert trained.history[-1]["verdict"].startswith("collapsed")
    assert "collapsed" in trained.verdict


def test_data_without_anything_to_tell_apart_is_called_collapsed() -> None:
    noise = np.random.default_rng(0).integers(0, 2, (96, 1, 1, 1), dtype=np.uint8)
    data = as_dataset("image", np.tile(noise * 255, (1, 1, 12, 12)), size=12, channels=1, fit="crop")
    torch.manual_seed(0)
    method = METHODS["vicreg"](ConvolutionalEncoder(1, widths=(8, 8)), Image(size=12, channels=1))
    assert train(method, data, Schedule(epochs=1, batch_size=32, precision="no")).verdict.startswith("collapsed")
