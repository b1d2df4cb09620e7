"""Resource names by the rules of Magnum's Heat driver and its Heat templates.

Sources: `magnum/drivers/heat/driver.py` (`_create_stack`), `k8s_fedora_coreos_v1/templates/kubecluster.yaml` (names of
servers) and Heat's `physical_resource_name` (security groups, which the template does not name).
"""

import base64
import hashlib
import re
from collections.abc import Collection

SHORT_ID_LENGTH = 12
CLUSTER_NAME_LIMIT = 30
"""Number of characters of the cluster's name in a stack's name, so that servers' names are valid host names."""
CLUSTER_NAME_LIMIT_IN_GROUP = 20
GROUP_NAME_LIMIT = 9


def short_id(*seed: str) -> str:
    """Return twelve base32 characters, like short ids of Heat and Magnum, but derived from the seed.

    As the seed consists of ids in Magnum's database, names need not be stored.
    """
    digest = hashlib.sha256("/".join(seed).encode()).digest()
    return base64.b32encode(digest).decode().lower()[:SHORT_ID_LENGTH]


def stack_name(cluster_name: str, stack_id: str, group_name: str | None = None) -> str:
    """Return the name of the Heat stack of a cluster, or of a node group that is not a default one."""
    if group_name is None:
        name = cluster_name[:CLUSTER_NAME_LIMIT]
    else:
        name = f"{cluster_name[:CLUSTER_NAME_LIMIT_IN_GROUP]}-{group_name[:GROUP_NAME_LIMIT]}"
    name = re.sub(r"[^A-Za-z0-9-]", "", re.sub(r"[_.]", "-", name))
    return f"{name}-{short_id(stack_id)}".lower()


def security_group_name(stack: str, stack_id: str, resource: str) -> str:
    """Return the name of a security group: `<stack>-secgroup_kube_minion-<12 characters>`."""
    return f"{stack}-{resource}-{short_id(stack_id, resource)}"


def server_prefix(stack: str, role: str) -> str:
    """Return the prefix of a node group's server names, which is followed by the index."""
    return f"{stack}-{'master' if role == 'master' else 'node'}-"


def index_of(server_name: str) -> int:
    """Return the index at the end of a server's name."""
    return int(server_name.rpartition("-")[2])


def next_index(used: Collection[int]) -> int:
    """Return the index of the next server; as with Heat, an index that became free is not used again."""
    return max(used, default=-1) + 1
