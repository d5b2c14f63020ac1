"""Words and their pieces: a tokenizer trained on the corpus, or the one that a pretrained model comes with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from handful.errors import InputError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PAD, MASK = "[PAD]", "[MASK]"
LARGEST_VOCABULARY = 8000
_WITHOUT_SPACES = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
_CONTINUES, _BEGINS = "##", ("Ġ", "▁", " ")


@dataclass(frozen=True)
class Vocabulary:
    """What must be known of a tokenizer's pieces.

    size: how many there are. letters: [size] int64, how many letters each has. pad, mask: the numbers of the pieces
    that fill up a batch and that stand for a hidden word; mask is None where there is none. begins: [size] bool,
    whether a piece begins a word. special: [size] bool, whether it stands for no text. prefix, suffix: the pieces that
    the model of this tokenizer wants before and after a text.
    """

    size: int
    letters: torch.Tensor
    pad: int
    mask: int | None
    begins: torch.Tensor
    special: torch.Tensor
    prefix: tuple[int, ...]
    suffix: tuple[int, ...]


def train_tokenizer(texts: Iterable[str], *, size: int = LARGEST_VOCABULARY) -> Tokenizer:
    """Return a byte-level BPE tokenizer (Sennrich et al. 2016) of at most `size` pieces, in lower case.

    Words are split off at white space and punctuation, and where a script has no spaces every character is a word;
    each word begins with a piece that says so.
    """
    tokenizers = import_tokenizers()
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.normalizer = tokenizers.normalizers.Sequence(
        [tokenizers.normalizers.NFKC(), tokenizers.normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Sequence(
        [
            tokenizers.pre_tokenizers.WhitespaceSplit(),
            tokenizers.pre_tokenizers.Punctuation(),
            tokenizers.pre_tokenizers.Split(tokenizers.Regex(_WITHOUT_SPACES), "isolated"),
            tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=False),
        ]
    )
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=2,
        special_tokens=[PAD, MASK],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def read_vocabulary(tokenizer: Tokenizer) -> Vocabulary:
    """Return what must be known of the pieces of `tokenizer`."""
    pieces = tokenizer.get_vocab(with_added_tokens=True)
    size = max(pieces.values()) + 1
    added = tokenizer.get_added_tokens_decoder()
    special = torch.zeros(size, dtype=torch.bool)
    special[[number for number, token in added.items() if token.special]] = True
    letters = np.zeros(size, dtype=np.int64)
    for piece, number in pieces.items():
        letters[number] = sum(char.isalnum() or ord(char) > 127 for char in _bare(piece))
    return Vocabulary(
        size=size,
        letters=torch.from_numpy(letters).masked_fill(special, 0),
        pad=next((pieces[name] for name in (PAD, "<pad>", "<|endoftext|>", "</s>") if name in pieces), 0),
        mask=next((pieces[name] for name in (MASK, "<mask>") if name in pieces), None),
        begins=_find_beginnings(pieces, size) | special,
        special=special,
        **_find_frame(tokenizer),
    )


def encode_texts(tokenizer: Tokenizer, texts: list[str], max_tokens: int) -> list[np.ndarray]:
    """Return the pieces of each text, at most `max_tokens` of them, without those that frame a text."""
    # Cut before tokenizing: no piece is shorter than a character, and few texts have words of more than 16.
    encoded = tokenizer.encode_batch_fast([text[: 16 * max_tokens] for text in texts], add_special_tokens=False)
    return [np.array(one.ids[:max_tokens], dtype=np.int64) for one in encoded]


def import_tokenizers() -> Any:
    """Return the tokenizers library. Raises InputError where it is not installed."""
    try:
        import tokenizers
        import tokenizers.decoders
        import tokenizers.models
        import tokenizers.normalizers
        import tokenizers.pre_tokenizers
        import tokenizers.trainers
    except ImportError:
        raise InputError("texts need the extra 'text': pip install 'handful[text]'.") from None
    return tokenizers


def _bare(piece: str) -> str:
    """Return a piece without the mark that tells whether it begins a word."""
    return piece.removeprefix(_CONTINUES).lstrip("".join(_BEGINS))


def _find_beginnings(pieces: dict[str, int], size: int) -> torch.Tensor:
    """Return which pieces begin a word, [size] bool: told from the mark that the kind of tokenizer writes."""
    continues = any(piece.startswith(_CONTINUES) and len(piece) > 2 for piece in pieces)
    marks = not continues and any(piece.startswith(_BEGINS) for piece in pieces)
    begins = np.zeros(size, dtype=bool)
    for piece, number in pieces.items():
        begins[number] = piece.startswith(_BEGINS) if marks else not piece.startswith(_CONTINUES)
    return torch.from_numpy(begins)


def _find_frame(tokenizer: Tokenizer) -> dict[str, tuple[int, ...]]:
    """Return the pieces that are put before and after a text, found by tokenizing one."""
    bare = tokenizer.encode("a", add_special_tokens=False).ids
    framed = tokenizer.encode("a", add_special_tokens=True).ids
    for start in range(len(framed) - len(bare) + 1):
        if framed[start : start + len(bare)] == bare:
            return {"prefix": tuple(framed[:start]), "suffix": tuple(framed[start + len(bare) :])}
    return {"prefix": (), "suffix": ()}
