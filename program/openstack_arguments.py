"""Create the arguments of the components in OpenStack from a stack's configuration."""

from collections.abc import Mapping

from components.cluster_labels import Autoscaling, ClusterFeatures, node_group_labels
from components.ingress_address import IngressAddress, IngressAddressArgs
from components.load_balancer import LoadBalancerArgs
from components.magnum_cluster import MagnumClusterArgs, NodeGroup
from components.network import ExistingSubnet, Network, NetworkArgs, NewSubnet
from components.nfs_cloud_init import ExportOptions
from components.nfs_server import DataVolume, NfsServerArgs
from components.object_store import ObjectStoreArgs, S3Keys
from components.platform_records import PlatformRecordsArgs
from components.shared_filesystem import SharedFilesystemArgs
from components.stateless_vm import BootVolume
from config import cluster as cluster_config
from config import heat_releases
from config.dns import DesignateDns
from config.network import NetworkSettings
from config.nfs import ServerBootVolume
from config.node_groups import AdditionalNodeGroup, NodeGroupSettings
from config.object_store import ExistingStore
from config.stack_config import StackConfig
from program import cluster_nodes
from program.cluster_contents import DeployedCluster
from wiring import dns_records


def network(settings: NetworkSettings) -> NetworkArgs:
    """Return the arguments of the private network."""
    layout: NewSubnet | ExistingSubnet = NewSubnet(
        gateway=settings.gateway,
        allocation_pool=settings.allocation_pool,
        dns_nameservers=settings.dns_nameservers,
        mtu=settings.mtu,
        host_routes=settings.host_routes,
    )
    if settings.adopt:
        layout = ExistingSubnet(network=settings.adopt.network, subnet=settings.adopt.subnet)
    return NetworkArgs(external_network=settings.external_network, cidr=settings.cidr, layout=layout)


def nfs_server(config: StackConfig, net: Network) -> NfsServerArgs | None:
    """Return the arguments of the NFS server, or None if there is none."""
    if (settings := config.nfs) is None:
        return None
    return NfsServerArgs(
        network_id=net.network_id,
        subnet_id=net.subnet_id,
        address=settings.address,
        image=settings.image,
        flavor=settings.flavor,
        boot_volume=boot_volume(settings.boot_volume),
        keypair=config.cloud.keypair,
        availability_zone=settings.availability_zone,
        clients=config.network.cidr,
        volumes={
            export: DataVolume(
                size=volume.size,
                type=volume.type,
                availability_zone=volume.availability_zone,
                options=ExportOptions(
                    root_squash=volume.root_squash,
                    read_only=volume.read_only,
                    owner=volume.owner,
                    mode=volume.mode,
                    directories=volume.directories,
                ),
            )
            for export, volume in settings.volumes.items()
        },
        protect=config.protect,
    )


def boot_volume(settings: ServerBootVolume | None) -> BootVolume | None:
    """Return the arguments of a server's root disk, or None if it is the flavor's."""
    return BootVolume(size=settings.size, type=settings.type) if settings else None


def shares(config: StackConfig) -> dict[str, SharedFilesystemArgs]:
    """Return the arguments of the shares by name."""
    return {
        name: SharedFilesystemArgs(
            size=share.size,
            protocol=share.protocol,
            type=share.type,
            network=share.network,
            read_only=share.read_only,
            clients=share.allowed(config.network.cidr) if share.protocol == "NFS" else (),
            protect=config.protect,
        )
        for name, share in config.shares.items()
    }


def object_store(config: StackConfig) -> ObjectStoreArgs:
    """Return the arguments of the buckets."""
    settings = config.object_store
    keys = None
    if isinstance(settings, ExistingStore):
        keys = S3Keys(
            access_key=settings.access_key.get_secret_value(),
            secret_key=settings.secret_key.get_secret_value(),
        )
    return ObjectStoreArgs(
        endpoint=str(settings.endpoint).rstrip("/"),
        bucket=settings.bucket,
        buckets={service.value: bucket for service, bucket in settings.buckets.items()},
        keys=keys,
        protect=config.protect,
    )


def platform_records(config: StackConfig, host: str, ingress: IngressAddress) -> PlatformRecordsArgs | None:
    """Return the arguments of the platform's DNS records, or None if they are not in Designate.

    Args:
        config: The stack configuration.
        host: Host name of the platform.
        ingress: The address of the platform.
    """
    settings = config.dns
    if not isinstance(settings, DesignateDns):
        return None
    return PlatformRecordsArgs(
        zone=settings.zone,
        host=host,
        address=ingress.address,
        alias=dns_records.challenge_alias(host, config),
        ttl=settings.ttl,
    )


