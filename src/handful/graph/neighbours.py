"""The k nearest rows of every row, by Euclidean distance.

Exact: blocks of rows are multiplied with each other, each pair of blocks once: N^2 D / 2 multiplications.
Approximate: several independent partitions into cells of near rows, all pairs within a cell tried by one product; then
rounds that try the neighbours of neighbours (Dong, Moses and Li, Efficient k-nearest neighbor graph construction for
generic similarity measures, 2011), about N (cell D + k^2 D) multiplications.
Both read `points` [N, D] in place, by rows: a memory map is not copied. Both share their work among a `Team` of
processes, and give each of them what one process gives, to the bit on processors of the same kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from handful.graph import neighbour_kernels as kernels
from handful.graph.cells import gather, partition
from handful.graph.cuda import nearest_candidates
from handful.graph.rows import NOWHERE, Kept
from handful.graph.team import Alone, Team, part_of, spread
from handful.graph.threads import in_threads, row_blocks, scratch

Progress = Callable[[int, int], None]
SPARE = 4  # places beyond k: a matrix product ranks close distances wrongly, and a list seen in rounds wants depth
_BLOCK = 1000  # rows of an exact block
PARTITIONS = 6
_CELL = 400  # rows at most
ROUNDS = 3
_BACK = 8  # rows at most that list a row and are tried with its neighbours
_SAMPLE = 256  # rows whose recall is measured
_ALONE = Alone()


@dataclass(frozen=True)
class Neighbours:
    """rows: [N, k] int32, nearest first; squared: [N, k] float32 squared distances; recall: share of the true ones."""

    rows: np.ndarray
    squared: np.ndarray
    recall: float = 1.0


def exact_neighbours(
    points: np.ndarray,
    n_neighbors: int,
    *,
    scale: np.ndarray | None = None,
    progress: Progress | None = None,
    team: Team = _ALONE,
) -> Neighbours:
    """Return the nearest other rows of each row of `points` [N, D] float32; ties go to the lower row.

    scale: [N] float32, what each row is multiplied by.
    """
    n = len(points)
    scale = np.ones(n, np.float32) if scale is None else scale
    lists = _empty_lists(n, min(n_neighbors + SPARE, n - 1))
    centre = _mean(points, scale)
    blocks = _in_blocks(np.arange(n, dtype=np.int32))
    rounds = list(_tournament(len(blocks)))
    with threadpool_limits(1, "blas"):
        for number, pairs in enumerate(rounds):
            tried = [(points, scale, centre, blocks[a], blocks[b], *lists) for a, b in pairs[team.rank :: team.size]]
            in_threads(_offer_blocks, tried)
            _tell(progress, number + 1, len(rounds), n)
    _merge(team, *lists)
    return _ranked(points, scale, *lists, n_neighbors, team=team)


def exact_neighbours_on_gpu(
    points: np.ndarray, n_neighbors: int, *, scale: np.ndarray, device: str = "cuda"
) -> Neighbours:
    """Return what `exact_neighbours` returns, the products taken by torch on `device`."""
    ids = nearest_candidates(points, scale, min(n_neighbors + SPARE, len(points) - 1), device=device)
    return _ranked(points, scale, np.full(ids.shape, np.inf, np.float32), ids, n_neighbors)


def joined(points: np.ndarray, scale: np.ndarray, old_rows: np.ndarray, empty: np.ndarray, n_old: int) -> Neighbours:
    """Return lists for all rows of `points` [N, D], given those of the first `n_old`, [n_old, k].

    Rows in `empty` are offered to no list.
    """
    k = old_rows.shape[1]
    keys, ids = _empty_lists(len(points), k + SPARE)
    ids[:n_old, :k] = old_rows
    own = np.arange(n_old, dtype=np.int32)
    in_threads(kernels.rank_again, [(*block, own, points, scale, ids, keys) for block in row_blocks(n_old)])
    lists = (points, scale, _mean(points, scale))
    present = np.ones(len(points), bool)
    present[empty] = False
    rows = np.flatnonzero(present).astype(np.int32)
    split = int(np.searchsorted(rows, n_old))
    old, new = _in_blocks(rows[:split]), _in_blocks(rows[split:])
    places = max(len(old), len(new))
    with threadpool_limits(1, "blas"):
        for shift in range(places):  # no block twice at a time: a list has one writer
            pairs = [((number + shift) % places, block) for number, block in enumerate(new)]
            in_threads(_offer_blocks, [(*lists, old[at], block, keys, ids) for at, block in pairs if at < len(old)])
        for pairs_of_new in _tournament(len(new)):
            in_threads(_offer_blocks, [(*lists, new[a], new[b], keys, ids) for a, b in pairs_of_new])
    return _ranked(points, scale, keys, ids, k)


def approximate_neighbours(
    points: np.ndarray,
    n_neighbors: int,
    *,
    scale: np.ndarray | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    team: Team = _ALONE,
    kept: Kept = NOWHERE,
) -> Neighbours:
    """Return near other rows of each row of `points` [N, D] float32 and the share of the nearest among them.

    The result depends on `seed`, not on the number of threads or of processes.
    kept: where the lists of this process's part of the rows are kept after each of the nine steps.
    """
    n = len(points)
    scale = np.ones(n, np.float32) if scale is None else scale
    keys, ids = _empty_lists(n, n_neighbors + SPARE)
    fresh = np.ones(ids.shape, np.bool_)
    own = np.arange(n * team.rank // team.size, n * (team.rank + 1) // team.size, dtype=np.int32)
    done = _go_on(kept.load(), team, own, keys, ids, fresh)
    steps = PARTITIONS + ROUNDS
    with threadpool_limits(1, "blas"):
        first = min(done, PARTITIONS - 1)
        most = max(_CELL, 4 * n_neighbors)
        for number, cells in enumerate(_partitions(team, points, scale, most, seed, first), first):
            if number < done:
                break  # the order of the last partition is all that is needed of it
            cells_here = cells[part_of(team, [len(rows) for rows in cells])]
            in_threads(_offer_cell, [(points, scale, rows, keys, ids) for rows in cells_here])
            _share(team, np.concatenate([own[:0], *cells_here]), keys, ids)
            _keep(kept, number + 1, own, keys, ids, fresh)
            _tell(progress, number + 1, steps, n)
    order = np.concatenate(cells)
    for number in range(max(done, PARTITIONS), steps):
        _expand(points, scale, order, keys, ids, fresh, n_neighbors, team)
        _keep(kept, number + 1, own, keys, ids, fresh)
        _tell(progress, number + 1, steps, n)
    found = _ranked(points, scale, keys, ids, n_neighbors, team=team)
    return Neighbours(found.rows, found.squared, measure_recall(points, scale, found.rows, seed))


def _partitions(
    team: Team, points: np.ndarray, scale: np.ndarray, most: int, seed: int, first: int
) -> Iterator[list[np.ndarray]]:
    """Yield the partitions from number `first` on: as many at a time as there are processes, each made by one."""
    for wave in range(first, PARTITIONS, team.size):
        number, cells = wave + team.rank, [np.empty(0, np.int32)]
        if number < PARTITIONS:
            cells = partition(points, scale, most, np.random.default_rng([seed, number]))
        for maker in range(min(team.size, PARTITIONS - wave)):
            yield cells if team.size == 1 else _sent_by(team, maker, cells)


def _sent_by(team: Team, maker: int, cells: list[np.ndarray]) -> list[np.ndarray]:
    """Return the cells that the process `maker` has."""
    sent = cells if team.rank == maker else [np.empty(0, np.int32)]
    received = team.gather(np.concatenate(sent))[maker]
    rows = received.copy()  # it is read-only, a type of its own to kernels
    sizes = team.gather(np.array([len(cell) for cell in sent], np.int32))[maker]
    return np.split(rows, np.cumsum(sizes)[:-1])


def _go_on(
    state: dict[str, Any] | None, team: Team, own: np.ndarray, keys: np.ndarray, ids: np.ndarray, fresh: np.ndarray
) -> int:
    """Return the steps done by an earlier team, whose lists are put into `keys`, `ids` and `fresh`; else 0."""
    if state is None:
        return 0
    for name, array in {"keys": keys, "listed": ids, "fresh": fresh}.items():
        array[own] = state[name]
    _share(team, own, keys, ids, fresh)
    return int(state["done"])


def _keep(kept: Kept, done: int, own: np.ndarray, keys: np.ndarray, ids: np.ndarray, fresh: np.ndarray) -> None:
    if kept is not NOWHERE:
        kept.keep(done, {"done": done, "keys": keys[own], "listed": ids[own], "fresh": fresh[own]})


def nearest_to(
    points: np.ndarray, scale: np.ndarray, queries: np.ndarray, n_neighbors: int, *, among: int | None = None
) -> Neighbours:
    """Return the exact nearest other rows of the rows `queries` [Q], among the first `among` rows or all of them."""
    among = len(points) if among is None else among
    keys, ids = _empty_lists(len(queries), min(n_neighbors + SPARE, among))
    centre = gather(points, scale, queries).mean(axis=0)
    asked = [(start, min(start + _BLOCK, len(queries))) for start in range(0, len(queries), _BLOCK)]
    with threadpool_limits(1, "blas"):
        for start in range(0, among, _BLOCK):
            rows = np.arange(start, min(start + _BLOCK, among), dtype=np.int32)
            block, halves = _centred_rows(points, scale, centre, rows)
            in_threads(
                _offer_rows,
                [(points, scale, centre, queries[a:b], rows, block, halves, keys[a:b], ids[a:b]) for a, b in asked],
            )
    return _ranked(points, scale, keys, ids, n_neighbors, queries)


def measure_recall(points: np.ndarray, scale: np.ndarray, rows: np.ndarray, seed: int) -> float:
    """Return the share of the true nearest rows in the lists `rows` [N, k], over a sample of rows."""
    n, k = rows.shape
    sample = np.sort(np.random.default_rng([seed, n]).choice(n, min(n, _SAMPLE), replace=False)).astype(np.int32)
    true = nearest_to(points, scale, sample, k).rows
    return float(np.mean([np.isin(true[a], rows[i]).mean() for a, i in enumerate(sample)]))


def _tell(progress: Progress | None, done: int, steps: int, n: int) -> None:
    if progress is not None:
        progress(n * done // steps, n)


def _empty_lists(n: int, places: int) -> tuple[np.ndarray, np.ndarray]:
    return np.full((n, places), np.inf, np.float32), np.full((n, places), -1, np.int32)


def _mean(points: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return (scale.astype(np.float64) @ points / len(points)).astype(np.float32)


def _in_blocks(rows: np.ndarray) -> list[np.ndarray]:
    return [rows[start : start + _BLOCK] for start in range(0, len(rows), _BLOCK)]


def _tournament(count: int) -> Iterable[list[tuple[int, int]]]:
    """Yield rounds of pairs of blocks, each pair once in all and each block at most once a round."""
    yield [(a, a) for a in range(count)]
    seats = count + count % 2
    for shift in range(seats - 1):
        pairs = [(seats - 1, shift)]
        pairs += [((shift + a) % (seats - 1), (shift - a) % (seats - 1)) for a in range(1, seats // 2)]
        yield [(min(pair), max(pair)) for pair in pairs if max(pair) < count]


def _centred_rows(
    points: np.ndarray, scale: np.ndarray, centre: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows less `centre` and half of their squared norms: near the origin products round least."""
    block = gather(points, scale, rows)
    block -= centre
    return block, np.float32(0.5) * np.einsum("nd,nd->n", block, block)


