"""Resources in OpenStack that a deleted cluster left behind, by the names that its controllers give them.

Sources of the names: ``loadbalancer.go`` and ``loadbalancer_sg.go`` of cloud-provider-openstack (Services), its
``pkg/csi/cinder/controllerserver.go`` (volumes of claims), ``securitygroups.go``, ``loadbalancer.go`` and
``pkg/utils/names`` of cluster-api-provider-openstack, ``driver_utils.py`` of magnum-capi-helm (namespace), and
``kubecluster.yaml`` of Magnum with Heat's names of resources without a name.

The cloud controller knows a cluster by its ID in Magnum with Heat, and by its name in Cluster API otherwise. With Heat,
the volumes of claims do not name their cluster (``enable-cinder-csi.sh``), so none of them is found.
"""

import functools
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from openstack.connection import Connection

UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""ID of a cluster in Magnum."""
SHORT_ID: Final = "[a-z0-9]{12}"
"""Random part of a cluster's name in Cluster API and of a stack's in Heat (``magnum/common/short_id.py``)."""
_NAME_LIMIT: Final = 30
"""Number of characters of a cluster's name in Magnum that are part of these names."""
CLUSTER_KEY: Final = "cinder.csi.openstack.org/cluster"
CLAIM_KEYS: Final = ("csi.storage.k8s.io/pvc/namespace", "csi.storage.k8s.io/pvc/name")
"""Metadata of a volume of Cinder CSI."""
_FREE_VOLUME: Final = ("available", "error")
"""Statuses of a volume that no server uses."""


def names_in_cluster_api(name: str) -> str:
    """Return a regular expression of the names of clusters in Cluster API, and of their stacks in Heat.

    Args:
        name: Name in Magnum.
    """
    return rf"{re.escape(_slug(name)[:_NAME_LIMIT])}-{SHORT_ID}"


class Kind(StrEnum):
    """A kind of resource, in the order of their deletion."""

    LOAD_BALANCER = "load balancer"
    FLOATING_IP = "floating IP"
    PORT = "port"
    SECURITY_GROUP = "security group"
    VOLUME = "volume"


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """A resource that a deleted cluster left behind."""

    kind: Kind
    id: str
    """ID in OpenStack."""
    name: str
    """Name, or the address of a floating IP."""
    cluster: str
    """The cluster, as the resource names it."""
    about: str
    """What it was for."""


@dataclass(frozen=True, kw_only=True)
class DeletedClusters:
    """The clusters whose leftovers are searched for."""

    prefix: str
    """Beginning of the names in Magnum that the stack gives to its clusters; letters and digits follow."""
    given: frozenset[str]
    """Further deleted clusters, as their resources name them."""
    living: frozenset[str]
    """IDs in Magnum, and names in Cluster API, of the clusters that exist."""
    living_names: frozenset[str]
    """Names in Magnum of the stack's clusters that exist."""

    @functools.cached_property
    def base(self) -> str:
        """Regular expression of the clusters' names in Cluster API, and of their stacks' in Heat."""
        prefix = f"{_slug(self.prefix)}-"[:_NAME_LIMIT]
        rest = _NAME_LIMIT - len(prefix)
        return rf"{re.escape(prefix)}{f'[a-z][a-z0-9]{{0,{rest - 1}}}' if rest else ''}-{SHORT_ID}"

    def include(self, cluster: str, *, in_network: bool = False) -> bool:
        """Return whether a cluster is one of them.

        Args:
            cluster: The cluster, as a resource names it.
            in_network: Whether the resource is in the network of the stack's clusters, which identifies the stack of an
                ID.
        """
        if cluster in self.living:
            return False
        ours = cluster in self.given or re.fullmatch(self.base, cluster) is not None
        return ours or (in_network and UUID.fullmatch(cluster) is not None)

    def may_exist(self, stack: str) -> bool:
        """Return whether a stack of Heat has the name of a cluster that exists, so that it may be the cluster's."""
        return any(re.fullmatch(names_in_cluster_api(name), stack) for name in self.living_names)


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


