"""The words that fit into a gap, from an encoder that was trained with the method "masked" on texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from handful.encoders.filler import Filler
from handful.errors import InputError, check_at_least
from handful.training.embed import device_of, to_device
from handful.training.encoder import Encoder, find_encoder

GAP = "[MASK]"


@dataclass(frozen=True)
class Filling:
    """text: with the likeliest word in each gap; guesses: for each gap the likeliest words and their probabilities."""

    text: str
    guesses: tuple[tuple[tuple[str, float], ...], ...]


@torch.inference_mode()
def fill(encoder: Encoder | Any, text: str, *, n: int = 5) -> Filling:
    """Return the `n` likeliest words for each "[MASK]" in `text`, among the words that are one piece.

    encoder: an Encoder, a run, or a folder of either.
    Raises InputError where the text has no gap, or the encoder has not learnt to fill gaps.
    """
    encoder = find_encoder(encoder)
    check_at_least("n", n, 1)
    if not isinstance(text, str) or GAP not in text:
        raise InputError(f"the text must have a gap written as {GAP}, got {text!r}: such as 'the {GAP} was late'.")
    filler = find_filler(encoder)
    texts: Any = encoder.modality
    vocabulary = texts.vocabulary
    if vocabulary.mask is None:
        raise InputError(f"the tokenizer of this encoder knows no {GAP}: train one on your own texts with 'masked'.")
    batch = texts.batch_of([text])
    hidden = batch["ids"] == vocabulary.mask
    if not hidden.any():
        raise InputError(f"the gap lies beyond the first {texts.max_tokens} pieces of the text: shorten it.")
    device = device_of(filler)
    odds = filler.guess(texts.tokens(to_device(batch, device)), hidden=hidden.to(device)).float().cpu()
    odds[:, vocabulary.special | ~vocabulary.begins | (vocabulary.letters == 0)] = -torch.inf
    likeliest = odds.softmax(1).topk(min(n, odds.shape[1]))
    guesses = tuple(
        tuple((texts.words_of(piece[None]), float(share)) for piece, share in zip(*gap, strict=True))
        for gap in zip(likeliest.indices, likeliest.values, strict=True)
    )
    filled = text
    for gap_guesses in guesses:
        filled = filled.replace(GAP, gap_guesses[0][0], 1)
    return Filling(filled, guesses)


def find_filler(encoder: Encoder) -> Filler:
    """Return the network that fills gaps. Raises InputError where the encoder has none."""
    if encoder.modality.name != "text":
        raise InputError(f"gaps are filled in texts, and this encoder reads {encoder.modality.name}.")
    for network in encoder.networks.values():
        if isinstance(network, Filler):
            return network
    raise InputError(
        f"an encoder of {', '.join(encoder.networks)} has not learnt to fill gaps: pretrain with method 'masked'."
    )
