from collections.abc import Mapping
from typing import Any

from config.ingress import NODE_PORTS
from config.stack_config import StackConfig
from wiring.facts import Facts, Mount
from wiring.ingress_service import controller_kind, service_annotations


def of_cluster(config: StackConfig, ingress_address: Any, *, active: bool = True) -> Facts[Any]:
    """Return the facts of a cluster that its configuration determines, before any resource exists.

    The locations of shares are not among them, as Manila chooses them.

    Args:
        config: The stack configuration.
        ingress_address: The floating IP, which the stack creates unless it is configured.
        active: Whether the cluster is the one that serves the platform.
    """
    health_monitors = config.ingress.health_monitors
    return Facts(
        ingress_address=ingress_address,
        ingress_annotations=service_annotations(config.ingress.mode, health_monitors=health_monitors, active=active),
        ingress_is_public=active,
        ingress_controller_kind=controller_kind(health_monitors=health_monitors),
        ingress_node_ports=NODE_PORTS if config.ingress.mode == "octavia" else {},
        ingress_proxy_protocol=config.ingress.proxy_protocol,
        nfs_mounts=_nfs_mounts(config),
        s3_endpoint=str(config.object_store.endpoint).rstrip("/"),
        s3_bucket=config.object_store.bucket,
        s3_buckets={service.value: bucket for service, bucket in config.object_store.buckets.items()},
        vault_credentials="",
    )


def _nfs_mounts(config: StackConfig) -> Mapping[str, Mount[Any]]:
    """Return the exports of the NFS server, whose paths are those in the Phalanx repository."""
    if config.nfs is None:
        return {}
    server = str(config.nfs.address)
    return {f"/{name}": Mount(server=server, path=f"/{name}".__add__) for name in config.nfs.volumes}
