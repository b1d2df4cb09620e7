import re
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from keystoneauth1.exceptions import EndpointNotFound
from openstack import exceptions

from config.names import cloud_name
from phalanx.claims import Claim
from tests.unit.probes import recorded_magnum
from tests.unit.probes.fake_project import IMAGE, FakeProject, named
from tests.unit.probes.preflight import SHARES, check, check_all, only
from tests.unit.sample import HEAT, environment


@pytest.mark.parametrize(
    ("volume", "message"),
    [
        ({"status": "available", "size": 8}, ""),
        ({"status": "in-use", "size": 9}, ""),
        ({"status": "error", "size": 8}, "has status error, in which no node can attach it"),
        ({"status": "available", "size": 7}, "has 7 GiB, less than the 8 GiB that the claim requests"),
        (None, "the project has no volume"),
    ],
)
def test_the_volume_of_a_claim_must_be_usable(
    project: FakeProject, volume: dict[str, Any] | None, message: str
) -> None:
    id_ = "6a3c6ab7-3f5b-4d0a-9e34-9c6f5b1f6f0e"
    project.volumes = [SimpleNamespace(id=id_, name="old", metadata={}, **volume)] if volume else []
    config = environment(clusters__cluster__claims={"postgres/physpvc": id_})
    claim = Claim(application="postgres", namespace="postgres", name="physpvc", storage_class=None, size=8)
    problems = check(config, [claim])
    if message:
        text = only(problems)
        assert text.startswith("rsp:clusters.cluster.claims.postgres/physpvc: ")
        assert message in text
        assert id_ in text
    else:
        assert problems == []


@pytest.mark.usefixtures("project")
def test_the_volumes_of_claims_count_for_the_quotas() -> None:
    claim = Claim(application="tap", namespace="tap", name="data", storage_class="standard", size=1, count=100)
    text = only(check(claims=[claim]))
    assert text.startswith("quota of project `rsp`")
    assert re.search(r"volumes +\d+ +0 +20 ", text)


@pytest.mark.usefixtures("project")
def test_a_suitable_project_has_no_problems() -> None:
    assert check() == []


def test_all_problems_are_reported_together(project: FakeProject) -> None:
    project.cores = 4
    problems = check(environment(nfs__image="x", nfs__flavor="y", network__externalNetwork="z"))
    assert [problem.where for problem in problems] == [
        "rsp:network.externalNetwork",
        "rsp:nfs.image",
        "rsp:nfs.flavor",
        "quota of project `rsp`",
    ]


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
def test_image_driver_and_release_must_fit(
    project: FakeProject,
    changes: dict[str, Any],
    image: dict[str, Any],
    fatal: bool | None,
    message: str,
) -> None:
    settings = environment(**changes)
    (used,) = [each for each in project.images if each.name == settings.cluster.image]
    used.os_distro = image.get("os_distro", used.os_distro)
    used.properties = {"kube_version": image.get("kube_version", used.properties.get("kube_version"))}
    problems = check(settings)
    assert [problem.fatal for problem in problems] == ([] if fatal is None else [fatal])
    assert "".join(map(str, problems)).startswith(message)


def test_several_images_of_the_same_name_need_an_id(project: FakeProject) -> None:
    project.images += named(IMAGE, os_distro="ubuntu", properties={"kube_version": "v1.36.3"})
    first, second = [each for each in project.images if each.name == IMAGE]
    first.id, second.id = "first-id", "second-id"
    refusal = f"rsp:clusters.cluster.image: the cloud has 2 images `{IMAGE}`: set the ID of the right one: "
    assert f"{refusal}first-id or second-id" in map(str, check())
    assert check(environment(clusters__cluster__image="first-id")) == []

    project.clusters["rsp-test-cluster"] = recorded_magnum.cluster(flavor_id="id-of-m1.medium")
    project.templates["template-uuid"] = recorded_magnum.template()  # with the name, as Magnum looks it up each time
    assert only(check()).startswith(refusal)
    project.templates["template-uuid"] = recorded_magnum.template(image_id="first-id")
    assert check() == []
    upgraded = check(environment(clusters__cluster__kubernetesVersion="v1.37.0"))
    assert upgraded[0].what.startswith("the cloud has 2 images")


