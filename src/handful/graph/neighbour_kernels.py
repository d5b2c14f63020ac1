"""Compiled inner loops of the nearest-neighbour search.

A row's list is its nearest rows so far: `keys` [N, K] float32 squared distances, ascending, and `ids` [N, K] int32,
-1 where the list is not full. Equal keys stand in the order of their ids, so that a list does not depend on the order
in which its rows were offered.
"""

from __future__ import annotations

import numba
import numpy as np

_FAST = {"reassoc", "contract", "nsz", "arcp", "nnan"}  # not "ninf": empty places hold infinity
_CHUNK = 64


@numba.njit(nogil=True, cache=True)
def insert(keys, ids, key, row):  # type: ignore[no-untyped-def]
    """Put `row` into one list unless it stands there or is too far; return whether it was put."""
    last = len(keys) - 1
    if key > keys[last] or (key == keys[last] and row >= ids[last] >= 0):
        return False
    at = last
    while at > 0 and (keys[at - 1] > key or (keys[at - 1] == key and ids[at - 1] > row)):
        at -= 1
    for place in range(last + 1):
        if ids[place] == row:
            return False
    for place in range(last, at, -1):
        keys[place] = keys[place - 1]
        ids[place] = ids[place - 1]
    keys[at] = key
    ids[at] = row
    return True


@numba.njit(nogil=True, cache=True, fastmath=_FAST)
def _least(scores, half_norms, start, stop):  # type: ignore[no-untyped-def]
    least = np.float32(np.inf)
    for b in range(start, stop):
        least = min(least, half_norms[b] - scores[b])
    return least


@numba.njit(nogil=True, cache=True)
def offer_products(products, places, rows, row_halves, columns, column_halves, keys, ids):  # type: ignore[no-untyped-def]
    """Offer the rows `columns` [C] to the lists at `places` [B] of `rows` [B], given their dot products [B, C].

    row_halves, column_halves: half of the squared norms. A row is not offered to itself.
    """
    last = keys.shape[1] - 1
    n_columns = len(columns)
    for a in range(len(rows)):
        i, place = rows[a], places[a]
        own = row_halves[a]
        scores = products[a]
        bound = np.float32(0.5) * keys[place, last] - own
        for start in range(0, n_columns, _CHUNK):
            stop = min(start + _CHUNK, n_columns)
            if _least(scores, column_halves, start, stop) > bound:
                continue
            for b in range(start, stop):
                half = column_halves[b] - scores[b]
                if half <= bound and columns[b] != i:
                    key = max(np.float32(0), np.float32(2) * (half + own))
                    if insert(keys[place], ids[place], key, columns[b]):
                        bound = np.float32(0.5) * keys[place, last] - own


@numba.njit(nogil=True, cache=True)
def transpose(block, out):  # type: ignore[no-untyped-def]
    """Write `block` [A, B] into `out` [B, A], by tiles that stay in the cache."""
    for top in range(0, block.shape[0], 32):
        for left in range(0, block.shape[1], 32):
            for b in range(left, min(left + 32, block.shape[1])):
                for a in range(top, min(top + 32, block.shape[0])):
                    out[b, a] = block[a, b]


@numba.njit(nogil=True, cache=True, fastmath=_FAST)
def squared_distance(points, scale, i, j):  # type: ignore[no-untyped-def]
    """Return the squared distance of two rows of `points` [N, D], each times its `scale` [N]."""
    total = np.float32(0)
    for d in range(points.shape[1]):
        step = points[i, d] * scale[i] - points[j, d] * scale[j]
        total += step * step
    return total


@numba.njit(nogil=True, cache=True)
def rank_again(start, stop, own, points, scale, ids, keys):  # type: ignore[no-untyped-def]
    """Sort each list, of row `own`, by distances from direct differences: a matrix product rounds close ones."""
    n_places = ids.shape[1]
    for i in range(start, stop):
        for place in range(n_places):
            row = ids[i, place]
            if row < 0:
                continue
            key = squared_distance(points, scale, own[i], row)
            at = place
            while at > 0 and (keys[i, at - 1] > key or (keys[i, at - 1] == key and ids[i, at - 1] > row)):
                keys[i, at] = keys[i, at - 1]
                ids[i, at] = ids[i, at - 1]
                at -= 1
            keys[i, at] = key
            ids[i, at] = row


