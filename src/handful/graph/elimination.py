"""The elimination behind `handful.graph.factor`: each row in turn, the edges of its neighbours drawn."""

from __future__ import annotations

import numba
import numpy as np

_MOST_BUCKETS = 1024


@numba.njit(nogil=True, cache=True)
def count_edges(indptr, indices, shift, pinned):  # type: ignore[no-untyped-def]
    edges = 0
    for i in range(len(indptr) - 1):
        if pinned[i]:
            continue
        edges += shift[i] > 0
        for e in range(indptr[i], indptr[i + 1]):
            edges += pinned[indices[e]] or indices[e] > i
    return edges


@numba.njit(nogil=True, cache=True)
def _link(indptr, indices, data, shift, pinned, scale, edges):  # type: ignore[no-untyped-def]
    """Return each edge as two half-edges 2e, 2e + 1, in a linked list a row; row N is the ground.

    The ground stands for the pinned rows and the shift: an edge to a pinned row is an edge to it.
    """
    n = len(indptr) - 1
    following = np.empty(2 * edges, np.int32)
    target = np.empty(2 * edges, np.int32)
    weight = np.empty(2 * edges, np.float32)
    head = np.full(n + 1, -1, np.int32)
    count = np.zeros(n + 1, np.int32)
    half = 0
    for i in range(n):
        if pinned[i]:
            continue
        for e in range(indptr[i], indptr[i + 1] + 1):
            if e < indptr[i + 1]:
                j = indices[e]
                if pinned[j]:
                    j = n
                elif j <= i:
                    continue
                value = data[e] * scale
            else:
                j = n
                value = shift[i] * scale
            if e == indptr[i + 1] and value <= 0:
                continue
            target[half], target[half + 1] = j, i
            weight[half] = weight[half + 1] = value
            following[half], following[half + 1] = head[i], head[j]
            head[i], head[j] = half, half + 1
            count[i] += 1
            count[j] += 1
            half += 2
    return following, target, weight, head, count


@numba.njit(nogil=True, cache=True, inline="always")
def _move(row, bucket, first, after, before, held):  # type: ignore[no-untyped-def]
    """Put `row` first in `bucket` (-1: in none), out of the bucket that holds it."""
    old = held[row]
    if old >= 0:
        if before[row] >= 0:
            after[before[row]] = after[row]
        else:
            first[old] = after[row]
        if after[row] >= 0:
            before[after[row]] = before[row]
    held[row] = bucket
    if bucket >= 0:
        after[row] = first[bucket]
        before[row] = -1
        if first[bucket] >= 0:
            before[first[bucket]] = row
        first[bucket] = row


@numba.njit(nogil=True, cache=True)
def _rank(values, count, ranks):  # type: ignore[no-untyped-def]
    """Write the order of the first `count` values, least first, into `ranks`."""
    if count > 32:
        ranks[:count] = np.argsort(values[:count])
        return
    for a in range(count):
        at = a
        while at > 0 and values[ranks[at - 1]] > values[a]:
            ranks[at] = ranks[at - 1]
            at -= 1
        ranks[at] = a


@numba.njit(nogil=True, cache=True, inline="always")
def _merge(row, links, count, slot, around, strength, halves):  # type: ignore[no-untyped-def]
    """Write the neighbours of `row`, parallel edges as one, and return how many there are; `slot` is -1 all over."""
    following, target, weight, head = links
    degree = 0
    half = head[row]
    while half >= 0:
        u = target[half]
        if weight[half] > 0:
            if slot[u] < 0:
                slot[u] = degree
                around[degree], strength[degree], halves[degree] = u, weight[half], half
                degree += 1
            else:
                strength[slot[u]] += weight[half]
                weight[half ^ 1] = 0
                count[u] -= 1
        half = following[half]
    for a in range(degree):
        slot[around[a]] = -1
    return degree


@numba.njit(nogil=True, cache=True, inline="always")
def _stir(state):  # type: ignore[no-untyped-def]
    """Return the state of the generator after one more number (xorshift64, Marsaglia 2003)."""
    state ^= state << np.uint64(13)
    state ^= state >> np.uint64(7)
    state ^= state << np.uint64(17)
    return state


