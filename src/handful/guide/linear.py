"""Linear guesses and counts: how much of one thing another tells, judged on what was not fitted. Arrays only."""

from __future__ import annotations

import numpy as np

_RIDGES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)  # of the mean diagonal
_TRUST = 0.8  # weight of what was counted beside a neighbour, against how usual a symbol is


def guessed_share(gram: np.ndarray, targets: np.ndarray) -> float:
    """Return how much of the variance of `targets` [M, P] ridge regression tells, each row left out in turn.

    gram: [M, M] products of the features of two rows. Row i left out errs by (y - Hy)_i / (1 - H_ii), where Hy are the
    fitted values, the mean among them; the best of five ridges counts. At least 0.
    """
    m = len(gram)
    mean = gram.mean(0)
    centred = gram - mean - mean[:, None] + gram.mean()
    about = targets - targets.mean(0)
    total = np.square(about).sum() * (m / (m - 1)) ** 2  # the mean, left out as well
    values, axes = np.linalg.eigh(centred)
    scale = max(values.clip(0).mean(), 1e-12)
    turned, best = axes.T @ about, 0.0
    for ridge in _RIDGES:
        shrunk = ridge * scale / (values.clip(0) + ridge * scale)
        unfitted = np.square(axes) @ shrunk - 1 / m  # the mean, a direction of the centred gram, is fitted whole
        errors = (axes @ (shrunk[:, None] * turned)) / np.maximum(unfitted, 1e-9)[:, None]
        best = max(best, 1 - float(np.square(errors).sum() / max(total, 1e-12)))
    return best


def kept_share(vectors: np.ndarray, components: int) -> float:
    """Return how much of the variance of the second half of `vectors` [M, P] the first half's principal components
    give back."""
    fitted, held = vectors[::2], vectors[1::2]
    if not len(held):
        return 0.0
    mean = fitted.mean(0)
    axes = np.linalg.svd(fitted - mean, full_matrices=False)[2][:components]
    about = held - mean
    left = np.square(about - about @ axes.T @ axes).sum()
    return max(0.0, 1 - float(left / max(np.square(about).sum(), 1e-12)))


def symbol_shares(symbols: np.ndarray, present: np.ndarray) -> tuple[float, float]:
    """Return the share of the uncertainty of a symbol that both neighbours take away, and that the one before does.

    symbols, present: [M, L]. Pairs are counted in the first half of the samples, where an estimate is mixed with how
    usual a symbol is; cross entropy is measured in the second.
    """
    fitted, held = (_triples(symbols[part::2], present[part::2]) for part in (0, 1))
    if not len(fitted) or not len(held):
        return 0.0, 0.0
    size = int(symbols.max()) + 1
    usual = np.bincount(fitted[:, 1], minlength=size) + 0.5
    usual = usual / usual.sum()
    own = usual[held[:, 1]]
    after = _conditional(fitted[:, 0], fitted[:, 1], held[:, 0], held[:, 1], size)
    before = _conditional(fitted[:, 2], fitted[:, 1], held[:, 2], held[:, 1], size)
    entropy = -np.log(own).mean()
    both = -np.log(_TRUST * (after + before) / 2 + (1 - _TRUST) * own).mean()
    one = -np.log(_TRUST * after + (1 - _TRUST) * own).mean()
    return max(0.0, float(1 - both / entropy)), max(0.0, float(1 - one / entropy))


def _triples(symbols: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Return three symbols in a row, [M, 3]."""
    if symbols.shape[1] < 3:
        return np.zeros((0, 3), int)
    whole = present[:, :-2] & present[:, 1:-1] & present[:, 2:]
    return np.stack([symbols[:, :-2][whole], symbols[:, 1:-1][whole], symbols[:, 2:][whole]], 1)


def _conditional(given: np.ndarray, symbol: np.ndarray, asked: np.ndarray, of: np.ndarray, size: int) -> np.ndarray:
    """Return how often `symbol` was `of` where `given` was `asked`."""
    pairs, counts = np.unique(given * size + symbol, return_counts=True)
    place = np.searchsorted(pairs, asked * size + of).clip(max=len(pairs) - 1)
    joint = np.where(pairs[place] == asked * size + of, counts[place], 0)
    return joint / np.maximum(np.bincount(given, minlength=size)[asked], 1)
