"""A fake OpenStack project with the resources of the sample configuration."""

from types import SimpleNamespace
from typing import Any

from keystoneauth1.exceptions import EndpointNotFound

IMAGE = "ubuntu-2404-kube-v1.36.3"


def named(*names: str, **attributes: Any) -> list[SimpleNamespace]:
    return [SimpleNamespace(name=name, id=f"id-of-{name}", **attributes) for name in names]


class FakeProject:
    """The part of openstacksdk's API that the preflight uses, with the resources of the sample configuration."""

    def __init__(self) -> None:
        self.token: dict[str, Any] = {"methods": ["password"]}
        self.absent_services: set[str] = set()
        self.images = [
            *named("debian-12", os_distro="debian", properties={}),
            *named(IMAGE, os_distro="ubuntu", properties={"kube_version": "v1.36.3"}),
            *named("fedora-coreos-38", os_distro="fedora-coreos", properties={}),
        ]
        self.flavors = named("m1.small", "m1.medium", "m1.large", vcpus=2, ram=2048)
        self.clusters: dict[str, SimpleNamespace] = {}
        self.templates: dict[str, SimpleNamespace] = {}
        self.load_balancer_quota: Any = SimpleNamespace(load_balancers=5)
        self.load_balancers: list[SimpleNamespace] = []
        self.keypairs = named("operators")
        self.servers: list[SimpleNamespace] = []
        self.volume_types = named("ceph-ssd", "ceph-hdd")
        self.volumes: list[SimpleNamespace] = []
        self.external = named("external")
        self.networks = named("shared")
        self.subnets = named("shared-v4", cidr="10.20.0.0/24")
        self.cores = 64
        self.zones = named("acme.example.org.", "example.com.")
        self.dns = SimpleNamespace(zones=lambda: self.zones)
        resources = ("networks", "subnets", "routers", "security_groups", "floating_ips")
        self.networking_quota = {resource: {"limit": 4, "used": 0} for resource in resources}
        access = SimpleNamespace(_data={"token": self.token})
        self.session = SimpleNamespace(
            auth=SimpleNamespace(get_access=lambda _: access),
            get_endpoint=self._endpoint,
        )
        self.config = SimpleNamespace(region_name="RegionOne", get_auth_args=dict)
        self.current_project_id = "project-id"
        self.current_project = SimpleNamespace(name="rsp")
        limits = SimpleNamespace(
            instances=20,
            instances_used=0,
            total_cores_used=0,
            total_ram=131072,
            total_ram_used=0,
            max_total_volumes=20,
            total_volumes_used=0,
            max_total_volume_gigabytes=2000,
            total_gigabytes_used=0,
        )

        def get_limits() -> SimpleNamespace:
            limits.total_cores = self.cores
            return SimpleNamespace(absolute=limits)

        self.compute = SimpleNamespace(
            flavors=lambda: self.flavors,
            keypairs=lambda: self.keypairs,
            find_server=lambda name: next((each for each in self.servers if each.name == name), None),
            get_limits=get_limits,
        )
        self.image = SimpleNamespace(images=lambda: self.images)
        self.block_storage = SimpleNamespace(
            types=lambda: self.volume_types,
            availability_zones=lambda: named("nova"),
            volumes=lambda **_: self.volumes,
            get_limits=get_limits,
        )
        self.network = SimpleNamespace(
            networks=lambda **query: self.external if query else self.networks,
            find_network=lambda name: next((each for each in self.networks if each.name == name), None),
            subnets=lambda network_id: self.subnets if network_id == "id-of-shared" else [],
            get_quota=lambda _id, **_: self.networking_quota,
        )
        self.load_balancer = SimpleNamespace(
            get_quota=lambda _id: self._octavia_quota(),
            load_balancers=lambda: self.load_balancers,
        )
        self.container_infrastructure_management = SimpleNamespace(
            find_cluster=self.clusters.get, get_cluster_template=lambda uuid: self.templates[uuid]
        )

    def _octavia_quota(self) -> Any:
        if isinstance(self.load_balancer_quota, Exception):
            raise self.load_balancer_quota
        return self.load_balancer_quota

    def authorize(self) -> str:
        return "token"

    def _endpoint(self, *, service_type: str, **_: Any) -> str:
        if service_type in self.absent_services:
            raise EndpointNotFound(service_type)
        return "http://127.0.0.1"
