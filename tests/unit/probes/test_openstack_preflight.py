from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from keystoneauth1.exceptions import EndpointNotFound
from openstack import exceptions

from config.names import cloud_name
from config.stack_config import StackConfig
from probes import openstack_preflight
from probes.problem import Problem
from tests.unit.json_server import json_server
from tests.unit.probes import recorded_magnum
from tests.unit.probes.fake_project import FakeProject, named
from tests.unit.sample import environment

# openstacksdk warns about an optional library.
pytestmark = pytest.mark.filterwarnings("ignore:Support for InfluxDB")


HEAT = {
    "clusters__cluster__driver": "heat",
    "clusters__cluster__kubernetesVersion": "v1.28.9-rancher1",
    "clusters__cluster__image": "fedora-coreos-38",
}


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> FakeProject:
    fake = FakeProject()
    monkeypatch.setattr("openstack.connect", lambda **_: fake)
    return fake


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def check(executor: ThreadPoolExecutor, settings: StackConfig | None = None) -> list[Problem]:
    return openstack_preflight.check(settings or environment(), "test", executor)


def only(problems: list[Problem]) -> str:
    assert len(problems) == 1, problems
    return str(problems[0])


def test_nodes_of_a_new_cluster_must_trust_a_private_authority(
    project: FakeProject, executor: ThreadPoolExecutor, tmp_path: Path
) -> None:
    project.verify = str(tmp_path)
    message = only(check(executor))
    assert message.startswith(f"rsp:clusters.cluster (warning): its nodes must trust the CA in {tmp_path} as well")
    assert "openstack_ca_file in magnum.conf" in message


def test_a_suitable_project_has_no_problems(project: FakeProject, executor: ThreadPoolExecutor) -> None:
    assert project.token
    assert check(executor) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"network__externalNetwork": "outside"},
            "rsp:network.externalNetwork: the cloud has no `outside`",
        ),
        (
            {"nfs__image": "debian-13"},
            "rsp:nfs.image: the cloud has no `debian-13`; it has: debian-12, fedora-coreos-38, ubuntu-2404",
        ),
        ({"clusters__cluster__image": "fcos"}, "rsp:clusters.cluster.image: the cloud has no `fcos`"),
        ({"nfs__flavor": "huge"}, "rsp:nfs.flavor: the cloud has no `huge`"),
        (
            {"clusters__cluster__masters__flavor": "huge"},
            "rsp:clusters.cluster.masters.flavor: the cloud has no `huge`",
        ),
        (
            {"clusters__cluster__nodeGroups__labs__flavor": "huge"},
            "rsp:clusters.cluster.nodeGroups.labs.flavor: the cloud has no `huge`",
        ),
        ({"cloud__keypair": "me"}, "rsp:cloud.keypair: the cloud has no `me`; it has: operators"),
        ({"nfs__volumes__data__type": "nvme"}, "rsp:nfs.volumes.data.type: the cloud has no `nvme`"),
        (
            {"clusters__cluster__bootVolume": {"size": 1, "type": "nvme"}},
            "rsp:clusters.cluster.bootVolume.type: the cloud has no `nvme`",
        ),
        (
            {"applications__storageClasses__standard__volumeType": "nvme"},
            "rsp:applications.storageClasses.standard.volumeType: the cloud has no `nvme`",
        ),
        (
            {"applications__storageClasses__standard__availabilityZone": "az1"},
            "rsp:applications.storageClasses.standard.availabilityZone: the cloud has no Cinder availability zone",
        ),
        (
            {"network__adopt": {"network": "other", "subnet": "shared-v4"}},
            "rsp:network.adopt.network: the cloud has no `other`; it has: shared",
        ),
        (
            {"network__adopt": {"network": "shared", "subnet": "other"}},
            "rsp:network.adopt.subnet: the cloud has no `other`; it has: shared-v4",
        ),
        (
            {"network__adopt": {"network": "shared", "subnet": "shared-v4"}, "network__cidr": "10.20.0.0/22"},
            "rsp:network.cidr: 10.20.0.0/22 is not the CIDR of subnet `shared-v4`: set it to 10.20.0.0/24",
        ),
    ],
)
def test_names_that_do_not_exist_are_reported(
    project: FakeProject,
    executor: ThreadPoolExecutor,
    changes: dict[str, Any],
    message: str,
) -> None:
    assert project.token
    assert message in only(check(executor, environment(**changes)))


