"""The targets that the system makes from its own input."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from handful.encoders.tokens import Tokens
from handful.modalities.contract import Batch, Modality


def two_views(batch: Batch, modality: Modality, generator: torch.Generator) -> Batch:
    """Return two random views of every sample as one batch of 2B: the first B rows, then their partners."""
    views = [modality.view(batch, generator=generator) for _ in range(2)]
    if isinstance(batch, Mapping):
        return {name: torch.cat([view[name] for view in views]) for name in batch}
    return torch.cat(views)


def hide(tokens: Tokens, share: float, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what stays and what is hidden: the indices [B, K] of the visible parts, and the hidden ones [B, L] bool.

    Of each sample's own parts the same share is hidden, at least one and never all where it has two; what fills up
    the batch is neither. Samples with fewer visible parts than K repeat parts that are not present.
    """
    length = tokens.present.shape[1]
    drawn = torch.rand(tokens.present.shape, generator=generator, device=tokens.present.device)
    if tokens.together is not None:  # parts that go together share their draw, so that they stand side by side
        drawn = drawn.gather(1, tokens.together)
    order = drawn.masked_fill(~tokens.present, torch.inf).argsort(1)
    count = tokens.present.sum(1)
    n_hidden = (share * count).round().clamp(min=1).minimum((count - 1).clamp(min=0)).long()
    rank = torch.empty_like(order).scatter_(1, order, torch.arange(length, device=order.device).expand_as(order))
    hidden = tokens.present & (rank < n_hidden[:, None])
    if tokens.together is not None:  # the last of them whole
        largest = drawn.masked_fill(~hidden, -torch.inf).amax(1, keepdim=True)
        hidden = tokens.present & (drawn <= largest)
    visible_first = (hidden.long() * 2 + (~tokens.present).long()).argsort(dim=1, stable=True)
    n_visible = int((tokens.present & ~hidden).sum(1).max().clamp(min=1))
    return visible_first[:, :n_visible], hidden


def swap_parts(tokens: Tokens, share: float, generator: torch.Generator) -> tuple[Tokens, torch.Tensor]:
    """Return the tokens with a share of their parts taken each from another sample, and which were changed [B, L] bool.

    Each part [B] is shuffled over the samples on its own, and stands in where a mask of ones with the probability
    `share` says so (VIME, Yoon et al. 2020, section 4.1). What the shuffle put in place of an equal value was not
    changed: nobody can tell.
    """
    drawn = torch.rand(tokens.present.shape, generator=generator, device=tokens.present.device)
    mask = torch.rand(tokens.present.shape, generator=generator, device=tokens.present.device) < share
    order = drawn.argsort(0)  # [B, L], a permutation of the samples for each part
    values = tokens.values.gather(0, order[..., None].expand_as(tokens.values))
    present = tokens.present.gather(0, order)
    spoilt = tokens._replace(
        values=torch.where(mask[..., None], values, tokens.values), present=torch.where(mask, present, tokens.present)
    )
    same = (spoilt.values == tokens.values).all(-1) & spoilt.present & tokens.present
    return spoilt, ~(same | ~spoilt.present & ~tokens.present)


def masked_symbols(
    values: torch.Tensor, hidden: torch.Tensor, random: torch.Tensor, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the symbols to read and the ones to blot out, [B, L] each: of the hidden ones 8 in 10 are blotted out,
    1 in 10 is a random symbol and 1 in 10 is left (Devlin et al. 2019), so that every symbol has to be doubted."""
    drawn = torch.rand(hidden.shape, generator=generator, device=hidden.device)
    blotted = hidden & (drawn < 0.8)
    swapped = hidden & (drawn >= 0.8) & (drawn < 0.9)
    return torch.where(swapped, random, values), blotted