def ingress_address(config: StackConfig) -> IngressAddressArgs:
    """Return the arguments of the platform's floating IP."""
    return IngressAddressArgs(
        external_network=config.network.external_network,
        existing=config.ingress.floating_ip,
        mode=config.ingress.mode,
        protect=config.protect,
    )


def load_balancer(
    config: StackConfig, net: Network, ingress: IngressAddress, active: DeployedCluster
) -> LoadBalancerArgs:
    """Return the arguments of the load balancer in front of ingress-nginx in the active cluster."""
    settings = config.ingress
    return LoadBalancerArgs(
        subnet_id=net.subnet_id,
        nodes=cluster_nodes.addresses(active.cluster, config.cluster.node_count),
        address=ingress.assigned_address,
        forward_after=[active.ingress_nginx],
        provider=settings.load_balancer_provider,
        algorithm=settings.algorithm,
        proxy_protocol=settings.proxy_protocol,
        health_monitors=settings.health_monitors,
        allowed_cidrs=settings.allowed_cidrs,
    )


def cluster(config: StackConfig, name: str, net: Network) -> MagnumClusterArgs:
    """Return the arguments of a Kubernetes cluster.

    Args:
        config: The stack configuration.
        name: Name of the cluster in the configuration.
        net: The network of the nodes.
    """
    settings = config.clusters[name]
    features = cluster_features(config, settings)
    return MagnumClusterArgs(
        network_id=net.network_id,
        subnet_id=net.subnet_id,
        external_network_id=net.external_network_id,
        image=settings.image,
        features=features,
        master_flavor=settings.masters.flavor,
        master_count=settings.masters.count,
        workers=_nodes(settings.workers, labels={}),
        node_groups={name: _additional_nodes(features, group) for name, group in settings.node_groups.items()},
        api_load_balancer=settings.api_load_balancer,
        keypair=config.cloud.keypair,
        dns_nameserver=",".join(map(str, config.network.dns_nameservers)) or None,
        # A cluster that does not serve the platform is there to be tried, and removed.
        protect=config.protect and name == config.active,
    )


def cluster_features(config: StackConfig, settings: cluster_config.Cluster) -> ClusterFeatures:
    """Return the features of a cluster that become labels of its template."""
    ingress = config.ingress
    return ClusterFeatures(
        driver=settings.driver,
        kubernetes_version=settings.kubernetes_version,
        network_driver=settings.network_driver,
        pods=settings.pods,
        services=settings.services,
        load_balancer_provider=ingress.load_balancer_provider,
        load_balancer_algorithm=ingress.algorithm,
        public_api=settings.public_api,
        api_allowed_cidrs=settings.api_allowed_cidrs,
        release_labels=heat_releases.labels(settings.kubernetes_version) if settings.driver == "heat" else {},
        autohealing=settings.autohealing,
        autoscaling=_autoscaler_bounds(settings),
        availability_zone=settings.availability_zone,
        boot_volume_size=settings.boot_volume.size if settings.boot_volume else None,
        boot_volume_type=settings.boot_volume.type if settings.boot_volume else None,
        extra=settings.labels,
    )


def _autoscaler_bounds(settings: cluster_config.Cluster) -> Autoscaling | None:
    """Return the bounds of the default workers, which are fixed if only other groups are autoscaled."""
    workers = settings.workers
    if not any(group.autoscaling for group in (workers, *settings.node_groups.values())):
        return None
    return _bounds(workers) or Autoscaling(minimum=workers.count, maximum=workers.count)


def _nodes(group: NodeGroupSettings, labels: Mapping[str, str]) -> NodeGroup:
    return NodeGroup(flavor=group.flavor, count=group.count, autoscaling=_bounds(group), labels=labels)


def _additional_nodes(features: ClusterFeatures, group: AdditionalNodeGroup) -> NodeGroup:
    return _nodes(group, node_group_labels(features, group.labels, group.taints, group.availability_zone))


def _bounds(group: NodeGroupSettings) -> Autoscaling | None:
    bounds = group.autoscaling
    return Autoscaling(minimum=bounds.minimum, maximum=bounds.maximum) if bounds else None