def test_a_zone_of_nodes_that_does_not_exist_is_reported(project: FakeProject, executor: ThreadPoolExecutor) -> None:
    key = "rsp:clusters.cluster.nodeGroups.labs.availabilityZone"
    wrong, right = (
        environment(**HEAT, clusters__cluster__nodeGroups__labs__availabilityZone=zone) for zone in ("az1", "az-1")
    )
    problems = {*map(str, check(executor, wrong))} - {*map(str, check(executor, right))}
    assert problems == {f"{key}: the cloud has no Nova availability zone `az1`; it has: az-1, az-2"}
    volumes = {
        "clusters__cluster__nodeGroups__labs__availabilityZone": "az-1",
        "clusters__cluster__bootVolume": {"size": 40},
    }
    problems = {str(each) for each in check(executor, environment(**HEAT, **volumes)) if each.where == key}
    assert problems == {f"{key}: the cloud has no Cinder availability zone `az-1`; it has: nova"}
    assert project.token


def test_all_problems_are_reported_together(project: FakeProject, executor: ThreadPoolExecutor) -> None:
    project.cores = 4
    problems = check(executor, environment(nfs__image="x", nfs__flavor="y", network__externalNetwork="z"))
    assert [problem.where for problem in problems] == [
        "rsp:network.externalNetwork",
        "rsp:nfs.image",
        "rsp:nfs.flavor",
        "quota of project `rsp`",
    ]


@pytest.mark.parametrize(
    ("resource", "used", "command"),
    [
        ("routers", 4, "openstack quota set --routers 5 project-id"),
        ("ports", 90, "openstack quota set --ports 101 project-id"),
        ("security_group_rules", 78, "openstack quota set --secgroup-rules 101 project-id"),
    ],
)
def test_a_network_quota_that_is_used_up(
    project: FakeProject, executor: ThreadPoolExecutor, resource: str, used: int, command: str
) -> None:
    project.networking_quota[resource]["used"] = used - 1
    assert check(executor) == []
    project.networking_quota[resource]["used"] = used
    assert command in only(check(executor))


def test_an_existing_address_of_the_platform_is_checked(project: FakeProject, executor: ThreadPoolExecutor) -> None:
    project.network.ips = lambda **_: []
    message = only(check(executor, environment(ingress__floatingIp="192.0.2.1")))
    assert message == "rsp:ingress.floatingIp: the project has no floating IP 192.0.2.1; it has: none"


def test_load_balancers_count_if_octavia_shows_the_quota(project: FakeProject, executor: ThreadPoolExecutor) -> None:
    project.load_balancers = named("a", "b", "c", "d")
    assert "openstack loadbalancer quota set --loadbalancer 6 project-id" in only(check(executor))
    project.load_balancer_quota = exceptions.ForbiddenException("quota")
    assert check(executor) == []


def test_the_members_of_all_pools_count(project: FakeProject, executor: ThreadPoolExecutor) -> None:
    project.load_balancer_quota["members"] = 11
    project.load_balancer.pools = lambda: [SimpleNamespace(members=[{"id": "1"}] * 2), SimpleNamespace(members=None)]
    assert check(executor) == []
    project.load_balancer.pools = lambda: [SimpleNamespace(members=[{"id": "1"}] * 3)]
    assert "--member 12" in only(check(executor))


