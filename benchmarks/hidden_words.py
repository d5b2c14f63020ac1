"""Hidden words of held-out Reuters texts: guessed by `masked` training, by how common words are, and by a trigram."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

import handful
from handful.tasks.fill import find_filler
from handful.training.embed import device_of, to_device
from handful.training.pretrain import Watch

DISCOUNT = 0.75  # of each count (Ney, Essen and Kneser 1994)
SHARE = 0.15  # of the words of a text, hidden at once from the network; the trigram sees all words before


class Trigram:
    """Interpolated absolute discounting of pieces, down to how common each is: P(piece | the two before it)."""

    def __init__(self, texts: Sequence[np.ndarray], size: int) -> None:
        counts: Counter[tuple[int, ...]] = Counter()
        for pieces in texts:
            padded = [-1, -1, *pieces.tolist()]
            counts.update(tuple(padded[at - back : at + 1]) for at in range(2, len(padded)) for back in range(3))
        self.after: dict[tuple[int, ...], dict[int, int]] = {}
        for run, count in counts.items():
            self.after.setdefault(run[:-1], {})[run[-1]] = count
        self.size = size
        self.common = self.distribution(())

    def distribution(self, before: tuple[int, ...]) -> np.ndarray:
        """Return the probability [V] of every piece after `before`, two pieces or fewer."""
        if not before:
            lower = np.full(self.size, 1 / self.size)
        else:
            lower = self.common if len(before) == 1 else self.distribution(before[1:])
        seen = self.after.get(before)
        if seen is None:
            return lower
        total = sum(seen.values())
        found = DISCOUNT * len(seen) / total * lower
        found[list(seen)] += (np.array(list(seen.values())) - DISCOUNT) / total
        return found


def measure_words(train: list[str], held_out: list[str], *, epochs: int, most: int = 1000, seed: int = 0) -> None:
    """Print accuracy and perplexity on hidden words of one piece, the same ones for all three."""
    data = handful.read([text for text in train if text.strip()], modality="text")
    watch = Watch(epoch=lambda line: print(f"epoch {line['epoch']}: loss {line['loss']:.3f}", flush=True))
    began = time.process_time()
    encoder = handful.pretrain(data, "masked", epochs=epochs, batch_size=8, learning_rate=2e-3, seed=seed, watch=watch)
    seconds = time.process_time() - began
    texts: Any = encoder.modality
    filler = find_filler(encoder)
    device = device_of(filler)
    pieces = [_pieces(texts, text) for text in train]
    trigram = Trigram(pieces, texts.vocabulary.size)
    draw = torch.Generator().manual_seed(seed)
    odds: dict[str, list[np.ndarray]] = {"how common a word is": [], "trigram": [], "handful, masked": []}
    right: list[np.ndarray] = []
    for text in held_out:
        batch = texts.batch_of([text])
        ids, begins = batch["ids"][0], batch["begins"][0]
        whole = begins & torch.cat([begins[1:], torch.ones(1, dtype=torch.bool)]) & (texts.vocabulary.letters[ids] > 1)
        hidden = whole & (torch.rand(len(ids), generator=draw) < SHARE)
        if not hidden.any():
            continue
        with torch.inference_mode():
            tokens, gaps = texts.tokens(to_device(batch, device)), hidden[None].to(device)
            guessed = filler.guess(tokens, hidden=gaps).float().softmax(1).cpu().numpy()
        padded = [-1, -1, *ids.tolist()]
        for row, at in enumerate(hidden.nonzero()[:, 0].tolist()):
            odds["handful, masked"].append(guessed[row])
            odds["trigram"].append(trigram.distribution(tuple(padded[at : at + 2])))
            odds["how common a word is"].append(trigram.common)
            right.append(ids[at].item())
        if len(right) >= most:
            break
    print(f"{len(train)} texts, {epochs} epochs, {seconds:.0f} s of one processor; {len(right)} words hidden")
    print("| guessed by | right, % | among the first five, % | perplexity |\n|---|---|---|---|")
    for name, found in odds.items():
        table, answers = np.stack(found), np.array(right)
        mine = table[np.arange(len(answers)), answers]
        place = (table > mine[:, None]).sum(1)
        perplexity = float(np.exp(-np.log(mine.clip(1e-12)).mean()))
        print(f"| {name} | {100 * np.mean(place == 0):.1f} | {100 * np.mean(place < 5):.1f} | {perplexity:.1f} |")


def _pieces(texts: Any, text: str) -> np.ndarray:
    return texts.batch_of([text])["ids"][0].numpy()