def test_a_deleted_image_of_the_nodes_is_a_warning(project: FakeProject) -> None:
    gone = "6a3c6ab7-3f5b-4d0a-9e34-9c6f5b1f6f0e"
    project.clusters["rsp-test-cluster"] = recorded_magnum.cluster()
    project.templates["template-uuid"] = recorded_magnum.template(image_id=gone)
    assert only(check()).startswith(
        f"rsp:clusters.cluster.image (warning): the image {gone} of the cluster's nodes was"
    )


def test_an_image_that_is_absent_is_needed_only_if_it_is_another_one(project: FakeProject) -> None:
    project.clusters["rsp-test-cluster"] = recorded_magnum.cluster(flavor_id="id-of-m1.medium")
    project.templates["template-uuid"] = recorded_magnum.template(image_id=f"id-of-{IMAGE}")
    other = environment(clusters__cluster__image="ubuntu-2404-kube-v1.36.3-rebuilt")
    assert [each.fatal for each in check(other) if each.where == "rsp:clusters.cluster.image"] == [True]
    project.images = [each for each in project.images if each.name != IMAGE]
    assert {each.fatal for each in check() if each.where == "rsp:clusters.cluster.image"} == {False}


def test_a_flavor_too_small_for_cluster_api_is_a_warning(project: FakeProject) -> None:
    (large,) = [each for each in project.flavors if each.name == "m1.large"]
    large.vcpus = 1
    (problem,) = check()
    assert not problem.fatal
    assert str(problem).startswith(
        "rsp:clusters.cluster.nodeGroups.labs.flavor (warning): `m1.large` has 1 vCPUs and 2048 MiB"
    )
    assert [each for each in check(environment(**HEAT)) if "flavor" in each.where] == []


@pytest.mark.usefixtures("project")
def test_allowed_networks_of_the_api_must_be_verified() -> None:
    limited = {"clusters__cluster__apiAllowedCidrs": ["192.0.2.0/24"], "ingress": {"loadBalancerProvider": "amphora"}}
    (problem,) = check(environment(**limited))
    assert not problem.fatal
    assert problem.where == "rsp:clusters.cluster.apiAllowedCidrs"


def test_nodes_of_cluster_api_report_few_images(project: FakeProject) -> None:
    assert only(check_all()).startswith("rsp:clusters.cluster.driver (warning): is capi, whose nodes report 50 images")
    assert not [each for each in check_all(environment(**HEAT)) if "50 images" in each.what]
    project.clusters["rsp-test-cluster"] = recorded_magnum.cluster()
    project.templates["template-uuid"] = recorded_magnum.template()
    assert check_all() == []


def test_a_single_master_is_a_warning_until_the_cluster_exists(project: FakeProject) -> None:
    single = environment(clusters__cluster__masters__count=1)
    assert only(check(single)).startswith(
        "rsp:clusters.cluster.masters.count (warning): is 1: the loss of this server or its disk is the loss of the "
    )
    project.clusters["rsp-test-cluster"] = recorded_magnum.cluster(single)
    project.templates["template-uuid"] = recorded_magnum.template(single)
    assert check(single) == []


def test_an_existing_cluster_is_compared(project: FakeProject) -> None:
    project.clusters["rsp-test-cluster"] = recorded_magnum.cluster(flavor_id="id-of-m1.medium")
    project.templates["template-uuid"] = recorded_magnum.template()
    assert check() == []
    message = only(check(environment(clusters__cluster__workers__flavor="m1.large")))
    assert message.startswith(
        "rsp:clusters.cluster.workers.flavor: is `m1.large`, but the cluster `rsp-test-cluster` was"
    )


