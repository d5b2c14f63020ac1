"""A pooled vector of mean and spread."""

from __future__ import annotations

import torch
from toy import toy_sounds

from handful.encoders import Moments, RealTokens, Tokens, TransformerEncoder
from handful.encoders.moments import in_moments, moments
from handful.encoders.saving import build, describe
from handful.methods.predictive import CPC
from handful.modalities.image import Image
from handful.modalities.registry import make_modality


def _tokens(n: int, length: int) -> Tokens:
    values = torch.randn(n, length, 3, generator=torch.Generator().manual_seed(n))
    return Tokens(values, torch.ones(n, length, dtype=torch.bool), torch.arange(length).float()[None, :, None])


def _network() -> Moments:
    torch.manual_seed(0)
    return Moments(TransformerEncoder(RealTokens(3), axes=1, width=12, depth=1, causal=True), cut=None).eval()


def test_the_vector_is_mean_and_standard_deviation_of_the_present_parts() -> None:
    features, present = torch.randn(2, 6, 4), torch.ones(2, 6, dtype=torch.bool)
    present[1, 4:] = False
    whole = [torch.cat([row.mean(0), row.std(0, correction=0)]) for row in (features[0], features[1, :4])]
    torch.testing.assert_close(moments(features, present), torch.stack(whole))
    assert (moments(features, torch.zeros_like(present)) == 0).all()
    assert (moments(features[:, :1], present[:, :1])[:, 4:] == 0).all()


def test_what_fills_up_the_batch_changes_nothing() -> None:
    network, tokens = _network(), _tokens(2, 5)
    longer = Tokens(
        torch.cat([tokens.values, torch.ones(2, 3, 3)], 1),
        torch.cat([tokens.present, torch.zeros(2, 3, dtype=torch.bool)], 1),
        torch.arange(8).float()[None, :, None],
    )
    torch.testing.assert_close(network(longer).pooled, network(tokens).pooled)


def test_it_is_built_again_from_what_describes_it() -> None:
    network, tokens = _network(), _tokens(2, 5)
    again = build(describe(network), cut=None).eval()
    again.load_state_dict(network.state_dict())
    torch.testing.assert_close(again(tokens).pooled, network(tokens).pooled)


def test_sequences_are_pooled_so_and_pictures_are_not() -> None:
    data = toy_sounds(8)
    kind = make_modality("audio", data.settings).adapt(data.samples)
    method = CPC(CPC.default_backbone(kind), kind)
    assert isinstance(method.network, Moments)
    assert method.network(kind.batch(data.samples, range(4))).pooled.shape == (4, 2 * method.backbone.width)
    image = Image(size=8, channels=1)
    assert in_moments(image.token_backbone(), image) is None
