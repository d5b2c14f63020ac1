from __future__ import annotations

from handful.cli.console import (
    Abstain,
    Cluster,
    Json,
    LabelColumn,
    Labels,
    Neighbors,
    Priors,
    Rule,
    Seed,
    machines_at,
    parse_priors,
    put,
    say,
    watch,
)


def propagate(
    run: str,
    labels: Labels = None,
    rule: Rule = "auto",
    priors: Priors = None,
    n_neighbors: Neighbors = 10,
    abstain_below: Abstain = None,
    label_column: LabelColumn = None,
    seed: Seed = 0,
    cluster: Cluster = None,
    json: Json = False,
) -> None:
    """Spread the labels over the graph of RUN and calibrate; writes graph.npz, labels.parquet and labels.csv."""
    from handful.run.decisions import with_decisions
    from handful.run.duplicates import duplicates_step
    from handful.run.folder import locked, open_run
    from handful.run.path import check_can_label, read_again
    from handful.run.steps import graph_step, propagate_step

    opened = open_run(run)
    data = read_again(opened, labels or opened.record.get("labels"), label_column=label_column)
    data, _ = with_decisions(opened, data)
    check_can_label(data, n_neighbors)
    told = watch()
    with locked(opened), machines_at(cluster, run) as machines:
        duplicates_step(opened, data)
        graph = graph_step(opened, opened.embeddings, n_neighbors=n_neighbors, seed=seed, watch=told, machines=machines)
        propagate_step(
            opened,
            data,
            graph,
            rule=rule,
            priors=parse_priors(priors),
            seed=seed,
            abstain_below=abstain_below,
            watch=told,
            machines=machines,
        )
    summary = opened.summary()
    say(summary.in_words())
    put(summary.as_dict() if json else opened.address("labels.csv"))