@pytest.mark.parametrize(
    ("mode", "other", "existing"),
    [
        ("octavia", "cloud-controller", "kube_service_rsp-test-cluster_ingress-nginx_controller"),
        ("cloud-controller", "octavia", cloud_name("test", "load-balancer")),
    ],
)
def test_a_change_of_the_load_balancers_owner_needs_another_one(
    mode: str, other: str, existing: str, project: FakeProject, executor: ThreadPoolExecutor
) -> None:
    project.load_balancers = named(existing)
    project.volumes = named(
        cloud_name("test", "nfs-data"), size=100, volume_type="ceph-hdd", availability_zone="nova"
    )  # the stack exists
    project.load_balancer_quota["load_balancers"] = 2
    assert check(executor, environment(ingress__mode=other)) == []
    assert "--loadbalancer 3 project-id" in only(check(executor, environment(ingress__mode=mode)))


def test_quotas_of_volume_types_count_if_cinder_shows_them(project: FakeProject, executor: ThreadPoolExecutor) -> None:
    project.volume_quota["gigabytes_ceph-ssd"] |= {"in_use": 400, "reserved": 60}
    assert "--volume-type ceph-ssd --gigabytes 510 project-id" in only(check(executor))
    project.volume_quota = exceptions.ForbiddenException("quota")
    assert check(executor) == []


def test_a_volume_without_a_type_counts_as_the_default_type(project: FakeProject, executor: ThreadPoolExecutor) -> None:
    project.volume_quota["volumes_ceph-hdd"] = {"limit": 1, "in_use": 0, "reserved": 0}
    assert check(executor) == []
    assert "--volume-type ceph-hdd --volumes 2" in only(check(executor, environment(nfs__volumes__jhome__type=None)))


def test_the_quota_of_clusters_counts(project: FakeProject, executor: ThreadPoolExecutor) -> None:
    project.cluster_quota = 0
    assert "--resource Cluster --hard-limit 1 --project-id project-id" in only(check(executor))


@pytest.mark.parametrize(
    ("changes", "image", "fatal", "message"),
    [
        (
            {},
            {"os_distro": None},
            True,
            "rsp:clusters.cluster.image: image `ubuntu-2404-kube-v1.36.3` has no property os_dis",
        ),
        (
            {"clusters__cluster__image": "fedora-coreos-38"},
            {"kube_version": "v1.36.3"},
            True,
            (
                "rsp:clusters.cluster.image: image `fedora-coreos-38` has os_distro fedora-coreos, for which Magnum "
                "uses its Heat driver: choose an image with os_distro ubuntu or flatcar, or set clusters.cluster."
                "driver to heat"
            ),
        ),
        (
            {},
            {"os_distro": "rockylinux"},
            False,
            (
                "rsp:clusters.cluster.image (warning): image `ubuntu-2404-kube-v1.36.3` has os_distro rockylinux; the "
                "Cluster API driver is known to use ubuntu and flatcar"
            ),
        ),
        (
            {},
            {"kube_version": "1.35.4"},
            True,
            (
                "rsp:clusters.cluster.kubernetesVersion: v1.36.3 is not the release of image "
                "`ubuntu-2404-kube-v1.36.3`, whose property kube_version is 1.35.4: set v1.35.4, or choose "
                "another image"
            ),
        ),
        ({}, {"kube_version": "1.36.3"}, None, ""),
        ({}, {"os_distro": "flatcar"}, None, ""),
        (
            {},
            {"kube_version": None},
            False,
            "rsp:clusters.cluster.kubernetesVersion (warning): image `ubuntu-2404-kube-v1.36.3` has no property kube",
        ),
        (
            HEAT,
            {},
            False,
            (
                "rsp:clusters.cluster.kubernetesVersion (warning): Phalanx requires Kubernetes 1.30 or later, got "
                "v1.28.9-rancher1; the newest release tested with Magnum's Heat driver is v1.28.9-rancher1: use an "
                "image for Cluster API"
            ),
        ),
    ],
)
def test_image_driver_and_release_must_fit(  # noqa: PLR0913, PLR0917 -- two fixtures and four parameters
    project: FakeProject,
    executor: ThreadPoolExecutor,
    changes: dict[str, Any],
    image: dict[str, Any],
    fatal: bool | None,
    message: str,
) -> None:
    settings = environment(**changes)
    (used,) = [each for each in project.images if each.name == settings.cluster.image]
    used.os_distro = image.get("os_distro", used.os_distro)
    used.properties = {"kube_version": image.get("kube_version", used.properties.get("kube_version"))}
    problems = check(executor, settings)
    assert [problem.fatal for problem in problems] == ([] if fatal is None else [fatal])
    assert "".join(map(str, problems)).startswith(message)


