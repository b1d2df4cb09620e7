from types import SimpleNamespace

import pytest
from openstack import exceptions

from config.names import cloud_name
from tests.unit.probes import recorded_magnum
from tests.unit.probes.fake_project import FakeProject, named
from tests.unit.probes.preflight import SHARES, check, only
from tests.unit.sample import environment


@pytest.mark.parametrize(
    ("resource", "used", "command"),
    [
        ("routers", 4, "openstack quota set --routers 5 project-id"),
        ("ports", 89, "openstack quota set --ports 101 project-id"),
        ("security_group_rules", 78, "openstack quota set --secgroup-rules 101 project-id"),
    ],
)
def test_a_network_quota_that_is_used_up(project: FakeProject, resource: str, used: int, command: str) -> None:
    project.networking_quota[resource]["used"] = used - 1
    assert check() == []
    project.networking_quota[resource]["used"] = used
    assert command in only(check())


def test_load_balancers_count_if_octavia_shows_the_quota(project: FakeProject) -> None:
    project.load_balancers = named("a", "b", "c", "d")
    assert "openstack loadbalancer quota set --loadbalancer 6 project-id" in only(check())
    project.load_balancer_quota = exceptions.ForbiddenException("quota")
    assert check() == []


def test_the_members_of_all_pools_count(project: FakeProject) -> None:
    project.load_balancer_quota["members"] = 12
    project.load_balancer.pools = lambda: [SimpleNamespace(members=[{"id": "1"}] * 2), SimpleNamespace(members=None)]
    assert check() == []
    project.load_balancer.pools = lambda: [SimpleNamespace(members=[{"id": "1"}] * 3)]
    assert "--member 13" in only(check())


@pytest.mark.parametrize(
    ("mode", "other", "existing"),
    [
        ("octavia", "cloud-controller", "kube_service_rsp-test-cluster_ingress-nginx_controller"),
        ("cloud-controller", "octavia", cloud_name("test", "load-balancer")),
    ],
)
def test_a_change_of_the_load_balancers_owner_needs_another_one(
    mode: str, other: str, existing: str, project: FakeProject
) -> None:
    project.load_balancers = named(existing)
    project.volumes = named(
        cloud_name("test", "nfs-data"), size=100, volume_type="ceph-hdd", availability_zone="nova"
    )  # the stack exists
    project.load_balancer_quota["load_balancers"] = 2
    assert check(environment(ingress__mode=other)) == []
    assert "--loadbalancer 3 project-id" in only(check(environment(ingress__mode=mode)))


def test_quotas_of_volume_types_count_if_cinder_shows_them(project: FakeProject) -> None:
    project.volume_quota["gigabytes_ceph-ssd"] |= {"in_use": 400, "reserved": 60}
    assert "--volume-type ceph-ssd --gigabytes 510 project-id" in only(check())
    project.volume_quota = exceptions.ForbiddenException("quota")
    assert check() == []


def test_a_volume_without_a_type_counts_as_the_default_type(project: FakeProject) -> None:
    project.volume_quota["volumes_ceph-hdd"] = {"limit": 1, "in_use": 0, "reserved": 0}
    assert check() == []
    assert "--volume-type ceph-hdd --volumes 2" in only(check(environment(nfs__volumes__jhome__type=None)))


def test_the_quota_of_clusters_counts(project: FakeProject) -> None:
    project.cluster_quota = 0
    assert "--resource Cluster --hard-limit 1 --project-id project-id" in only(check())


def test_existing_resources_of_the_stack_are_not_counted_twice(
    project: FakeProject,
) -> None:
    project.block_storage.get_limits().absolute.total_volumes_used = 19
    assert "--volumes 21" in only(check())
    project.volumes = named("rsp-test-nfs-data", size=1, volume_type="ceph-hdd", availability_zone="nova")
    assert check() == []
    project.volumes = named("rsp-test-postgres-from-20261125-120000", metadata={"rsp_stack": "test"})
    assert check() == []
    project.volumes = []
    project.clusters["rsp-test-cluster"] = recorded_magnum.cluster(flavor_id="id-of-m1.medium")
    project.templates["template-uuid"] = recorded_magnum.template()
    assert check() == []
    project.clusters.clear()
    # Those of another stack, `test-two`.
    project.volumes = named("rsp-test-two-nfs-data")
    assert "--volumes 21" in only(check())
    project.volumes = named("rsp-test-two-postgres-from-20261125-120000", metadata={"rsp_stack": "test-two"})
    assert "--volumes 21" in only(check())


def test_shares_have_quotas(project: FakeProject) -> None:
    project.share_limits |= {"maxTotalShareGigabytes": 100, "totalShareGigabytesUsed": 60}
    refused = only(check(environment(**SHARES)))
    assert "GiB of shares      50    60    100     10  shares" in refused
    assert "openstack share quota set --gigabytes 110 project-id" in refused
    # With the stack's share, the used ones contain it.
    project.shares = [
        SimpleNamespace(
            name=cloud_name("test", "share-jhome"),
            size=50,
            share_protocol="NFS",
            share_type="cephfs-nfs",
            share_network_id=None,
        )
    ]
    assert check(environment(**SHARES)) == []
    project.shares[0].name = cloud_name("test-two", "share-jhome")
    assert "--gigabytes 110 project-id" in only(check(environment(**SHARES)))


def test_share_types_have_quotas_of_their_own(project: FakeProject) -> None:
    def of_type(limit: int) -> dict[str, dict[str, int]]:
        return {
            "shares": {"limit": 10, "in_use": 1, "reserved": 0},
            "gigabytes": {"limit": limit, "in_use": 50, "reserved": 5},
        }

    # That of another type is not asked for; without a type, the share is of the default one.
    project.share_type_quotas = {"cephfs-nfs": of_type(104), "cephfs": of_type(0)}
    for settings in (environment(**SHARES), environment(**SHARES, shares__jhome__type="cephfs-nfs")):
        refused = only(check(settings))
        assert "GiB of shares, type cephfs-nfs      50    55    104      1  shares" in refused
        assert "openstack share quota set --share-type cephfs-nfs --gigabytes 105 project-id" in refused
    project.share_type_quotas = {"cephfs-nfs": of_type(105)}
    assert check(environment(**SHARES)) == []


def test_a_share_type_without_a_quota_of_its_own_is_not_asked_for_twice(project: FakeProject) -> None:
    project.share_limits |= {"maxTotalShareGigabytes": 40}
    shown = {"limit": 40, "in_use": 0, "reserved": 0}  # the project's
    project.share_type_quotas = {"cephfs-nfs": {"shares": {**shown, "limit": 10}, "gigabytes": shown}}
    assert "--share-type" not in only(check(environment(**SHARES)))
    project.share_type_quotas = exceptions.ForbiddenException("quota")
    assert "--share-type" not in only(check(environment(**SHARES)))


def test_backups_of_a_lost_stack_do_not_count_twice(project: FakeProject) -> None:
    def back_up(stack: str) -> None:
        metadata = {"rsp_stack": stack, "rsp_volume": "data"}
        made = {"volume_id": "1", "created_at": "2026-11-01T02:00:00", "size": 100, "status": "available"}
        backups = named(*map(str, range(30)), metadata=metadata, **made)
        project.block_storage.backups = lambda: backups

    # Each of two volumes has 12 backups, and 6 more as they are incremental; the limit is 50.
    config = environment(backups={"kind": "backup", "keep": {"daily": 7, "weekly": 4}})
    project.block_storage.get_limits().absolute.total_backups_used = 30
    back_up("test")
    assert check(config) == []
    back_up("other")
    assert "openstack quota set --backups 66" in only(check(config))
