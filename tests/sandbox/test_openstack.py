"""The program's resources in OpenStack, through OpenStack's APIs."""

import json
from collections import Counter
from typing import Any, NamedTuple

from openstack.connection import Connection

from config.names import cloud_name
from config.stack_config import StackConfig
from tests.sandbox.program import Program

OURS = cloud_name("sandbox", "")
NFS = cloud_name("sandbox", "nfs")
CLUSTER = cloud_name("sandbox", "cluster")


class Rule(NamedTuple):
    """A rule of a security group; None means any."""

    direction: str
    protocol: str | None
    first_port: int | None
    last_port: int | None
    remote: str | None


def rules_of(tenant: Connection, group: Any) -> set[Rule]:
    return {
        Rule(rule.direction, rule.protocol, rule.port_range_min, rule.port_range_max, rule.remote_ip_prefix)
        for rule in tenant.network.security_group_rules(security_group_id=group.id)
        if rule.ether_type == "IPv4"
    }


def test_nfs_is_open_to_the_clusters_subnet_only(tenant: Connection, settings: StackConfig) -> None:
    group = tenant.network.find_security_group(NFS, ignore_missing=False)
    anywhere = "0.0.0.0/0"
    assert rules_of(tenant, group) == {
        Rule("ingress", "tcp", 2049, 2049, str(settings.network.cidr)),
        Rule("egress", "udp", 53, 53, anywhere),
        Rule("egress", "tcp", 53, 53, anywhere),
        Rule("egress", "udp", 123, 123, anywhere),
        Rule("egress", "tcp", 80, 80, anywhere),
        Rule("egress", "tcp", 443, 443, anywhere),
    }
    ipv6 = [r for r in tenant.network.security_group_rules(security_group_id=group.id) if r.ether_type != "IPv4"]
    assert ipv6 == []


def test_only_the_api_and_node_ports_are_open_to_everyone(tenant: Connection, settings: StackConfig) -> None:
    groups = {group.id: group.name for group in tenant.network.security_groups() if OURS in group.name}
    open_to_the_world = {
        (groups[rule.security_group_id].rpartition("-")[2], rule.protocol, rule.port_range_min, rule.port_range_max)
        for rule in tenant.network.security_group_rules(direction="ingress")
        if rule.security_group_id in groups and rule.remote_group_id is None
        if rule.remote_ip_prefix in {None, "0.0.0.0/0", "::/0"}
    }
    # The security groups of Cluster API; OVN keeps clients' addresses.
    assert settings.ingress.load_balancer_provider == "ovn"
    assert open_to_the_world == {
        ("controlplane", "tcp", 6443, 6443),
        ("worker", "tcp", 30000, 32767),
        ("worker", "udp", 30000, 32767),
    }


def test_the_data_volumes_are_attached_to_the_nfs_server(tenant: Connection, settings: StackConfig) -> None:
    assert settings.nfs
    server = tenant.compute.find_server(NFS, ignore_missing=False)
    volumes = {volume.name: volume for volume in tenant.block_storage.volumes()}
    for name, wanted in settings.nfs.volumes.items():
        volume = volumes[f"{NFS}-{name}"]
        assert (volume.status, volume.size, volume.volume_type) == ("in-use", wanted.size, wanted.type)
        assert [each["server_id"] for each in volume.attachments] == [server.id]


def test_the_nfs_server_has_only_its_fixed_address(tenant: Connection, settings: StackConfig) -> None:
    assert settings.nfs
    server = tenant.compute.find_server(NFS, ignore_missing=False)
    (port,) = tenant.network.ports(device_id=server.id)
    assert [each["ip_address"] for each in port.fixed_ips] == [str(settings.nfs.address)]
    group = tenant.network.find_security_group(NFS, ignore_missing=False)
    assert port.security_group_ids == [group.id]


