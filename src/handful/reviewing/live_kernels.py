"""Compiled loops of the live answer: pushing a label's mass along the graph, reading the answer off the masses, and
carrying it on to where no mass has come."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(nogil=True, cache=True)
def push(indptr, indices, data, rows, amounts, alpha, least, mass, owed, waiting, queue, touched):  # type: ignore[no-untyped-def]
    """Add (I - alpha S)^-1 (amounts [m] at different `rows` [m]) to `mass` [N]; return how many rows were met.

    S: symmetric, its largest eigenvalue 1. least: what a row may go on owing. owed, waiting: [N] zeros, left as zeros.
    queue: [N], arbitrary. touched: [N], gets the rows that were met.
    """
    n = len(mass)
    met, head, length = len(rows), 0, len(rows)
    for k in range(len(rows)):
        owed[rows[k]] = amounts[k]
        queue[k], waiting[rows[k]], touched[k] = rows[k], 1, rows[k]
    while length:
        at = queue[head]
        head = head + 1 if head + 1 < n else 0
        length -= 1
        waiting[at] = 2
        gift = owed[at]
        owed[at] = 0
        mass[at] += gift
        gift *= alpha
        for e in range(indptr[at], indptr[at + 1]):
            other = indices[e]
            owed[other] += gift * data[e]
            if waiting[other] == 0:
                touched[met] = other
                met += 1
                waiting[other] = 2
            if waiting[other] == 2 and abs(owed[other]) > least:
                tail = head + length
                queue[tail if tail < n else tail - n] = other
                length += 1
                waiting[other] = 1
    for k in range(met):
        other = touched[k]
        mass[other] += owed[other]
        owed[other], waiting[other] = 0, 0
    return met


@numba.njit(nogil=True, cache=True)
def read_off(start, stop, mass, scale, reached, best, share, second, next_share, nearness):  # type: ignore[no-untyped-def]
    """Write for rows start .. stop the class with the most of mass [K, N] times scale [K], its share and the runner-up.

    nearness: all of that mass at the row, 1 on average over the rows. -1 and 0 where a row is not reached; a reached
    row that no mass has come to yet has an even share of all.
    """
    columns = mass.shape[0]
    present = 0
    for k in range(columns):
        present += scale[k] > 0
    for i in range(start, stop):
        best[i], second[i], share[i], next_share[i], nearness[i] = -1, -1, 0, 0, 0
        if not reached[i]:
            continue
        total, first, other = np.float32(0), np.float32(-1), np.float32(-1)
        for k in range(columns):
            if scale[k] <= 0:
                continue
            value = max(mass[k, i], np.float32(0)) * scale[k]
            total += value
            if value > first:
                other, second[i] = first, best[i]
                first, best[i] = value, k
            elif value > other:
                other, second[i] = value, k
        nearness[i] = total / present
        if total > 0:
            share[i], next_share[i] = first / total, max(other, np.float32(0)) / total
        else:
            share[i] = next_share[i] = np.float32(1) / present
        if present == 1:
            next_share[i] = 0


@numba.njit(nogil=True, cache=True)
def carry_on(indptr, indices, data, reached, nearness, best, second, way, queue):  # type: ignore[no-untyped-def]
    """Give reached rows to which no mass has come the classes of the nearest row that has some, ring by ring.

    Within a ring a row follows the neighbour it is most like. way: [N], gets the row that each such row follows, -1
    for the others. queue: [N], arbitrary.
    """
    length = 0
    for i in range(len(way)):
        way[i] = -1
        if not reached[i] or nearness[i] > 0:
            continue
        most = np.float32(0)
        for e in range(indptr[i], indptr[i + 1]):
            if nearness[indices[e]] > 0 and data[e] > most:
                most, way[i] = data[e], indices[e]
        if way[i] >= 0:
            queue[length] = i
            length += 1
    for k in range(length):
        best[queue[k]], second[queue[k]] = best[way[queue[k]]], second[way[queue[k]]]
    head = 0
    while head < length:
        at = queue[head]
        head += 1
        for e in range(indptr[at], indptr[at + 1]):
            other = indices[e]
            if reached[other] and way[other] < 0 and not nearness[other] > 0:
                way[other], best[other], second[other] = at, best[at], second[at]
                queue[length] = other
                length += 1
