from types import SimpleNamespace
from typing import Any

import pytest

from probes import existing_shares
from tests.unit.probes.fake_project import FakeProject, named
from tests.unit.sample import environment

OWN_SERVERS = {"driver_handles_share_servers": "True"}


def problems(project: FakeProject, **share: Any) -> list[str]:
    config = environment(shares={"files": {"size": 10, **share}})
    return [str(each) for each in existing_shares.problems(config, "test", project.shared_file_system)]


def existing(**changes: Any) -> FakeProject:
    """Return a project in which the share exists."""
    project = FakeProject()
    found = {"size": 10, "share_protocol": "NFS", "share_type": "cephfs-nfs", "share_network_id": None, **changes}
    project.shares = [SimpleNamespace(name="rsp-test-share-files", **found)]
    return project


@pytest.mark.parametrize("share", [{}, {"type": "cephfs-nfs"}])
def test_a_share_of_the_clouds_types_can_be_created(share: dict[str, Any]) -> None:
    assert problems(FakeProject(), **share) == []


@pytest.mark.parametrize(
    ("share", "problem"),
    [
        ({"type": "gold"}, "type: the cloud has no share type `gold`; it has: cephfs, cephfs-nfs"),
        ({"network": "lan"}, "network: the cloud has no share network `lan`; it has: storage"),
    ],
)
def test_names_that_do_not_exist(share: dict[str, Any], problem: str) -> None:
    assert f"rsp:shares.files.{problem}" in problems(FakeProject(), **share)


def test_without_a_default_type_the_key_is_required() -> None:
    project = FakeProject()
    project.default_share_type = None
    (problem,) = problems(project)
    assert problem.startswith("rsp:shares.files.type: is not set, and the cloud has no default share type: set it to")
    assert problem.endswith("one of cephfs, cephfs-nfs")


def test_share_servers_need_a_network() -> None:
    project = FakeProject()
    project.share_types = named("cephfs-nfs", extra_specs=OWN_SERVERS)
    assert problems(project, network="storage") == []
    (problem,) = problems(project)
    assert problem.startswith("rsp:shares.files.network: is required by share type `cephfs-nfs`, whose driver creates")


def test_without_share_servers_no_network_is_possible() -> None:
    (problem,) = problems(FakeProject(), network="storage")
    assert problem.startswith("rsp:shares.files.network: is not supported by share type `cephfs-nfs`")


@pytest.mark.parametrize("share", [{}, {"size": 11}, {"type": "cephfs-nfs"}])
def test_what_an_existing_share_can_get(share: dict[str, Any]) -> None:
    assert problems(existing(), **share) == []


@pytest.mark.parametrize(
    ("share", "problem"),
    [
        ({"size": 9}, "size: 9 GiB is less than the 10 GiB of the existing share, whose data may not fit: set it to"),
        ({"protocol": "CEPHFS"}, "protocol: is CEPHFS, but the share `rsp-test-share-files` has protocol NFS: set it"),
        ({"type": "cephfs"}, "type: is `cephfs`, but the share `rsp-test-share-files` has type `cephfs-nfs`: set it"),
        ({"network": "storage"}, "network: is `storage`, but the share `rsp-test-share-files` is in none: set it back"),
    ],
)
def test_what_an_existing_share_cannot_get(share: dict[str, Any], problem: str) -> None:
    (found,) = problems(existing(), **share)
    assert found.startswith(f"rsp:shares.files.{problem}")


def test_newer_versions_of_manila_return_the_id_of_the_type() -> None:
    assert problems(existing(share_type="id-of-cephfs-nfs"), type="cephfs-nfs") == []