def _products(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.matmul(a, b.T, out=scratch("products", (len(a), len(b)), np.float32))


def _offer_cell(points: np.ndarray, scale: np.ndarray, rows: np.ndarray, keys: np.ndarray, ids: np.ndarray) -> None:
    block, halves = _centred_rows(points, scale, gather(points, scale, rows).mean(axis=0), rows)
    kernels.offer_products(_products(block, block), rows, rows, halves, rows, halves, keys, ids)


def _offer_blocks(
    points: np.ndarray,
    scale: np.ndarray,
    centre: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    keys: np.ndarray,
    ids: np.ndarray,
) -> None:
    block_a, halves_a = _centred_rows(points, scale, centre, a)
    if a is b:
        kernels.offer_products(_products(block_a, block_a), a, a, halves_a, a, halves_a, keys, ids)
        return
    block_b, halves_b = _centred_rows(points, scale, centre, b)
    products = _products(block_a, block_b)
    kernels.offer_products(products, a, a, halves_a, b, halves_b, keys, ids)
    turned = scratch("turned", products.T.shape, np.float32)
    kernels.transpose(products, turned)
    kernels.offer_products(turned, b, b, halves_b, a, halves_a, keys, ids)


def _offer_rows(
    points: np.ndarray,
    scale: np.ndarray,
    centre: np.ndarray,
    queries: np.ndarray,
    rows: np.ndarray,
    block: np.ndarray,
    halves: np.ndarray,
    keys: np.ndarray,
    ids: np.ndarray,
) -> None:
    asked, asked_halves = _centred_rows(points, scale, centre, queries)
    places = np.arange(len(queries), dtype=np.int32)
    kernels.offer_products(_products(asked, block), places, queries, asked_halves, rows, halves, keys, ids)


def _expand(
    points: np.ndarray,
    scale: np.ndarray,
    order: np.ndarray,
    keys: np.ndarray,
    ids: np.ndarray,
    fresh: np.ndarray,
    n_neighbors: int,
    team: Team,
) -> None:
    """Offer each row the neighbours of its neighbours, as all lists stand before: then put the new lists into them."""
    back, n_back, back_fresh = kernels.reverse_lists(ids, fresh, n_neighbors, _BACK)
    blocks = _part_of_blocks(team, len(order))
    rows = order[_span(blocks)]
    found = [np.empty((len(rows), array.shape[1]), array.dtype) for array in (ids, keys, fresh)]
    lists = (ids, keys, fresh, back, n_back, back_fresh, n_neighbors, _BACK)
    first = blocks[0][0] if blocks else 0
    in_threads(kernels.expand, [(a - first, b - first, rows, points, scale, *lists, tuple(found)) for a, b in blocks])
    spread(team, rows, *zip((ids, keys, fresh), found, strict=True))


def _ranked(
    points: np.ndarray,
    scale: np.ndarray,
    keys: np.ndarray,
    ids: np.ndarray,
    n_neighbors: int,
    queries: np.ndarray | None = None,
    team: Team = _ALONE,
) -> Neighbours:
    own, blocks = np.arange(len(ids), dtype=np.int32) if queries is None else queries, _part_of_blocks(team, len(ids))
    in_threads(kernels.rank_again, [(*block, own, points, scale, ids, keys) for block in blocks])
    _share(team, np.arange(len(ids), dtype=np.int32)[_span(blocks)], keys, ids)
    return Neighbours(ids[:, :n_neighbors].copy(), keys[:, :n_neighbors].copy())


def _part_of_blocks(team: Team, n: int) -> list[tuple[int, int]]:
    blocks = row_blocks(n)
    return blocks[part_of(team, [stop - start for start, stop in blocks])]


def _span(blocks: list[tuple[int, int]]) -> slice:
    return slice(blocks[0][0], blocks[-1][1]) if blocks else slice(0)


def _share(team: Team, rows: np.ndarray, *lists: np.ndarray) -> None:
    """Give the others what stands in `lists` at the `rows` that this process worked on, and take theirs."""
    if team.size > 1:
        spread(team, rows, *((array, array[rows]) for array in lists))


def _merge(team: Team, keys: np.ndarray, ids: np.ndarray) -> None:
    """Put into the lists what stands in those of the others, each of which tried other pairs of rows."""
    for rank, (found_keys, found_ids) in enumerate(zip(team.gather(keys), team.gather(ids), strict=True)):
        if rank != team.rank:
            others = found_keys.reshape(keys.shape), found_ids.reshape(ids.shape)
            in_threads(kernels.merge, [(*block, *others, keys, ids) for block in row_blocks(len(ids))])