def test_a_flavor_too_small_for_cluster_api_is_a_warning(project: FakeProject, executor: ThreadPoolExecutor) -> None:
    (large,) = [each for each in project.flavors if each.name == "m1.large"]
    large.vcpus = 1
    (problem,) = check(executor)
    assert not problem.fatal
    assert str(problem).startswith(
        "rsp:clusters.cluster.nodeGroups.labs.flavor (warning): `m1.large` has 1 vCPUs and 2048 MiB"
    )
    assert [each for each in check(executor, environment(**HEAT)) if "flavor" in each.where] == []


def test_allowed_networks_of_the_api_must_be_verified(project: FakeProject, executor: ThreadPoolExecutor) -> None:
    limited = {"clusters__cluster__apiAllowedCidrs": ["192.0.2.0/24"], "ingress": {"loadBalancerProvider": "amphora"}}
    (problem,) = check(executor, environment(**limited))
    assert not problem.fatal
    assert problem.where == "rsp:clusters.cluster.apiAllowedCidrs"
    assert project.token


def test_an_existing_cluster_is_compared(project: FakeProject, executor: ThreadPoolExecutor) -> None:
    project.clusters["rsp-test-cluster"] = recorded_magnum.cluster(flavor_id="id-of-m1.medium")
    project.templates["template-uuid"] = recorded_magnum.template()
    assert check(executor) == []
    message = only(check(executor, environment(clusters__cluster__workers__flavor="m1.large")))
    assert message.startswith(
        "rsp:clusters.cluster.workers.flavor: is `m1.large`, but the cluster `rsp-test-cluster` was"
    )


def test_existing_resources_of_the_stack_are_not_counted_twice(
    project: FakeProject,
    executor: ThreadPoolExecutor,
) -> None:
    project.block_storage.get_limits().absolute.total_volumes_used = 19
    assert "--volumes 21" in only(check(executor))
    project.volumes = named("rsp-test-nfs-data", size=1, volume_type="ceph-hdd", availability_zone="nova")
    assert check(executor) == []


@pytest.mark.parametrize(
    ("credential", "fatal", "message"),
    [
        ({"id": "1", "name": "ci", "restricted": True}, True, "application credential `ci`: is restricted"),
        (
            {"id": "1", "name": "ci", "restricted": False},
            False,
            "application credential `ci` (warning): may be",
        ),
    ],
)
def test_application_credentials(
    project: FakeProject,
    executor: ThreadPoolExecutor,
    credential: dict[str, Any],
    fatal: bool,
    message: str,
) -> None:
    project.token["application_credential"] = credential
    (problem,) = check(executor)
    assert problem.fatal is fatal
    assert message in str(problem)


def test_a_service_that_the_region_lacks(project: FakeProject, executor: ThreadPoolExecutor) -> None:
    project.absent_services = {"container-infra", "object-store"}
    problems = check(executor, environment(nfs__image="x"))
    assert [problem.what.split(" in ")[0] for problem in problems] == [
        "the cloud has no Magnum",
        "the cloud has no Swift (to use an existing bucket instead set rsp:objectStore.kind to s3)",
    ]


def test_a_failing_service_is_reported(project: FakeProject, executor: ThreadPoolExecutor) -> None:
    def fail() -> None:
        raise EndpointNotFound("glance is away.\nand more")

    project.image.images = fail
    assert only(check(executor)).startswith("Glance: request failed: glance is away: check that the service is running")


def clouds_yaml(path: Path, auth_url: str) -> str:
    auth = {
        "auth_url": auth_url,
        "username": "rsp",
        "password": "s3cr3t-password",
        "project_name": "rsp",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
    }
    path.write_text(yaml.safe_dump({"clouds": {"test-cloud": {"auth": auth, "region_name": "RegionOne"}}}))
    return str(path)


