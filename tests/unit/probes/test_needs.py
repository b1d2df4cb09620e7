from typing import Any

import pytest

from phalanx.claims import Claim
from probes.needs import Flavor, Volumes, needs, of_claims, servers, volumes
from tests.unit.sample import HEAT, environment, environment_data

FLAVORS = {
    "m1.small": Flavor(vcpus=1, ram=2048),
    "m1.medium": Flavor(vcpus=2, ram=4096),
    "m1.large": Flavor(vcpus=4, ram=8192),
}


def needed(**changes: Any) -> dict[str, int | None]:
    return needs(environment(**changes), FLAVORS)


def test_everything_that_cluster_api_and_the_program_create() -> None:
    assert needed() == {
        "clusters": 1,
        # The NFS server, three masters and the one that an upgrade adds, two workers, one node of the group.
        "instances": 1 + 4 + 2 + 1,
        "cores": 1 + 6 * 2 + 4,
        "ram": 2048 + 6 * 4096 + 8192,
        "volumes": 2,
        "volumes_ceph-hdd": 1,
        "volumes_ceph-ssd": 1,
        "gigabytes": 150,
        "gigabytes_ceph-hdd": 100,
        "gigabytes_ceph-ssd": 50,
        "per_volume_gigabytes": 100,
        "networks": 1,
        "subnets": 1,
        "routers": 1,
        # Servers, load balancers, router, metadata.
        "ports": 8 + 2 + 1 + 1,
        "security_groups": 3,
        # The NFS server's; control plane: API, control plane, workers; workers: node ports from the subnet and both
        # groups, with TCP and UDP, and with OVN from everywhere, control plane, workers; egress.
        "security_group_rules": 6 + 3 + (6 + 2 + 2) + 4,
        "floating_ips": 2,
        # The API's with its four masters, ingress-nginx's with three workers for HTTP and HTTPS.
        "load_balancers": 2,
        "listeners": 1 + 2,
        "pools": 1 + 2,
        "health_monitors": 1,
        "members": 4 + 2 * 3,
    }


def test_the_root_disk_of_the_nfs_server_is_a_volume_if_configured() -> None:
    before, after = needed(), needed(nfs__bootVolume={"size": 10, "type": "ceph-ssd"})
    added = {name: amount - (before[name] or 0) for name, amount in after.items() if amount and amount != before[name]}
    assert added == {"volumes": 1, "volumes_ceph-ssd": 1, "gigabytes": 10, "gigabytes_ceph-ssd": 10}


def test_shares_count_in_place_of_the_nfs_server() -> None:
    before, after = needed(), needed(nfs=None, shares={"data": {"size": 100}, "jhome": {"size": 50}})
    assert (after["shares"], after["share_gigabytes"]) == (2, 150)
    assert not {"volumes", "gigabytes", "per_volume_gigabytes"} & after.keys()
    assert {name: (before[name], after[name]) for name in before if after.get(name, before[name]) != before[name]} == {
        "instances": (8, 7),
        "cores": (17, 16),
        "ram": (2048 + 6 * 4096 + 8192, 6 * 4096 + 8192),
        "ports": (12, 11),
        "security_groups": (3, 2),
        "security_group_rules": (23, 17),
    }
    assert needed(nfs=None, shares={"a": {"size": 1}}, clusters__cluster__bootVolume={"size": 40})["volumes"] == 7


def test_shares_count_by_type() -> None:
    config = environment(nfs=None, shares={"a": {"size": 2, "type": "fast"}, "b": {"size": 3}})
    assert not [name for name in needs(config, FLAVORS) if name.startswith("shares_") and name != "shares_fast"]
    found = needs(config, FLAVORS, share_types={"a": "fast", "b": "slow"})
    assert (found["shares_fast"], found["share_gigabytes_fast"]) == (1, 2)
    assert (found["shares_slow"], found["share_gigabytes_slow"]) == (1, 3)


def test_autoscaled_groups_count_with_their_maximum() -> None:
    grown = needed(clusters__cluster__nodeGroups__labs__autoscaling={"minimum": 1, "maximum": 10})
    assert (grown["instances"], grown["cores"]) == (1 + 4 + 2 + 10, 1 + 6 * 2 + 10 * 4)
    assert (grown["ports"], grown["members"]) == (17 + 4, 4 + 2 * 12)


