"""Whether a stack has data in its project: then it is not new, even if its servers and clusters are gone."""

from collections.abc import Iterable
from typing import Any

from config.names import cloud_name
from config.stack_config import StackConfig
from probes.cinder_backups import STACK_KEY


def exists(config: StackConfig, stack: str, volumes: Iterable[Any], shares: Iterable[Any] = ()) -> bool:
    """Return whether a volume of the NFS server, a share, or a restored volume is the stack's.

    The names of all resources of the stack `roe-test` begin like those of `roe`, and the project may contain both.

    Args:
        config: The stack configuration.
        stack: Name of the stack.
        volumes: The project's volumes, as by openstacksdk.
        shares: The project's shares, as by openstacksdk.
    """
    nfs = {cloud_name(stack, f"nfs-{name}") for name in config.nfs_volumes}
    shared = {cloud_name(stack, f"share-{name}") for name in config.shares}
    return any(each.name in nfs or each.metadata.get(STACK_KEY) == stack for each in volumes) or any(
        each.name in shared for each in shares
    )
