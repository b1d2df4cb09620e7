"""A fake OpenStack project with what clusters leave behind, and what is in use."""

from types import SimpleNamespace
from typing import Any

PROJECT = "0f3a"
NAME = "rsp-test-cluster"
DEAD = f"{NAME}-deaddeaddead"
LIVING = f"{NAME}-livinglivin2"
DEAD_ID = "dead0000-0000-4000-8000-000000000000"
LIVING_ID = "11110000-0000-4000-8000-000000000000"
NETWORK = "id-of-network"


def capi(cluster: str) -> str:
    """Return a description by cluster-api-provider-openstack."""
    return f"Created by cluster-api-provider-openstack cluster magnum-{PROJECT}-{cluster}"


def balancer(name: str, *tags: str, network: str = NETWORK) -> Any:
    return SimpleNamespace(
        id=f"lb-{name}",
        name=name,
        tags=list(tags),
        vip_network_id=network,
        vip_port_id=f"vip-{name}",
        provisioning_status="ACTIVE",
    )


def address(ip: str, description: str, port: str | None = None) -> Any:
    return SimpleNamespace(id=f"fip-{ip}", floating_ip_address=ip, description=description, port_id=port)


def port(name: str, description: str = "", device: str = "", groups: tuple[str, ...] = ()) -> Any:
    return SimpleNamespace(
        id=f"port-{name}", name=name, description=description, device_id=device, security_group_ids=list(groups)
    )


def group(name: str, description: str = "") -> Any:
    return SimpleNamespace(id=f"sg-{name}", name=name, description=description)


def volume(uid: str, cluster: str, status: str = "available", **metadata: str) -> Any:
    return SimpleNamespace(
        id=f"vol-{uid}",
        name=f"pvc-{uid}",
        size=10,
        status=status,
        metadata={"cinder.csi.openstack.org/cluster": cluster, **metadata},
    )


class FakeProject:
    """The part of openstacksdk's API that the search uses."""

    current_project_id = PROJECT

    def __init__(self) -> None:
        self.balancers: list[Any] = []
        self.addresses: list[Any] = []
        self.ports: list[Any] = []
        self.groups: list[Any] = []
        self.volumes: list[Any] = []
        self.clusters = [SimpleNamespace(uuid=LIVING_ID, stack_id=LIVING, name="rsp-other-cluster")]
        self.networks = {"rsp-test-network": SimpleNamespace(id=NETWORK)}
        self.load_balancer = SimpleNamespace(load_balancers=lambda **_: self.balancers)
        self.network = SimpleNamespace(
            find_network=self.networks.get,
            ips=lambda **_: self.addresses,
            ports=lambda **_: self.ports,
            security_groups=lambda **_: self.groups,
        )
        self.block_storage = SimpleNamespace(volumes=lambda: self.volumes)
        self.container_infrastructure_management = SimpleNamespace(clusters=lambda: self.clusters)
