"""The dilated network over time."""

from __future__ import annotations

import torch

from handful.encoders.temporal import ChannelNorm, TemporalEncoder


def _batch(lengths: list[int], *, channels: int = 3, longest: int | None = None) -> dict[str, torch.Tensor]:
    width = longest or max(lengths)
    present = torch.arange(width)[None] < torch.tensor(lengths)[:, None]
    values = torch.randn(len(lengths), channels, width, generator=torch.Generator().manual_seed(0))
    return {"values": values * present[:, None], "present": present}


def _make(**options: int) -> TemporalEncoder:
    torch.manual_seed(0)
    return TemporalEncoder(3, hidden=8, depth=3, width=12, **options).eval()


def test_a_sample_has_one_vector_whatever_it_is_batched_with() -> None:
    for stride in (1, 2, 4):
        network, batch = _make(stride=stride), _batch([20, 7, 33])
        alone = network({name: part[1:2, ..., :7] for name, part in batch.items()})
        together = network(batch)
        assert torch.allclose(alone.pooled[0], together.pooled[1], atol=1e-5)
        steps = alone.features.shape[1]
        assert torch.allclose(alone.features[0], together.features[1, :steps], atol=1e-5)
        assert not together.features[1, steps:].any()


def test_many_samples_are_read_in_pieces_alike(monkeypatch) -> None:
    network, batch = _make(), _batch([9, 12, 5, 12, 3])
    with torch.inference_mode():
        whole = network(batch).pooled
        monkeypatch.setattr("handful.encoders.temporal.BUDGET", 1)
        assert torch.allclose(network(batch).pooled, whole, atol=1e-6)


def test_a_feature_sees_as_far_as_the_dilations_reach() -> None:
    network, batch = _make(), _batch([65])
    changed = {**batch, "values": batch["values"].clone()}
    changed["values"][0, :, 32] += 1
    moved = (network(batch).features - network(changed).features).abs().sum(2)[0] > 0
    reach = 1 + 2 * (1 + 2 + 4)  # the stem, and two convolutions of each block
    assert moved.nonzero()[:, 0].tolist() == list(range(32 - reach, 32 + reach + 1))


def test_the_vector_is_a_mean_and_a_maximum() -> None:
    encoded = _make()(_batch([11]))
    middle, top = encoded.features[0].chunk(2, 1)
    assert torch.allclose(encoded.pooled[0], torch.cat([middle.mean(0), top.amax(0)]), atol=1e-6)


def test_an_empty_sample_gives_zeros() -> None:
    batch = _batch([4, 4])
    batch["present"][1] = False
    assert not _make()(batch).pooled[1].any()


def test_channel_norm_is_a_layer_norm_of_each_step() -> None:
    maps = torch.randn(2, 5, 1, 7)
    normed = ChannelNorm(5)(maps)
    assert torch.allclose(normed.mean(1), torch.zeros(2, 1, 7), atol=1e-5)
    assert torch.allclose(normed.var(1, correction=0), torch.ones(2, 1, 7), atol=1e-3)


def test_it_is_made_again_from_its_configuration() -> None:
    network = _make(stride=2)
    again = TemporalEncoder.from_config(network.config)
    again.load_state_dict(network.state_dict())
    batch = _batch([10, 6])
    assert torch.equal(again.eval()(batch).pooled, network(batch).pooled)
