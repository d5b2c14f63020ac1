"""The targets made of the input: shares, order, and nothing lost."""

from __future__ import annotations

import torch
from symbols import Letters

from handful.encoders import Tokens
from handful.methods.pretext import hide, masked_symbols, two_views
from handful.modalities.image import Image


def _tokens(lengths: list[int], longest: int = 12) -> Tokens:
    present = torch.arange(longest)[None] < torch.tensor(lengths)[:, None]
    return Tokens(torch.randn(len(lengths), longest, 3), present, torch.arange(longest).float()[None, :, None])


def test_two_views_stack_partners_of_tensors_and_of_dicts() -> None:
    images = torch.randn(4, 1, 8, 8)
    assert two_views(images, Image(size=8, channels=1), torch.Generator().manual_seed(0)).shape == (8, 1, 8, 8)
    words = two_views(Letters().random_batch(4), Letters(), torch.Generator().manual_seed(0))
    assert {name: tuple(part.shape) for name, part in words.items()} == {"values": (8, 9), "present": (8, 9)}
    assert torch.equal(words["present"][:4], words["present"][4:])


def test_hide_hides_its_share_of_each_samples_own_parts() -> None:
    tokens = _tokens([12, 8, 4])
    _, hidden = hide(tokens, 0.75, torch.Generator().manual_seed(0))
    assert hidden.sum(1).tolist() == [9, 6, 3]
    assert not (hidden & ~tokens.present).any()


def test_hide_gives_every_visible_part_and_no_hidden_one() -> None:
    tokens = _tokens([12, 8, 4, 1])
    visible, hidden = hide(tokens, 0.5, torch.Generator().manual_seed(0))
    taken = tokens.take(visible)
    for row in range(4):
        shown = set(visible[row][taken.present[row]].tolist())
        assert shown == set((tokens.present & ~hidden)[row].nonzero().flatten().tolist())
    assert visible.shape[1] == 6


def test_hide_hides_one_part_at_least_and_never_all() -> None:
    _, hidden = hide(_tokens([12, 2, 1, 3]), 0.01, torch.Generator().manual_seed(0))
    assert hidden.sum(1).tolist() == [1, 1, 0, 1]
    _, hidden = hide(_tokens([12, 2, 1, 3]), 1.0, torch.Generator().manual_seed(0))
    assert hidden.sum(1).tolist() == [11, 1, 0, 2]


def test_hidden_symbols_are_blotted_swapped_and_left_8_1_and_1_times_in_10() -> None:
    values = torch.zeros(200, 100, dtype=torch.long)
    hidden = torch.ones_like(values, dtype=torch.bool)
    read, blotted = masked_symbols(values, hidden, torch.ones_like(values), torch.Generator().manual_seed(0))
    assert abs(float(blotted.float().mean()) - 0.8) < 0.01
    assert abs(float(read.float().mean()) - 0.1) < 0.01
    assert not (blotted & (read == 1)).any()


def test_what_is_not_hidden_is_read_as_it_is() -> None:
    values = torch.arange(30).view(3, 10)
    hidden = torch.zeros_like(values, dtype=torch.bool)
    read, blotted = masked_symbols(values, hidden, values + 1, torch.Generator().manual_seed(0))
    assert torch.equal(read, values)
    assert not blotted.any()