class Search:
    """A search for the resources that clusters left behind.

    Args:
        connection: Connection to the clusters' project.
        clusters: The clusters.
        network: Name of the network that only this stack's clusters use; None if there is none.
        owned: IDs of the resources in the stack's state.
        volumes_in_use: Returns the IDs of volumes that a living cluster knows. Only called if there are volumes.
    """

    def __init__(
        self,
        connection: "Connection",
        clusters: DeletedClusters,
        network: str | None,
        owned: Collection[str],
        volumes_in_use: Callable[[], Collection[str]],
    ) -> None:
        self._connection, self._clusters, self._owned = connection, clusters, owned
        self._volumes_in_use = volumes_in_use
        found = connection.network.find_network(network) if network else None
        self._network_id = found.id if found else None
        self._project = connection.current_project_id
        # Names of a cluster in Cluster API begin with its namespace, which contains the project's ID.
        self._namespaced = re.compile(rf"[a-z0-9-]+-{self._project}-(?P<cluster>[a-z0-9-]+)")

    def run(self) -> list[Leftover]:
        """Return all resources that were left behind, in the order of their deletion.

        Raises:
            openstack.exceptions.SDKException: A service cannot be reached, or refuses the request.
        """
        self._balancers = list(self._load_balancers())
        self._ports = list(self._connection.network.ports(project_id=self._project))
        left_ports = list(self._unused_ports())
        found = [*(each for _, each in self._balancers), *self._floating_ips(), *left_ports]
        found += [*self._security_groups({each.id for each in left_ports}), *self._volumes()]
        return [each for each in found if each.id not in self._owned]

    def _load_balancers(self) -> Iterator[tuple[str, Leftover]]:
        """Yield the ID of the port and the load balancer."""
        heat = re.compile(rf"(?P<cluster>{self._clusters.base})-(api|etcd)_lb-.+")
        api: Any = self._connection.load_balancer
        for each in api.load_balancers(project_id=self._project):
            in_network = self._network_id is not None and each.vip_network_id == self._network_id
            # Several Services, also of other clusters, may share a load balancer: then each is a tag.
            services = [name for name in (each.name, *(each.tags or ())) if name.startswith("kube_service_")]
            users = [name.split("_")[2] for name in services]
            if each.name in services:
                about = f"Service {'/'.join(each.name.split('_')[3:])}"
            elif found := re.fullmatch("k8s-clusterapi-cluster-(.+)-kubeapi", each.name):
                users, about = [self._of_cluster_api(found[1])], "Kubernetes API"
            elif (found := heat.fullmatch(each.name)) and not self._clusters.may_exist(found["cluster"]):
                users, about = [found["cluster"]], f"Kubernetes {found[2]}"
            else:
                continue
            if all(self._clusters.include(user, in_network=in_network) for user in users):
                kind = Kind.LOAD_BALANCER
                yield each.vip_port_id, Leftover(kind=kind, id=each.id, name=each.name, cluster=users[0], about=about)

    def _floating_ips(self) -> Iterator[Leftover]:
        """Yield floating IPs that are not in use, or only by a load balancer that was left behind."""
        of_service = re.compile(r"Floating IP for Kubernetes external service (?P<about>\S+) from cluster (?P<by>\S+)")
        ports = {port for port, _ in self._balancers}
        for each in self._connection.network.ips(project_id=self._project):
            if each.port_id and each.port_id not in ports:
                continue
            service = of_service.fullmatch(each.description or "")
            cluster = service["by"] if service else self._described(each.description)
            if self._clusters.include(cluster, in_network=each.port_id in ports):
                about = f"Service {service['about']}" if service else "Kubernetes API"
                address = each.floating_ip_address
                yield Leftover(kind=Kind.FLOATING_IP, id=each.id, name=address, cluster=cluster, about=about)

    def _unused_ports(self) -> Iterator[Leftover]:
        """Yield ports of nodes that no server uses."""
        for each in self._ports:
            cluster = self._described(each.description)
            if not each.device_id and self._clusters.include(cluster):
                yield Leftover(kind=Kind.PORT, id=each.id, name=each.name, cluster=cluster, about="node")

    def _security_groups(self, left_ports: Collection[str]) -> Iterator[Leftover]:
        """Yield security groups that no other port uses."""
        in_use = {group for port in self._ports if port.id not in left_ports for group in port.security_group_ids or ()}
        of_nodes = re.compile("k8s-cluster-(?P<name>.+)-secgroup-(controlplane|worker|bastion)")
        of_heat = re.compile(rf"(?P<cluster>{self._clusters.base})-secgroup_kube_(master|minion)-{SHORT_ID}")
        of_service = re.compile(r"Security Group for (?P<about>\S+) Service LoadBalancer in cluster (?P<cluster>\S+)")
        for each in self._connection.network.security_groups(project_id=self._project):
            cluster, about = "", "nodes"
            if found := of_nodes.fullmatch(each.name):
                cluster = self._of_cluster_api(found["name"])
            elif (found := of_heat.fullmatch(each.name)) and not self._clusters.may_exist(found["cluster"]):
                cluster = found["cluster"]
            elif found := of_service.fullmatch(each.description or ""):
                cluster, about = found["cluster"], f"Service {found['about']}"
            if each.id not in in_use and self._clusters.include(cluster):
                yield Leftover(kind=Kind.SECURITY_GROUP, id=each.id, name=each.name, cluster=cluster, about=about)

    def _volumes(self) -> Iterator[Leftover]:
        """Yield volumes of claims that no server and no living cluster uses."""
        candidates = [
            each
            for each in self._connection.block_storage.volumes()
            if each.status in _FREE_VOLUME
            and (each.name or "").startswith("pvc-")
            and self._clusters.include(each.metadata.get(CLUSTER_KEY, ""))
        ]
        in_use = self._volumes_in_use() if candidates else ()
        for each in candidates:
            if each.id not in in_use:
                claim = "/".join(filter(None, map(each.metadata.get, CLAIM_KEYS)))
                about = f"{each.size} GiB" + (f", claim {claim}" if claim else "")
                cluster = each.metadata[CLUSTER_KEY]
                yield Leftover(kind=Kind.VOLUME, id=each.id, name=each.name, cluster=cluster, about=about)

    def _described(self, description: str | None) -> str:
        """Return the cluster in a description by cluster-api-provider-openstack; empty if it is another one."""
        _, mark, name = (description or "").partition("Created by cluster-api-provider-openstack cluster ")
        return self._of_cluster_api(name) if mark else ""

    def _of_cluster_api(self, name: str) -> str:
        """Return the name of a cluster without its namespace; empty if that is not of this project."""
        found = self._namespaced.fullmatch(name)
        return found["cluster"] if found else ""


def deleted_clusters(connection: "Connection", prefix: str, given: Collection[str] = ()) -> DeletedClusters:
    """Return a stack's deleted clusters, by those that exist in Magnum.

    Args:
        connection: Connection to the clusters' project.
        prefix: Beginning of the names in Magnum that the stack gives to its clusters.
        given: Further deleted clusters, as their resources name them.
    """
    existing = list(connection.container_infrastructure_management.clusters())
    living = {name for each in existing for name in (each.uuid, each.stack_id) if name}
    ours = rf"{re.escape(prefix)}[a-z][a-z0-9]*"
    return DeletedClusters(
        prefix=prefix,
        given=frozenset(given),
        living=frozenset(living),
        living_names=frozenset(each.name for each in existing if re.fullmatch(ours, each.name)),
    )