def test_a_cloud_that_clouds_yaml_does_not_have(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    executor: ThreadPoolExecutor,
) -> None:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", clouds_yaml(tmp_path / "clouds.yaml", "http://127.0.0.1:1/v3"))
    message = only(check(executor, environment(cloud={"name": "elsewhere"})))
    assert message.startswith("rsp:cloud: Cloud elsewhere was not found: set it to an entry of clouds.yaml")


def test_an_unreachable_keystone(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    executor: ThreadPoolExecutor,
) -> None:
    with json_server({}) as url:
        pass
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", clouds_yaml(tmp_path / "clouds.yaml", f"{url}/v3"))
    message = only(check(executor))
    assert message == f"Keystone at {url}/v3: does not answer: check auth_url in clouds.yaml and the network"


def test_a_wrong_password(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    version = {"id": "v3.14", "status": "stable", "links": [{"rel": "self", "href": "{url}/v3/"}]}
    answers = {
        "GET /v3": (200, {"version": version}),
        "POST /v3/auth/tokens": (401, {"error": {"code": 401, "message": "The request requires authentication."}}),
    }
    with json_server(answers) as url:
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", clouds_yaml(tmp_path / "clouds.yaml", f"{url}/v3"))
        message = only(check(executor))
    assert message == (
        f"Keystone at {url}/v3: refuses the credentials of cloud `test-cloud`: "
        "check user, password and project in clouds.yaml"
    )
    assert "s3cr3t-password" not in message


def designate(**settings: Any) -> StackConfig:
    challenge = {"kind": "designate", "zone": "acme.example.org", **settings}
    return environment(tls={"kind": "letsencrypt", "email": "rsp@example.org", "challenge": challenge})


def test_a_zone_of_designate_is_found(project: FakeProject, executor: ThreadPoolExecutor) -> None:
    assert project.zones
    assert check(executor, designate()) == []


def test_a_missing_zone_of_designate_is_reported(project: FakeProject, executor: ThreadPoolExecutor) -> None:
    project.zones.pop(0)
    (problem,) = check(executor, designate())
    assert str(problem) == "rsp:tls.challenge.zone: the cloud has no `acme.example.org.`; it has: example.com."


def test_the_zone_of_the_platforms_records_is_checked_too(project: FakeProject, executor: ThreadPoolExecutor) -> None:
    settings = environment(dns={"kind": "designate", "zone": "example.com"})
    assert check(executor, settings) == []
    project.zones[1].status = "ERROR"
    assert only(check(executor, settings)).startswith("rsp:dns.zone: the zone `example.com.` has the status ERROR")
    project.zones[1].type = "SECONDARY"
    assert "rsp:dns.zone: the zone `example.com.` is a secondary zone" in only(check(executor, settings))
    project.zones[1].project_id = "theirs"
    message = only(check(executor, settings))
    assert message.startswith("rsp:dns.zone: the zone `example.com.` belongs to another project (theirs): have it tran")
    project.zones.pop(1)
    assert only(check(executor, settings)) == (
        "rsp:dns.zone: the cloud has no `example.com.`; it has: acme.example.org."
    )
    project.absent_services.add("dns")
    assert "the cloud has no Designate (to use another service change rsp:dns)" in only(check(executor, settings))


def test_a_missing_designate_is_reported_only_if_it_is_required(
    project: FakeProject, executor: ThreadPoolExecutor
) -> None:
    project.absent_services.add("dns")
    assert check(executor) == []
    elsewhere = designate(credential={"id": "a", "secret": "b"})
    assert check(executor, elsewhere) == []
    (problem,) = check(executor, designate())
    assert "the cloud has no Designate" in str(problem)


def test_an_image_that_was_removed_is_a_warning_once_the_server_exists(
    project: FakeProject, executor: ThreadPoolExecutor
) -> None:
    del project.images[0]
    (problem,) = check(executor)
    assert (problem.where, problem.fatal) == ("rsp:nfs.image", True)
    project.servers = named(cloud_name("test", "nfs"))
    (problem,) = check(executor)
    assert (problem.where, problem.fatal) == ("rsp:nfs.image", False)
    assert "cannot be replaced" in problem.what


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "size",
            99,
            "99 GiB is less than the 100 GiB of the existing volume, which Cinder cannot shrink: set it to",
        ),
        (
            "type",
            "ceph-ssd",
            "is `ceph-ssd`, but the volume `rsp-test-nfs-data` has type `ceph-hdd`: set it back, or",
        ),
        ("availabilityZone", "az-2", "is `az-2`, but the volume `rsp-test-nfs-data` is in `nova`, and Cinder cannot"),
    ],
)
def test_changes_of_a_volume_that_cinder_cannot_make_are_refused(
    project: FakeProject, executor: ThreadPoolExecutor, key: str, value: Any, message: str
) -> None:
    attributes = {"size": 100, "volume_type": "ceph-hdd", "availability_zone": "nova"}
    project.volumes = named(cloud_name("test", "nfs-data"), **attributes)
    project.volume_zones += named("az-2", state={"available": True})
    assert check(executor) == []
    assert check(executor, environment(nfs__volumes__data={"size": 101})) == []
    text = only(check(executor, environment(**{f"nfs__volumes__data__{key}": value})))
    assert text.startswith(f"rsp:nfs.volumes.data.{key}: {message}")


