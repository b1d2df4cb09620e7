"""A fake OpenStack project with the resources of the sample configuration."""

import json
from types import SimpleNamespace
from typing import Any

import requests
from keystoneauth1.exceptions import EndpointNotFound

IMAGE = "ubuntu-2404-kube-v1.36.3"


def named(*names: str, **attributes: Any) -> list[SimpleNamespace]:
    return [SimpleNamespace(name=name, id=f"id-of-{name}", **{"metadata": {}, **attributes}) for name in names]


def networks(*names: str) -> list[SimpleNamespace]:
    return named(*names, project_id="project-id", is_port_security_enabled=True)


def answer(document: Any, status: int = 404) -> requests.Response:
    """Return an HTTP response with a document, or an error without one."""
    response = requests.Response()
    response.status_code = status if document is None else 200
    response._content = json.dumps(document).encode()  # noqa: SLF001 - the body has no other setter
    return response


class FakeProject:
    """The part of openstacksdk's API that the preflight uses, with the resources of the sample configuration."""

    def __init__(self) -> None:
        self.verify: bool | str = True
        self.token: dict[str, Any] = {"methods": ["password"]}
        self.absent_services: set[str] = set()
        self.images = [
            *named("debian-12", os_distro="debian", properties={}, min_disk=3),
            *named(IMAGE, os_distro="ubuntu", properties={"kube_version": "v1.36.3"}),
            *named("fedora-coreos-38", os_distro="fedora-coreos", properties={}),
        ]
        self.flavors = named("m1.small", "m1.medium", "m1.large", vcpus=2, ram=2048, disk=20)
        self.clusters: dict[str, SimpleNamespace] = {}
        self.templates: dict[str, SimpleNamespace] = {}
        self.node_groups: list[dict[str, Any]] = []
        self.load_balancer_quota: Any = {
            "load_balancers": 5,
            "listeners": 10,
            "pools": 10,
            "health_monitors": -1,
            "members": None,
        }
        self.load_balancers: list[SimpleNamespace] = []
        self.load_balancer_providers = named("amphora", "octavia", "ovn")
        self.keypairs = named("operators")
        self.servers: list[SimpleNamespace] = []
        self.volume_types = named("ceph-ssd", "ceph-hdd")
        self.volumes: list[SimpleNamespace] = []
        self.share_types = named("cephfs-nfs", "cephfs", extra_specs={"driver_handles_share_servers": "False"})
        self.share_networks = named("storage")
        self.shares: list[SimpleNamespace] = []
        self.share_limits = {
            "maxTotalShares": 10,
            "totalSharesUsed": 0,
            "maxTotalShareGigabytes": 1000,
            "totalShareGigabytesUsed": 0,
        }
        self.share_type_quotas: Any = {}
        self.default_share_type: str | None = "cephfs-nfs"
        self.ports: dict[str, SimpleNamespace] = {}
        self.compute_zones = [
            *named("az-1", "az-2", state={"available": True}),
            *named("old", state={"available": False}),
        ]
        self.volume_zones = named("nova", state={"available": True})
        self.external = named("external")
        self.networks = networks("shared")
        self.subnets = named("shared-v4", cidr="10.20.0.0/24")
        self.cores = 64
        self.zones = named(
            "acme.example.org.", "example.com.", project_id="project-id", type="PRIMARY", status="ACTIVE"
        )
        self.dns = SimpleNamespace(zones=lambda: self.zones)
        resources = ("networks", "subnets", "routers", "security_groups", "floating_ips")
        self.networking_quota = {
            **{resource: {"limit": 4, "used": 0} for resource in resources},
            **{resource: {"limit": 100, "used": 0} for resource in ("ports", "security_group_rules")},
        }
        self.volume_quota: Any = {"id": "project-id", "gigabytes_ceph-ssd": {"limit": 500, "in_use": 0, "reserved": 0}}
        self.cluster_quota = 4
        self.roles = ["member", "load-balancer_member"]
        access = SimpleNamespace(_data={"token": self.token}, role_names=self.roles)
        self.session = SimpleNamespace(
            auth=SimpleNamespace(get_access=lambda _: access),
            get_endpoint=self._endpoint,
            session=requests.Session(),
        )
        self.config = SimpleNamespace(
            region_name="RegionOne", get_auth_args=dict, get_requests_verify_args=lambda: (self.verify, None)
        )
        self.current_project_id = "project-id"
        self.current_project = SimpleNamespace(name="rsp")
        limits = SimpleNamespace(
            instances=20,
            instances_used=0,
            total_cores_used=0,
            total_ram=131072,
            total_ram_used=0,
            server_groups=10,
            server_groups_used=0,
            server_group_members=10,
            max_total_volumes=20,
            total_volumes_used=0,
            max_total_volume_gigabytes=2000,
            total_gigabytes_used=0,
            max_total_snapshots=50,
            total_snapshots_used=0,
            max_total_backups=50,
            total_backups_used=0,
            max_total_backup_gigabytes=5000,
            total_backup_gigabytes_used=0,
        )

        def get_limits() -> SimpleNamespace:
            limits.total_cores = self.cores
            return SimpleNamespace(absolute=limits)

        self.compute = SimpleNamespace(
            flavors=lambda: self.flavors,
            keypairs=lambda: self.keypairs,
            availability_zones=lambda: self.compute_zones,
            find_server=lambda name: next((each for each in self.servers if each.name == name), None),
            get_limits=get_limits,
        )
        self.image = SimpleNamespace(images=lambda: self.images, find_image=self._image)
        self.block_storage = SimpleNamespace(
            types=lambda: self.volume_types,
            availability_zones=lambda: self.volume_zones,
            volumes=lambda **_: self.volumes,
            snapshots=list,
            backups=list,
            get_limits=get_limits,
            get=self._get_volume_api,
        )
        self.shared_file_system = SimpleNamespace(
            share_types=lambda: self.share_types,
            share_networks=lambda: self.share_networks,
            shares=lambda **_: self.shares,
            get=self._get_manila,
        )
        self.network = SimpleNamespace(
            ips=lambda **_: [],
            networks=lambda **query: self.external if query else self.networks,
            find_network=lambda name: next((each for each in self.networks if each.name == name), None),
            find_port=self.ports.get,
            subnets=lambda network_id: self.subnets if network_id == "id-of-shared" else [],
            get_quota=lambda _id, **_: self.networking_quota,
        )
        self.load_balancer = SimpleNamespace(
            get_quota=lambda _id: self._octavia_quota(),
            load_balancers=lambda: self.load_balancers,
            providers=lambda: self.load_balancer_providers,
            listeners=list,
            pools=list,
        )
        self.container_infrastructure_management = SimpleNamespace(
            find_cluster=self.clusters.get,
            clusters=self.clusters.values,
            get_cluster_template=lambda uuid: self.templates[uuid],
            get=lambda path, **_: answer(
                {"nodegroups": self.node_groups} if "/nodegroups" in path else {"hard_limit": self.cluster_quota}
            ),
        )

    def _image(self, id_: str) -> SimpleNamespace | None:
        return next((each for each in self.images if each.id == id_), None)

    def _octavia_quota(self) -> Any:
        if isinstance(self.load_balancer_quota, Exception):
            raise self.load_balancer_quota
        return self.load_balancer_quota

    def _get_volume_api(self, path: str, **_: Any) -> requests.Response:
        if path == "/types/default":
            return answer({"volume_type": {"name": "ceph-hdd"}})
        assert path == "/os-quota-sets/project-id?usage=true"
        if isinstance(self.volume_quota, Exception):
            raise self.volume_quota
        return answer({"quota_set": self.volume_quota})

    def _get_manila(self, path: str, **_: Any) -> requests.Response:
        if path == "/limits":
            return answer({"limits": {"rate": [], "absolute": self.share_limits}})
        if path.startswith("/quota-sets/project-id/detail?share_type="):
            if isinstance(self.share_type_quotas, Exception):
                raise self.share_type_quotas
            return answer({"quota_set": self.share_type_quotas.get(path.partition("=")[2], {})})
        assert path == "/types/default"
        default = next((each for each in self.share_types if each.name == self.default_share_type), None)
        if default is None:
            return answer(None)
        return answer({"share_type": {"name": default.name, "extra_specs": default.extra_specs}})

    def authorize(self) -> str:
        return "token"

    def _endpoint(self, *, service_type: str, **_: Any) -> str:
        if service_type in self.absent_services:
            raise EndpointNotFound(service_type)
        return "http://127.0.0.1"
