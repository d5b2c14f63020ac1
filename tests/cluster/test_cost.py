from __future__ import annotations

import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install 'handful[cluster]'")

MEASURED = [
    # rows, nodes, borders a row held, messages and bytes a step, bytes a row in the search: benchmarks/RESULTS.md
    (20_000, 3, 0.297, 8.48, 2.257e5, 885),
    (100_000, 3, 0.367, 8.53, 1.409e6, 856),
    (400_000, 3, 0.252, 8.64, 3.628e6, 828),
    (1_000_000, 3, 0.273, 8.656, 1.039e7, 828.1),
]


@pytest.mark.parametrize(("rows", "nodes", "borders", "messages", "sent", "searched"), MEASURED)
def test_the_model_gives_what_was_measured(rows, nodes, borders, messages, sent, searched):
    """Bytes are those of the process that sends the most, where the model has the mean."""
    from handful.cluster.cost import estimate

    cost = estimate(rows, nodes, borders=borders)
    assert cost.step_messages == pytest.approx(messages, rel=0.05)
    assert cost.step_sent == pytest.approx(sent, rel=0.2)
    assert cost.search_sent / rows == pytest.approx(searched, rel=0.15)


def test_memory_grows_as_between_two_measured_sizes():
    """A process of three held at most 550 and 1,069 MB in a solve; 1,102 and 5,323 MB, of 10 M rows, in a search."""
    from handful.cluster.cost import estimate

    few, many = estimate(400_000, 3), estimate(1_000_000, 3)
    assert many.propagation_memory - few.propagation_memory == pytest.approx(519 * 2**20, rel=0.1)
    assert estimate(10_000_000, 3).search_memory - many.search_memory == pytest.approx((5323 - 1102) * 2**20, rel=0.1)


def test_memory_of_ten_million_rows_on_one_machine_is_about_that_measured():
    """Three processes of one machine held 4,135 MB each besides the pages of files while they solved by spreading."""
    from handful.cluster.cost import estimate

    assert estimate(10_000_000, 1).propagation_memory == pytest.approx(3 * 4135 * 2**20, rel=0.2)


def test_seconds_are_those_of_the_largest_run_measured():
    """1,857 seconds of a processor for the search of 10 M rows by three nodes, 1,008 ms for a step of a million."""
    from handful.cluster.cost import estimate

    cost = estimate(1_000_000, 3, processors=1, bandwidth=1e15, latency=0)
    largest = estimate(10_000_000, 3, processors=1, bandwidth=1e15, latency=0)
    assert 3 * largest.search_seconds == pytest.approx(1857, rel=0.05)
    assert 3 * cost.step_seconds == pytest.approx(1.008, rel=0.05)


def test_steps_and_bytes_of_the_whole_answer_are_those_measured():
    """6,955 MB for all of `laplace` at a million rows, by the process that sends the most."""
    from handful.cluster.cost import estimate

    cost = estimate(1_000_000, 3, borders=0.273, processors=1, latency=0)
    steps = cost.propagation_seconds / cost.step_seconds
    assert steps * cost.step_sent == pytest.approx(6.955e9, rel=0.2)


def test_one_machine_sends_nothing():
    from handful.cluster.cost import estimate

    cost = estimate(10_000_000, 1)
    assert (cost.search_sent, cost.step_messages, cost.step_sent) == (0, 0, 0)


def test_twice_the_machines_halve_the_work_and_not_what_is_sent():
    from handful.cluster.cost import estimate

    few, many = (estimate(10**8, machines, bandwidth=1e15, latency=0) for machines in (4, 8))
    assert many.step_seconds == pytest.approx(few.step_seconds / 2, rel=0.01)
    assert many.search_sent > few.search_sent