@numba.njit(nogil=True, cache=True)
def merge(start, stop, other_keys, other_ids, keys, ids):  # type: ignore[no-untyped-def]
    """Offer the rows in `other_ids` [N, K] at `other_keys` to the lists of the rows from `start` to `stop`."""
    for i in range(start, stop):
        for place in range(other_ids.shape[1]):
            if other_ids[i, place] >= 0:
                insert(keys[i], ids[i], other_keys[i, place], other_ids[i, place])


@numba.njit(nogil=True, cache=True)
def reverse_lists(ids, fresh, forward, most):  # type: ignore[no-untyped-def]
    """Return up to `most` rows that list a row among their first `forward` places without standing in its own list.

    rows: [N, most] int32; count: [N]; is_fresh: [N, most] whether that place in the other list is fresh.
    """
    n = len(ids)
    rows = np.empty((n, most), np.int32)
    is_fresh = np.empty((n, most), np.bool_)
    count = np.zeros(n, np.int32)
    for place in range(forward):
        for i in range(n):
            j = ids[i, place]
            if j < 0 or count[j] >= most:
                continue
            mutual = False
            for other in range(forward):
                if ids[j, other] == i:
                    mutual = True
            if not mutual:
                rows[j, count[j]] = i
                is_fresh[j, count[j]] = fresh[i, place]
                count[j] += 1
    return rows, count, is_fresh


@numba.njit(nogil=True, cache=True)
def expand(start, stop, order, points, scale, ids, keys, fresh, back, n_back, back_fresh, forward, inner, out):  # type: ignore[no-untyped-def]
    """Offer the rows from `start` to `stop` of `order` the neighbours of their neighbours.

    New lists go to the same places of `out`, the old ones are only read.

    A path of two steps counts if one of them is fresh: the others were tried in an earlier round. The first step goes
    to a row's first `forward` places and to the rows that list it (`back`), the second to the first `forward` places
    and to at most `inner` of the rows that list it. Returns the number of distances computed.
    """
    out_ids, out_keys, out_fresh = out
    size = 2048
    table = np.full(size, -1, np.int32)
    used = np.empty(size, np.int32)
    last = ids.shape[1] - 1
    computed = 0
    for t in range(start, stop):
        i = order[t]
        n_used = 0
        for place in range(last + 1):
            out_ids[t, place] = ids[i, place]
            out_keys[t, place] = keys[i, place]
            out_fresh[t, place] = False
        for place in range(-1, last + 1):
            row = i if place < 0 else ids[i, place]
            if row < 0:
                continue
            slot = (row * 2654435761) & (size - 1)
            while table[slot] >= 0:
                slot = (slot + 1) & (size - 1)
            table[slot] = row
            used[n_used] = slot
            n_used += 1
        worst = out_keys[t, last]
        for first in range(forward + n_back[i]):
            if first < forward:
                u = ids[i, first]
                first_fresh = fresh[i, first]
                if u < 0:
                    break
            else:
                u = back[i, first - forward]
                first_fresh = back_fresh[i, first - forward]
            for second in range(forward + min(n_back[u], inner)):
                if second < forward:
                    v = ids[u, second]
                    if v < 0 or not (first_fresh or fresh[u, second]):
                        continue
                else:
                    v = back[u, second - forward]
                    if not (first_fresh or back_fresh[u, second - forward]):
                        continue
                slot = (v * 2654435761) & (size - 1)
                known = False
                while table[slot] >= 0:
                    if table[slot] == v:
                        known = True
                        break
                    slot = (slot + 1) & (size - 1)
                if known or n_used >= size // 2:
                    continue
                table[slot] = v
                used[n_used] = slot
                n_used += 1
                key = squared_distance(points, scale, i, v)
                computed += 1
                if key <= worst:
                    at = last
                    while at > 0 and (
                        out_keys[t, at - 1] > key or (out_keys[t, at - 1] == key and out_ids[t, at - 1] > v)
                    ):
                        at -= 1
                    if at == last and key == worst and 0 <= out_ids[t, last] < v:
                        continue
                    for place in range(last, at, -1):
                        out_keys[t, place] = out_keys[t, place - 1]
                        out_ids[t, place] = out_ids[t, place - 1]
                        out_fresh[t, place] = out_fresh[t, place - 1]
                    out_keys[t, at] = key
                    out_ids[t, at] = v
                    out_fresh[t, at] = True
                    worst = out_keys[t, last]
        for u in range(n_used):
            table[used[u]] = -1
    return computed
