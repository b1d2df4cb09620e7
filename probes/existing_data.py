"""Whether a stack has something in its project: then it is not new, even if its servers are gone."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from config.names import cloud_name
from config.stack_config import StackConfig
from probes.cinder_backups import STACK_KEY

if TYPE_CHECKING:
    from openstack.connection import Connection


def exists(
    config: StackConfig, stack: str, connection: "Connection", volumes: Iterable[Any], clusters: Iterable[Any]
) -> bool:
    """Return whether a volume of the NFS server, a restored volume, a cluster or a share is the stack's.

    The names of all resources of the stack `roe-test` begin like those of `roe`, and the project may contain both.

    Args:
        config: The stack configuration.
        stack: Name of the stack.
        connection: Connection to the project.
        volumes: The project's volumes, as by openstacksdk.
        clusters: The project's clusters in Magnum, as by openstacksdk.
    """
    nfs = {cloud_name(stack, f"nfs-{name}") for name in config.nfs_volumes}
    shared = {cloud_name(stack, f"share-{name}") for name in config.shares}
    clustered = {cloud_name(stack, name) for name in config.clusters}
    manila: Any = connection.shared_file_system if shared else None
    return (
        any(each.name in clustered for each in clusters)
        or any(each.name in nfs or each.metadata.get(STACK_KEY) == stack for each in volumes)
        or any(each.name in shared for each in (manila.shares(details=False) if manila else ()))
    )


def query(config: StackConfig, stack: str, connection: "Connection") -> bool:
    """Return the same as `exists`, by asking Cinder and Magnum, too."""
    magnum = connection.container_infrastructure_management
    return exists(config, stack, connection, connection.block_storage.volumes(), magnum.clusters())