def test_only_cluster_api_adds_a_master_during_an_upgrade() -> None:
    """Quotas must allow it, but nobody pays for it all the time."""
    heat = needed(**HEAT, clusters__cluster__masters__count=1)
    assert heat["instances"] == 1 + 1 + 2 + 1
    assert heat["members"] == 2 * 1 + 2 * 3
    config = environment(clusters__cluster__bootVolume={"size": 40})
    assert sum(servers(config).values()) == 1 + 3 + 2 + 1
    assert sum(each.count for each in volumes(config)) == 2 + 3 + 2 + 1


def test_boot_volumes_count_by_type() -> None:
    booted = needed(clusters__cluster__bootVolume={"size": 40, "type": "ceph-ssd"})
    assert (booted["volumes"], booted["gigabytes"]) == (2 + 7, 150 + 7 * 40)
    assert (booted["volumes_ceph-ssd"], booted["gigabytes_ceph-ssd"]) == (1 + 7, 50 + 7 * 40)


def test_volumes_without_a_type_count_as_the_clouds_default_type_if_it_is_known() -> None:
    booted = environment(clusters__cluster__bootVolume={"size": 40})
    assert "volumes_" not in needs(booted, FLAVORS)
    assert needs(booted, FLAVORS)["gigabytes_ceph-ssd"] == 50
    assert needs(booted, FLAVORS, default_type="ceph-ssd")["gigabytes_ceph-ssd"] == 50 + 7 * 40


@pytest.mark.parametrize(
    ("changes", "gigabytes"),
    [
        ({"clusters__cluster__labels": {"etcd_volume_size": "10"}}, 4 * 10),
        ({"clusters__cluster__labels": {"etcd_volume_size": "10", "etcd_blockdevice_size": "20"}}, 4 * 20),
        ({"clusters__cluster__labels": {"etcd_blockdevice_size": "20", "etcd_blockdevice_type": "local"}}, 0),
        ({"clusters__cluster__labels": {"etcd_volume_size": "0"}}, 0),
        ({**HEAT, "clusters__cluster__labels": {"etcd_volume_size": "10", "etcd_blockdevice_size": "20"}}, 3 * 10),
    ],
)
def test_volumes_of_etcd_on_the_masters(changes: dict[str, Any], gigabytes: int) -> None:
    assert needed(**changes)["gigabytes"] == 150 + gigabytes


def test_an_adopted_network_is_not_counted() -> None:
    adopted = needed(network__adopt={"network": "shared", "subnet": "shared-v4"})
    assert (adopted["networks"], adopted["subnets"], adopted["routers"], adopted["ports"]) == (0, 0, 0, 8 + 2)


def test_heat_has_a_load_balancer_for_etcd_and_server_groups() -> None:
    public = needed(**HEAT, clusters__cluster__masters__count=1)
    assert (public["load_balancers"], public["listeners"], public["health_monitors"]) == (3, 4, 0)
    # One for the masters, one for the default workers, one for the node group.
    assert (public["server_groups"], public["server_group_members"]) == (3, 2)
    assert public["security_group_rules"] == 6 + 14 + 9 + 4
    private = needed(**HEAT, clusters__cluster__masters__count=1, clusters__cluster__publicApi=False)
    assert (private["load_balancers"], private["listeners"]) == (1, 2)


def test_health_monitors_count_for_each_listener() -> None:
    assert needed(ingress__healthMonitors=True)["health_monitors"] == 3


def test_a_private_api_needs_no_address() -> None:
    assert needed(clusters__cluster__publicApi=False)["floating_ips"] == 1


def test_an_existing_address_is_not_counted() -> None:
    assert needed(ingress__floatingIp="192.0.2.1")["floating_ips"] == 1


def test_cores_and_memory_are_unknown_with_a_flavor_that_is() -> None:
    unknown = needs(environment(), {"m1.small": FLAVORS["m1.small"]})
    assert (unknown["cores"], unknown["ram"], unknown["instances"]) == (None, None, 8)


def test_each_owner_of_the_load_balancer_needs_the_same() -> None:
    assert needed(ingress__mode="octavia") == needed()


