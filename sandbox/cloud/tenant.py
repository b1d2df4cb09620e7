"""What an administrator provides for a tenant: flavors, images, volume and share types, external network, quotas."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sandbox.cloud import clients, configuration
from sandbox.cloud.done import once
from sandbox.cloud.passwords import TENANT
from sandbox.tools import VERSIONS

if TYPE_CHECKING:
    from openstack.connection import Connection


@dataclass(frozen=True)
class Flavor:
    """A Nova flavor."""

    name: str
    vcpus: int
    ram: int
    """Memory in MiB."""
    disk: int
    """Disk in GiB."""


FLAVORS: Final = (
    Flavor("m1.small", 1, 2048, 20),
    Flavor("m1.medium", 2, 4096, 40),
    Flavor("m1.large", 4, 8192, 80),
    Flavor("m1.xlarge", 8, 16384, 160),
)

KUBERNETES: Final = f"v{VERSIONS['kube-apiserver']}"

IMAGES: Final[dict[str, dict[str, str]]] = {
    "debian-12": {"os_distro": "debian"},
    "fedora-coreos-42": {"os_distro": "fedora-coreos"},
    f"ubuntu-2404-kube-{KUBERNETES}": {"os_distro": "ubuntu", "kube_version": KUBERNETES},
    # The same release, built again: clusters can be moved to it.
    f"ubuntu-2404-kube-{KUBERNETES}-2": {"os_distro": "ubuntu", "kube_version": KUBERNETES},
}
"""Properties by image: Magnum chooses its driver by os_distro. The images have no content, as nothing boots."""

VOLUME_TYPES: Final = ("ceph-hdd", "ceph-ssd")

SHARE_TYPES: Final = (configuration.DEFAULT_SHARE_TYPE, "cephfs")

EXTERNAL_NETWORK: Final = "external"
EXTERNAL_SUBNET: Final = "203.0.113.0/24"  # reserved for documentation (RFC 5737)
EXTERNAL_GATEWAY: Final = "203.0.113.1"

COMPUTE_QUOTA: Final = {"instances": 20, "cores": 64, "ram": 128 * 1024}
VOLUME_QUOTA: Final = {"volumes": 40, "gigabytes": 2000}
"""With room for the volumes of a few deleted clusters, which Kubernetes keeps."""
SHARE_QUOTA: Final = {"shares": 10, "gigabytes": 1000}
NETWORK_QUOTA: Final = {
    "network": 5,
    "subnet": 10,
    "router": 2,
    "floatingip": 4,
    "security_group": 20,
    "security_group_rule": 200,
    "port": 100,
}
LOAD_BALANCER_QUOTA: Final = {"load_balancer": 5}
CLUSTER_QUOTA: Final = 4


def populate() -> None:
    """Create all objects that do not exist, and set the quotas."""
    everything = (FLAVORS, IMAGES, VOLUME_TYPES, SHARE_TYPES, EXTERNAL_NETWORK, EXTERNAL_SUBNET, EXTERNAL_GATEWAY)
    quotas = (COMPUTE_QUOTA, VOLUME_QUOTA, SHARE_QUOTA, NETWORK_QUOTA, LOAD_BALANCER_QUOTA, CLUSTER_QUOTA)
    once("tenant", (everything, quotas), _populate)


def _populate() -> None:
    with clients.connect("admin") as connection:
        for step in (_flavors, _images, _volume_types, _share_types, _external_network, _quotas):
            step(connection)


def _flavors(connection: "Connection") -> None:
    compute: Any = connection.compute
    existing = {flavor.name for flavor in compute.flavors()}
    for flavor in FLAVORS:
        if flavor.name not in existing:
            compute.create_flavor(name=flavor.name, vcpus=flavor.vcpus, ram=flavor.ram, disk=flavor.disk)


def _images(connection: "Connection") -> None:
    image: Any = connection.image
    existing = set()
    for each in image.images():
        if each.status == "active":
            existing.add(each.name)
        elif each.name in IMAGES:
            image.delete_image(each)  # an interrupted upload
    for name, properties in IMAGES.items():
        if name not in existing:
            image.create_image(
                name,
                data=b"Nothing boots here.\n",
                disk_format="raw",
                container_format="bare",
                visibility="public",
                **properties,
            )


def _volume_types(connection: "Connection") -> None:
    storage: Any = connection.block_storage
    existing = {each.name for each in storage.types()}
    for name in VOLUME_TYPES:
        if name not in existing:
            storage.create_type(name=name)


def _share_types(connection: "Connection") -> None:
    sharing: Any = connection.shared_file_system
    existing = {each.name for each in sharing.share_types()}
    for name in SHARE_TYPES:
        if name not in existing:
            sharing.create_share_type(name=name, extra_specs={"driver_handles_share_servers": "False"})


def _external_network(connection: "Connection") -> None:
    networking: Any = connection.network
    network = networking.find_network(EXTERNAL_NETWORK) or networking.create_network(
        name=EXTERNAL_NETWORK,
        is_router_external=True,
        provider_network_type="flat",
        provider_physical_network=configuration.PHYSICAL_NETWORK,
    )
    if not network.subnet_ids:
        networking.create_subnet(
            name=EXTERNAL_NETWORK,
            network_id=network.id,
            ip_version=4,
            cidr=EXTERNAL_SUBNET,
            gateway_ip=EXTERNAL_GATEWAY,
            enable_dhcp=False,
        )


def _quotas(connection: "Connection") -> None:
    identity: Any = connection.identity
    project = identity.find_project(TENANT, domain_id="default")
    connection.set_compute_quotas(project.id, **COMPUTE_QUOTA)
    connection.set_volume_quotas(project.id, **VOLUME_QUOTA)
    connection.set_network_quotas(project.id, **NETWORK_QUOTA)
    sharing: Any = connection.shared_file_system
    # The path in Manila's first microversions, which openstacksdk does not use, and which clients get by default.
    sharing.put(f"/os-quota-sets/{project.id}", json={"quota_set": SHARE_QUOTA}).raise_for_status()
    load_balancer: Any = connection.load_balancer
    load_balancer.update_quota(project.id, **LOAD_BALANCER_QUOTA)
    _cluster_quota(connection, project.id)


def _cluster_quota(connection: "Connection", project: str) -> None:
    """Set the project's cluster quota by Magnum's API (`/v1/quotas`), as openstacksdk has no call for it."""
    magnum: Any = connection.container_infrastructure_management
    quota = {"project_id": project, "resource": "Cluster", "hard_limit": CLUSTER_QUOTA}
    response = magnum.post("/quotas", json=quota)
    conflict = 409
    if response.status_code == conflict:
        response = magnum.patch(f"/quotas/{project}/Cluster", json=quota)
    response.raise_for_status()
