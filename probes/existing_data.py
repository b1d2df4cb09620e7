"""Whether a stack has something in its project: then it is not new, even if its servers are gone."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from config.names import cloud_name
from config.stack_config import StackConfig
from probes.cinder_backups import STACK_KEY

if TYPE_CHECKING:
    from openstack.connection import Connection


def exists(
    config: StackConfig, stack: str, volumes: Iterable[Any], shares: Iterable[Any], clusters: Iterable[Any]
) -> bool:
    """Return whether a volume of the NFS server, a share, a restored volume or a cluster is the stack's.

    The names of all resources of the stack `roe-test` begin like those of `roe`, and the project may contain both.

    Args:
        config: The stack configuration.
        stack: Name of the stack.
        volumes: The project's volumes, as by openstacksdk.
        shares: The project's shares, as by openstacksdk.
        clusters: The project's clusters in Magnum, as by openstacksdk.
    """
    nfs = {cloud_name(stack, f"nfs-{name}") for name in config.nfs_volumes}
    shared = {cloud_name(stack, f"share-{name}") for name in config.shares}
    clustered = {cloud_name(stack, name) for name in config.clusters}
    return (
        any(each.name in clustered for each in clusters)
        or any(each.name in nfs or each.metadata.get(STACK_KEY) == stack for each in volumes)
        or any(each.name in shared for each in shares)
    )


def query(config: StackConfig, stack: str, connection: "Connection") -> bool:
    """Return the same as `exists`, by asking the services; arguments as there, and the connection."""
    manila: Any = connection.shared_file_system if config.shares else None
    return exists(
        config,
        stack,
        connection.block_storage.volumes(),
        manila.shares(details=False) if manila else (),
        connection.container_infrastructure_management.clusters(),
    )
