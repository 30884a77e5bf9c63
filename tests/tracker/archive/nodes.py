"""A Ray cluster in a process of its own, since Ray reads how to authenticate when it is imported.

It is told by lines: ``add``, ``remove`` the last node at once, and ends with its input.
"""

from __future__ import annotations

import sys
from typing import Any

SMALL = {"num_cpus": 1, "object_store_memory": 80_000_000}


def main() -> None:
    from ray.cluster_utils import Cluster

    nodes: list[Any] = []
    cluster = Cluster(initialize_head=True, head_node_args={**SMALL, "include_dashboard": False})
    print("address", cluster.address, flush=True)
    for line in sys.stdin:
        if line.strip() == "add":
            nodes.append(cluster.add_node(**SMALL))
        else:
            cluster.remove_node(nodes.pop(), allow_graceful=False)
        print("done", flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()
