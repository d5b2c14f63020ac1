"""Long sequences in windows."""

from __future__ import annotations

import torch

from handful.encoders.tokens import SymbolTokens, Tokens
from handful.encoders.transformer import TransformerEncoder
from handful.encoders.windows import run_in_windows


def _tokens(lengths: list[int], width: int) -> Tokens:
    present = torch.arange(width)[None] < torch.tensor(lengths)[:, None]
    values = torch.arange(len(lengths) * width).view(len(lengths), width) % 7
    return Tokens(values, present, torch.arange(width)[None, :, None].float())


def test_parts_come_back_to_their_places() -> None:
    tokens = _tokens([3, 10, 0, 7], 10)
    made = run_in_windows(lambda part, at: at[..., None].float() + 1, tokens, window=4, budget=6)
    wanted = torch.where(tokens.present, torch.arange(40).view(4, 10) + 1, 0)
    assert torch.equal(made[..., 0], wanted.float())


def test_windows_count_their_places_anew_and_empty_ones_are_passed_over() -> None:
    seen: list[tuple[int, ...]] = []

    def run(part: Tokens, at: torch.Tensor) -> torch.Tensor:
        seen.append(tuple(part.values.shape))
        assert part.places.flatten().tolist() == list(range(part.values.shape[1]))
        return part.values[..., None].float()

    run_in_windows(run, _tokens([2, 9], 12), window=4, budget=8)
    assert seen == [(2, 4), (2, 2)]


def test_a_window_sees_nothing_of_the_next() -> None:
    torch.manual_seed(0)
    network = TransformerEncoder(SymbolTokens(7), axes=1, width=12, depth=1, window=4).eval()
    tokens = _tokens([10, 10], 10)
    changed = tokens._replace(values=torch.cat([tokens.values[:, :8], 6 - tokens.values[:, 8:]], 1))
    before, after = network(tokens).features, network(changed).features
    assert torch.allclose(before[:, :8], after[:, :8], atol=1e-6)
    assert not torch.allclose(before[:, 8:], after[:, 8:], atol=1e-3)


def test_short_samples_read_the_same_with_and_without_windows() -> None:
    torch.manual_seed(0)
    plain = TransformerEncoder(SymbolTokens(7), axes=1, width=12, depth=2).eval()
    windowed = TransformerEncoder(SymbolTokens(7), axes=1, width=12, depth=2, window=16).eval()
    windowed.load_state_dict(plain.state_dict())
    tokens = _tokens([3, 10, 1], 10)
    assert torch.allclose(plain(tokens).pooled, windowed(tokens).pooled, atol=1e-5)
