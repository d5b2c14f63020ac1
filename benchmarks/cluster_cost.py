"""Print what a run on many machines takes, by `handful.cluster.cost`: the table of docs/how-to/many-machines.md.

python benchmarks/cluster_cost.py 100000000:8 1000000000:32 --price 0.5
"""

from __future__ import annotations

import argparse

from handful.cluster.cost import Cost, estimate


def figures(cost: Cost, machines: int, price: float) -> dict[str, str]:
    """Return the figures of a run by their names."""
    return {
        "memory of the head, graph and answer": f"{cost.head_memory / 1e9:,.0f} GB",
        "memory of each machine, search": f"{cost.search_memory / 1e9:,.0f} GB",
        "sent by each machine, search": f"{cost.search_sent / 1e9:,.0f} GB",
        "hours, search": f"{cost.search_seconds / 3600:.2f}",
        "memory of each machine, propagation": f"{cost.propagation_memory / 1e9:,.0f} GB",
        "messages a step, each": f"{cost.step_messages:,.0f}",
        "sent a step, each": f"{cost.step_sent / 1e6:,.0f} MB",
        "seconds a step": f"{cost.step_seconds:.2f}",
        "hours, propagation": f"{cost.propagation_seconds / 3600:.2f}",
        "price of both": f"{price * machines * cost.hours:,.2f}",
    }


def main() -> None:
    """Print a table, a run a column."""
    reading = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reading.add_argument("runs", nargs="+", help="rows:machines")
    reading.add_argument("--width", type=int, default=64)
    reading.add_argument("--classes", type=int, default=10)
    reading.add_argument("--processors", type=int, default=8, help="of a machine")
    reading.add_argument("--price", type=float, required=True, help="of a machine an hour")
    asked = reading.parse_args()
    columns = []
    for run in asked.runs:
        rows, machines = map(int, run.split(":"))
        cost = estimate(rows, machines, width=asked.width, classes=asked.classes, processors=asked.processors)
        columns.append({"rows": f"{rows:,}", "machines": str(machines), **figures(cost, machines, asked.price)})
    for number, name in enumerate(columns[0]):
        print(f"| {name} | " + " | ".join(column[name] for column in columns) + " |")
        if number == 0:
            print("|---" * (len(columns) + 1) + "|")


if __name__ == "__main__":
    main()
