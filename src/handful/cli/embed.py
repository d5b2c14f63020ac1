from __future__ import annotations

from handful.cli.console import Cluster, machines_at, put, watch


def embed(run: str, cluster: Cluster = None) -> None:
    """Embed every item of RUN with its encoder, only what is new; writes embeddings.npy and ids.parquet."""
    from handful.run.folder import locked, open_run
    from handful.run.path import read_again
    from handful.run.steps import check_same_data, embed_step

    opened = open_run(run)
    data = read_again(opened)
    with locked(opened), machines_at(cluster, run) as machines:
        check_same_data(opened, data)
        embed_step(opened, data, opened.encoder, watch=watch(), machines=machines)
        opened.write_data(data)
    put(opened.address("embeddings.npy"))
