"""The same path on a Ray cluster: each machine holds some of the rows."""

from handful.cluster.machines import Machines, cluster

__all__ = ["Machines", "cluster"]