@numba.njit(nogil=True, cache=True, inline="always")
def _reach(below, low, high, drawn):  # type: ignore[no-untyped-def]
    """Return the last place from `low` to `high` at which the rising `below` is not above `drawn`, at least `low`."""
    while low < high:
        middle = (low + high + 1) // 2
        if below[middle] <= drawn:
            low = middle
        else:
            high = middle - 1
    return low


@numba.njit(nogil=True, cache=True, inline="always")
def _hand_over(half, u, v, value, links, count):  # type: ignore[no-untyped-def]
    """Make of an edge from an eliminated row to `u` one between `u` and `v`.

    The mirror half already stands in the list of `u`; this half moves from the eliminated row's list to that of `v`.
    """
    following, target, weight, head = links
    target[half ^ 1], target[half] = v, u
    weight[half ^ 1] = weight[half] = value
    following[half] = head[v]
    head[v] = half
    count[v] += 1


@numba.njit(nogil=True, cache=True)
def eliminate(indptr, indices, data, shift, pinned, scale, edges, seed):  # type: ignore[no-untyped-def]
    n = len(indptr) - 1
    following, target, weight, head, count = _link(indptr, indices, data, shift, pinned, scale, edges)
    links = (following, target, weight, head)
    first, held = np.full(_MOST_BUCKETS + 1, -1, np.int32), np.full(n, -1, np.int32)
    after, before = np.empty(n, np.int32), np.empty(n, np.int32)
    left = 0
    for i in range(n - 1, -1, -1):
        if not pinned[i]:
            _move(i, min(count[i], _MOST_BUCKETS), first, after, before, held)
            left += 1
    order, pointers, pivots = np.empty(left, np.int32), np.zeros(left + 1, np.int64), np.empty(left)
    places, shares = np.empty(2 * edges + n, np.int32), np.empty(2 * edges + n, np.float32)
    slot, around, halves = np.full(n + 1, -1, np.int32), np.empty(n + 1, np.int32), np.empty(n + 1, np.int32)
    strength, below, ranks = np.empty(n + 1), np.empty(n + 2), np.empty(n + 1, np.int32)
    state = np.uint64(seed) * np.uint64(2) + np.uint64(0x9E3779B97F4A7C15)
    bucket = used = 0
    for step in range(left):
        while first[bucket] < 0:
            bucket += 1
        row = first[bucket]
        _move(row, -1, first, after, before, held)
        order[step] = row
        degree = _merge(row, links, count, slot, around, strength, halves)
        total = 0.0
        for a in range(degree):
            total += strength[a]
        pivots[step] = total
        if used + degree > len(places):
            places = np.concatenate((places, np.empty(len(places) + degree, np.int32)))
            shares = np.concatenate((shares, np.empty(len(shares) + degree, np.float32)))
        _rank(strength, degree, ranks)
        below[0] = 0.0
        for a in range(degree):
            below[a + 1] = below[a] + strength[ranks[a]]
        for a in range(degree):
            at = ranks[a]
            u, half = around[at], halves[at]
            places[used] = u
            shares[used] = strength[at] / total
            used += 1
            if a == degree - 1:
                weight[half ^ 1] = 0
                count[u] -= 1
                break
            stronger = below[degree] - below[a + 1]
            state = _stir(state)
            drawn = below[a + 1] + stronger * (np.float64(state >> np.uint64(11)) / 9007199254740992.0)
            v = around[ranks[_reach(below, a + 1, degree - 1, drawn)]]
            _hand_over(half, u, v, np.float32(strength[at] * stronger / total), links, count)
        for a in range(degree):
            u = around[a]
            if u < n:
                key = min(count[u], _MOST_BUCKETS)
                if key != held[u]:
                    _move(u, key, first, after, before, held)
                    bucket = min(bucket, key)
        pointers[step + 1] = used
    place = np.full(n + 1, left, np.int32)
    place[order] = np.arange(left)
    return order, pointers, place[places[:used]], shares[:used].copy(), pivots / scale