@pytest.mark.parametrize(("address", "wanted"), [("203.0.113.7", False), ("10.20.0.7", True)])
def test_an_api_that_is_not_public_as_configured_is_refused(project: FakeProject, address: str, wanted: bool) -> None:
    """The label of the cluster is what was configured, but older drivers ignore it."""
    config = environment(clusters__cluster__publicApi=wanted)
    project.network.ips = lambda **_: [SimpleNamespace(floating_ip_address="203.0.113.7", port_id=None, description="")]
    url = f"https://{address}:6443"
    found = recorded_magnum.cluster(config, flavor_id="id-of-m1.medium", api_address=url)
    project.clusters["rsp-test-cluster"] = found
    project.templates["template-uuid"] = recorded_magnum.template(config)
    message = only(check(config))
    assert message.startswith(f"rsp:clusters.cluster.publicApi: is `{str(wanted).lower()}`, but the cluster ")
    assert ("magnum-capi-helm 1.3.0" in message) is not wanted
    assert check(environment(clusters__cluster__publicApi=not wanted)) == []


@pytest.mark.parametrize("url", [None, "https://api.example.org:6443", "https://198.51.100.1:6443"])
def test_an_unknown_address_says_nothing(project: FakeProject, url: str | None) -> None:
    project.clusters["rsp-test-cluster"] = recorded_magnum.cluster(flavor_id="id-of-m1.medium", api_address=url)
    project.templates["template-uuid"] = recorded_magnum.template()
    assert check() == []


def test_a_service_that_the_region_lacks(project: FakeProject) -> None:
    project.absent_services = {"container-infra", "object-store"}
    problems = check(environment(nfs__image="x"))
    assert [problem.what.split(" in ")[0] for problem in problems] == [
        "the cloud has no Magnum",
        "the cloud has no Swift (to use an existing bucket instead set rsp:objectStore.kind to s3)",
    ]


def test_the_provider_of_load_balancers_must_exist(project: FakeProject) -> None:
    project.load_balancer_providers = named("amphora", "octavia")
    assert only(check()) == (
        "rsp:ingress.loadBalancerProvider: the cloud has no Octavia provider `ovn`; it has: amphora, octavia"
    )
    assert check(environment(ingress__loadBalancerProvider="amphora")) == []


def test_a_user_without_a_role_of_octavia_is_told_which_one_is_needed(project: FakeProject) -> None:
    def refuse() -> None:
        raise exceptions.ForbiddenException("Policy does not allow this request to be performed.")

    project.load_balancer_quota = exceptions.ForbiddenException("quota")
    project.load_balancer.providers = project.load_balancer.load_balancers = refuse
    message = only(check())
    assert message.startswith("Octavia: refuses the user (403): ask the cloud's administrators for the role load-bal")
    assert "load-balancer_observer" in message


def test_a_failing_service_is_reported(project: FakeProject) -> None:
    project.image.images = Mock(side_effect=EndpointNotFound("glance is away.\nand more"))
    assert only(check()).startswith("Glance: request failed: glance is away: check that the service is running")


def test_an_image_that_was_removed_is_a_warning_once_the_server_exists(project: FakeProject) -> None:
    del project.images[0]
    (problem,) = check()
    assert (problem.where, problem.fatal) == ("rsp:nfs.image", True)
    project.servers = named(cloud_name("test", "nfs"))
    (problem,) = check()
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
    project: FakeProject, key: str, value: Any, message: str
) -> None:
    attributes = {"size": 100, "volume_type": "ceph-hdd", "availability_zone": "nova"}
    project.volumes = named(cloud_name("test", "nfs-data"), **attributes)
    project.volume_zones += named("az-2", state={"available": True})
    assert check() == []
    assert check(environment(nfs__volumes__data={"size": 101})) == []
    text = only(check(environment(**{f"nfs__volumes__data__{key}": value})))
    assert text.startswith(f"rsp:nfs.volumes.data.{key}: {message}")


def test_shares_need_manila_and_no_nfs_server(project: FakeProject) -> None:
    project.images = [each for each in project.images if each.name != "debian-12"]
    assert check(environment(**SHARES)) == []
    project.absent_services = {"sharev2"}
    assert only(check(environment(**SHARES))).startswith(
        "rsp:cloud.region: the cloud has no Manila (to use an NFS server instead of shares move the entries"
    )
