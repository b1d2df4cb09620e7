"""Names as Magnum's Heat driver and its Heat templates make them.

Sources: `magnum/drivers/heat/driver.py` (`_create_stack`), `k8s_fedora_coreos_v1/templates/kubecluster.yaml` (names of
servers) and Heat's `physical_resource_name` (security groups, which the template leaves unnamed).
"""

import base64
import hashlib
import re
from collections.abc import Collection

SHORT_ID_LENGTH = 12
CLUSTER_NAME_LIMIT = 30
"""Characters of the cluster's name that a stack's name keeps, so that a server's name is a valid host name."""
CLUSTER_NAME_LIMIT_IN_GROUP = 20
GROUP_NAME_LIMIT = 9


def short_id(*seed: str) -> str:
    """Twelve characters of base32, like Heat's and Magnum's short ids, but the same for the same seed.

    A name that follows from ids in Magnum's database needs no place of its own to be remembered.
    """
    digest = hashlib.sha256("/".join(seed).encode()).digest()
    return base64.b32encode(digest).decode().lower()[:SHORT_ID_LENGTH]


def stack_name(cluster_name: str, stack_id: str, group_name: str | None = None) -> str:
    """Name of the Heat stack of a cluster, or of one of its node groups that are not default."""
    if group_name is None:
        name = cluster_name[:CLUSTER_NAME_LIMIT]
    else:
        name = f"{cluster_name[:CLUSTER_NAME_LIMIT_IN_GROUP]}-{group_name[:GROUP_NAME_LIMIT]}"
    name = re.sub(r"[^A-Za-z0-9-]", "", re.sub(r"[_.]", "-", name))
    return f"{name}-{short_id(stack_id)}".lower()


def security_group_name(stack: str, stack_id: str, resource: str) -> str:
    """Name of a security group: `<stack>-secgroup_kube_minion-<12 characters>`."""
    return f"{stack}-{resource}-{short_id(stack_id, resource)}"


def server_prefix(stack: str, role: str) -> str:
    """What the names of a group's servers begin with; the index follows."""
    return f"{stack}-{'master' if role == 'master' else 'node'}-"


def index_of(server_name: str) -> int:
    """The index at the end of a server's name."""
    return int(server_name.rpartition("-")[2])


def next_index(used: Collection[int]) -> int:
    """The index of the next server: an index that was removed from the middle is not used again, as in Heat."""
    return max(used, default=-1) + 1