def test_further_networks_of_the_nodes_must_exist(project: FakeProject, executor: ThreadPoolExecutor) -> None:
    labels = {"extra_network_names": "shared storage"}
    assert only(check(executor, environment(clusters__cluster__labels=labels))) == (
        "rsp:clusters.cluster.labels.extra_network_names: the cloud has no `storage`; it has: shared"
    )
    project.networks += named("storage")
    assert check(executor, environment(clusters__cluster__labels=labels)) == []


SHARES: dict[str, Any] = {"nfs": None, "shares": {"jhome": {"size": 50}}}


def test_shares_need_manila_and_no_nfs_server(project: FakeProject, executor: ThreadPoolExecutor) -> None:
    project.images = [each for each in project.images if each.name != "debian-12"]
    assert check(executor, environment(**SHARES)) == []
    project.absent_services = {"sharev2"}
    assert only(check(executor, environment(**SHARES))).startswith(
        "rsp:cloud.region: the cloud has no Manila (to use an NFS server instead of shares move the entries"
    )


def test_shares_have_quotas(project: FakeProject, executor: ThreadPoolExecutor) -> None:
    project.share_limits |= {"maxTotalShareGigabytes": 100, "totalShareGigabytesUsed": 60}
    refused = only(check(executor, environment(**SHARES)))
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
    assert check(executor, environment(**SHARES)) == []


def test_zones_of_nova_and_of_cinder_differ(project: FakeProject, executor: ThreadPoolExecutor) -> None:
    chosen = {"nfs__availabilityZone": "az-1", "nfs__volumes__data__availabilityZone": "nova"}
    assert check(executor, environment(**chosen)) == []
    swapped = {"nfs__availabilityZone": "nova", "nfs__volumes__data__availabilityZone": "az-1"}
    assert {str(each) for each in check(executor, environment(**swapped))} == {
        "rsp:nfs.availabilityZone: the cloud has no Nova availability zone `nova`; it has: az-1, az-2",
        "rsp:nfs.volumes.data.availabilityZone: the cloud has no Cinder availability zone `az-1`; it has: nova",
    }
    heat = {**HEAT, "clusters__cluster__availabilityZone": "az-1"}
    assert "rsp:clusters.cluster.availabilityZone: the cloud has no Cinder availability zone `az-1`" in only(
        [each for each in check(executor, environment(**heat)) if each.fatal]
    )
    project.volume_zones += named("az-1", state={"available": True})
    assert [each for each in check(executor, environment(**heat)) if each.fatal] == []