def test_two_load_balancers_exist_while_their_owner_changes() -> None:
    monitored = environment(ingress__healthMonitors=True)
    before, meanwhile = needs(monitored, FLAVORS), needs(monitored, FLAVORS, switching=True)
    assert {name: (before[name], meanwhile[name]) for name in before if meanwhile[name] != before[name]} == {
        "ports": (12, 13),
        "load_balancers": (2, 3),
        "listeners": (3, 5),
        "pools": (3, 5),
        "health_monitors": (3, 5),
        "members": (10, 16),
    }


def claim(application: str, storage_class: str | None, size: int | None = 8, count: int = 1) -> Claim:
    return Claim(application=application, namespace="n", name="c", storage_class=storage_class, size=size, count=count)


def test_claims_with_a_class_of_the_stack_are_volumes() -> None:
    classes = {"fast": {"volumeType": "ceph-ssd"}, "slow": {"volumeType": "ceph-hdd", "default": True}}
    config = environment(applications__storageClasses=classes, applications__databaseStorageClass="fast")
    claims = [
        claim("postgres", "standard"),  # The fact replaces the class of the chart.
        claim("sasquatch", None, count=3),
        claim("sasquatch", "local-path"),
        claim("portal", "ceph-ssd", size=2),  # A class of Magnum's driver.
        claim("sasquatch", "slow", size=None),
    ]
    assert of_claims(config, claims) == [
        Volumes(type="ceph-ssd", size=8, count=1),
        Volumes(type="ceph-hdd", size=8, count=3),
        Volumes(type="ceph-ssd", size=2, count=1),
    ]


def test_volumes_of_claims_are_counted() -> None:
    claimed = [Volumes(type="ceph-hdd", size=8, count=3)]
    without, counted = needed(), needs(environment(), FLAVORS, claimed=claimed)
    assert {name: amount for name, amount in counted.items() if amount != without[name]} == {
        "volumes": 5,
        "volumes_ceph-hdd": 4,
        "gigabytes": 174,
        "gigabytes_ceph-hdd": 124,
    }


def test_backups_count_with_their_retention_and_the_one_before_others_expire() -> None:
    keep = {"daily": 7, "weekly": 4}
    assert needed(backups={"kind": "snapshot", "keep": keep})["snapshots"] == 2 * (7 + 4 + 1)
    kept = needed(backups={"kind": "backup", "volumes": ["data"], "keep": keep})
    # The oldest incremental one may need those of the six days before.
    assert (kept["backups"], kept["backup_gigabytes"]) == (18, 18 * 100)
    complete = needed(backups={"kind": "backup", "volumes": ["data"], "incremental": False, "keep": keep})
    assert (complete["backups"], complete["backup_gigabytes"]) == (12, 12 * 100)


GREEN = {"clusters__green": environment_data()["clusters"]["cluster"], "activeCluster": "cluster"}


def test_two_clusters_need_twice_what_is_in_a_cluster() -> None:
    one, two = needed(), needed(**GREEN)
    # The NFS server, its volumes and security group, the network and the platform's address are shared.
    shared = {"instances": 1, "security_groups": 1, "floating_ips": 1, "networks": 1, "volumes": 2}
    for name, amount in shared.items():
        assert two[name] == 2 * (one[name] or 0) - amount, name
    for name in ("clusters", "load_balancers", "listeners", "members"):
        assert two[name] == 2 * (one[name] or 0), name


def test_each_cluster_has_the_volumes_of_the_claims() -> None:
    config = environment(**GREEN)
    claimed = of_claims(config, [claim("sasquatch", "standard", count=3), claim("postgres", None, size=2)])
    assert [(each.size, each.count) for each in claimed] == [(8, 2 * 3), (2, 2)]
    without, counted = needed(**GREEN), needs(config, FLAVORS, claimed=claimed)
    assert counted["volumes"] == (without["volumes"] or 0) + 2 * (3 + 1)
    assert counted["gigabytes"] == (without["gigabytes"] or 0) + 2 * (3 * 8 + 2)


def test_the_stacks_load_balancer_has_the_workers_of_the_active_cluster_only() -> None:
    one, two = (needed(ingress__mode="octavia", **changes) for changes in ({}, GREEN))
    # Each API server has a load balancer with three members; the stack's has three workers for each of two ports.
    assert (one["load_balancers"], two["load_balancers"]) == (2, 3)
    assert (one["members"], two["members"]) == (4 + 6, 4 + 4 + 6)
