import uuid
from typing import Any

import pytest

from config.stack_config import StackConfig
from tests.unit.probes.fake_project import FakeProject, named
from tests.unit.probes.preflight import check, only
from tests.unit.sample import HEAT, environment


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
@pytest.mark.usefixtures("project")
def test_names_that_do_not_exist_are_reported(changes: dict[str, Any], message: str) -> None:
    assert message in only(check(environment(**changes)))


def test_an_image_that_glance_does_not_list_can_be_set_by_its_id(project: FakeProject) -> None:
    hidden = project.images.pop(0)
    hidden.id = str(uuid.uuid4())
    by_id = environment(nfs__image=hidden.id)
    assert f"rsp:nfs.image: the cloud has no `{hidden.id}`" in only(check(by_id))
    project.image.find_image = {hidden.id: hidden}.get
    assert check(by_id) == []
    assert only(check()).endswith("one that Glance does not list can be set by its ID")


@pytest.mark.usefixtures("project")
def test_a_zone_of_nodes_that_does_not_exist_is_reported() -> None:
    key = "rsp:clusters.cluster.nodeGroups.labs.availabilityZone"
    wrong, right = (
        environment(**HEAT, clusters__cluster__nodeGroups__labs__availabilityZone=zone) for zone in ("az1", "az-1")
    )
    problems = {*map(str, check(wrong))} - {*map(str, check(right))}
    assert problems == {f"{key}: the cloud has no Nova availability zone `az1`; it has: az-1, az-2"}
    volumes = {
        "clusters__cluster__nodeGroups__labs__availabilityZone": "az-1",
        "clusters__cluster__bootVolume": {"size": 40},
    }
    problems = {str(each) for each in check(environment(**HEAT, **volumes)) if each.where == key}
    assert problems == {f"{key}: the cloud has no Cinder availability zone `az-1`; it has: nova"}


def test_an_existing_address_of_the_platform_is_checked(project: FakeProject) -> None:
    project.network.ips = lambda **_: []
    message = only(check(environment(ingress__floatingIp="192.0.2.1")))
    assert message == "rsp:ingress.floatingIp: the project has no floating IP 192.0.2.1; it has: none"


def designate(**settings: Any) -> StackConfig:
    challenge = {"kind": "designate", "zone": "acme.example.org", **settings}
    return environment(tls={"kind": "letsencrypt", "email": "rsp@example.org", "challenge": challenge})


@pytest.mark.usefixtures("project")
def test_a_zone_of_designate_is_found() -> None:
    assert check(designate()) == []


def test_a_missing_zone_of_designate_is_reported(project: FakeProject) -> None:
    project.zones.pop(0)
    (problem,) = check(designate())
    assert str(problem) == "rsp:tls.challenge.zone: the cloud has no `acme.example.org.`; it has: example.com."


def test_the_zone_of_the_platforms_records_is_checked_too(project: FakeProject) -> None:
    settings = environment(dns={"kind": "designate", "zone": "example.com"})
    assert check(settings) == []
    project.zones[1].status = "ERROR"
    assert only(check(settings)).startswith("rsp:dns.zone: the zone `example.com.` has the status ERROR")
    project.zones[1].type = "SECONDARY"
    assert "rsp:dns.zone: the zone `example.com.` is a secondary zone" in only(check(settings))
    project.zones[1].project_id = "theirs"
    message = only(check(settings))
    assert message.startswith("rsp:dns.zone: the zone `example.com.` belongs to another project (theirs): have it tran")
    project.zones.pop(1)
    assert only(check(settings)) == ("rsp:dns.zone: the cloud has no `example.com.`; it has: acme.example.org.")
    project.absent_services.add("dns")
    assert "the cloud has no Designate (to use another service change rsp:dns)" in only(check(settings))


def test_a_missing_designate_is_reported_only_if_it_is_required(project: FakeProject) -> None:
    project.absent_services.add("dns")
    assert check() == []
    elsewhere = designate(credential={"id": "a", "secret": "b"})
    assert check(elsewhere) == []
    (problem,) = check(designate())
    assert "the cloud has no Designate" in str(problem)


def test_further_networks_of_the_nodes_must_exist(project: FakeProject) -> None:
    labels = {"extra_network_names": "shared storage"}
    assert only(check(environment(clusters__cluster__labels=labels))) == (
        "rsp:clusters.cluster.labels.extra_network_names: the cloud has no `storage`; it has: shared"
    )
    project.networks += named("storage")
    assert check(environment(clusters__cluster__labels=labels)) == []


def test_zones_of_nova_and_of_cinder_differ(project: FakeProject) -> None:
    chosen = {"nfs__availabilityZone": "az-1", "nfs__volumes__data__availabilityZone": "nova"}
    assert check(environment(**chosen)) == []
    swapped = {"nfs__availabilityZone": "nova", "nfs__volumes__data__availabilityZone": "az-1"}
    assert {str(each) for each in check(environment(**swapped))} == {
        "rsp:nfs.availabilityZone: the cloud has no Nova availability zone `nova`; it has: az-1, az-2",
        "rsp:nfs.volumes.data.availabilityZone: the cloud has no Cinder availability zone `az-1`; it has: nova",
    }
    heat = {**HEAT, "clusters__cluster__availabilityZone": "az-1"}
    assert "rsp:clusters.cluster.availabilityZone: the cloud has no Cinder availability zone `az-1`" in only(
        [each for each in check(environment(**heat)) if each.fatal]
    )
    project.volume_zones += named("az-1", state={"available": True})
    assert [each for each in check(environment(**heat)) if each.fatal] == []