def test_the_only_floating_ip_is_the_load_balancers(tenant: Connection, outputs: dict[str, Any]) -> None:
    routers = {router.id for router in tenant.network.routers() if router.name.startswith(OURS)}
    (floating,) = [each for each in tenant.network.ips() if each.router_id in routers]
    assert floating.floating_ip_address == outputs["ingressAddress"]
    balancer = _balancer(tenant, floating.port_id)
    assert (balancer.provisioning_status, balancer.provider) == ("ACTIVE", "ovn")


def test_the_load_balancer_forwards_80_and_443_to_all_nodes(tenant: Connection, outputs: dict[str, Any]) -> None:
    (floating,) = tenant.network.ips(floating_ip_address=outputs["ingressAddress"])
    listeners = list(tenant.load_balancer.listeners(load_balancer_id=_balancer(tenant, floating.port_id).id))
    assert sorted(each.protocol_port for each in listeners) == [80, 443]
    nodes = {
        port.fixed_ips[0]["ip_address"]
        for server in tenant.compute.servers()
        if server.name.startswith(CLUSTER)
        for port in tenant.network.ports(device_id=server.id)
    }
    assert nodes
    for listener in listeners:
        assert {member.address for member in tenant.load_balancer.members(listener.default_pool_id)} == nodes


def _balancer(tenant: Connection, port: str) -> Any:
    (balancer,) = tenant.load_balancer.load_balancers(vip_port_id=port)
    return balancer


def test_the_allocation_pool_excludes_the_fixed_addresses(tenant: Connection, settings: StackConfig) -> None:
    subnet = tenant.network.find_subnet(cloud_name("sandbox", "network"), ignore_missing=False)
    assert subnet.cidr == str(settings.network.cidr)
    first, last = settings.network.allocation_pool
    assert subnet.allocation_pools == [{"start": str(first), "end": str(last)}]


def test_taps_keys_can_write_to_the_bucket(tenant: Connection, settings: StackConfig) -> None:
    store = settings.object_store
    assert tenant.object_store.get_container_metadata(store.bucket).name == store.bucket
    assert not tenant.object_store.get_container_metadata(store.bucket).read_ACL


def test_what_the_stack_requires_is_what_it_uses(program: Program, tenant: Connection) -> None:
    resources = {each["name"]: each for each in json.loads(program.operate("size", "--cloud", "--json"))["resources"]}
    # The volumes of claims, which applications choose; they also count by type.
    claimed: Counter[str] = Counter()
    for volume in tenant.block_storage.volumes():
        if "csi.storage.k8s.io/pvc/name" in volume.metadata:
            for suffix in ("", f"_{volume.volume_type}"):
                claimed.update({f"volumes{suffix}": 1, f"gigabytes{suffix}": volume.size})
    different = {
        name: each for name, each in resources.items() if each["used"] not in {None, each["needed"] + claimed[name]}
    }
    # The master of m1.medium that Cluster API adds during an upgrade.
    added = {
        name: resources[name]["needed"] - resources[name]["used"] for name in ("instances", "cores", "ram", "ports")
    }
    assert added == {"instances": 1, "cores": 2, "ram": 4096, "ports": 1}
    # Neutron's group `default` with its rules, a limit of each volume, and an older release's rules for node ports.
    assert different.keys() - added.keys() <= {"security_groups", "security_group_rules", "per_volume_gigabytes"}
    assert resources["security_groups"]["used"] == resources["security_groups"]["needed"] + 1


def test_the_cluster_counts_against_the_tenants_quota(tenant: Connection, settings: StackConfig) -> None:
    wanted = settings.cluster.masters.count + settings.cluster.workers.count
    wanted += sum(group.count for group in settings.cluster.node_groups.values())
    assert len([server for server in tenant.compute.servers() if server.name.startswith(CLUSTER)]) == wanted
    (cluster,) = [each for each in tenant.container_infrastructure_management.clusters() if each.name == CLUSTER]
    assert cluster.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
