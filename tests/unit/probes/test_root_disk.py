"""Root disks that Nova or Cinder would refuse are found before the server is created."""

from types import SimpleNamespace
from typing import Any

import pytest

from config.names import cloud_name
from config.nfs import ServerBootVolume
from probes import root_disk, vault_server_needs, vault_server_preflight
from tests.unit.probes.fake_project import FakeProject, named
from tests.unit.probes.preflight import check, only
from tests.unit.sample import environment, vault_stack


@pytest.mark.parametrize(
    ("disk", "boot", "min_disk", "message"),
    [
        (20, None, 3, None),
        (3, None, 3, None),
        (20, None, None, None),
        (0, 10, 3, None),
        (2, 10, 3, None),
        (
            0,
            None,
            3,
            (
                "rsp:nfs.flavor: `a` has no disk, and Nova allows only administrators to boot servers from an image "
                "with it: set rsp:nfs.bootVolume, for example {size: 3}, or choose another flavor"
            ),
        ),
        (
            2,
            None,
            3,
            "rsp:nfs.flavor: the root disk would have 2 GiB, but the image `i` requires 3: choose a larger one",
        ),
        (20, 2, 3, "rsp:nfs.bootVolume.size: the root disk would have 2 GiB, but the image `i` requires 3"),
    ],
)
def test_a_root_disk_must_exist_and_hold_the_image(
    disk: int, boot: int | None, min_disk: int | None, message: str | None
) -> None:
    flavor, image = SimpleNamespace(name="a", disk=disk), SimpleNamespace(name="i", min_disk=min_disk)
    volume = ServerBootVolume(size=boot) if boot else None
    found = [str(each) for each in root_disk.problems("rsp:nfs", flavor, image, volume)]
    assert [each[: len(message)] for each in found] == [message] if message else found == []


def test_names_that_do_not_exist_are_another_problem() -> None:
    assert list(root_disk.problems("rsp:nfs", None, None, None)) == []
    assert list(root_disk.problems("rsp:nfs", None, None, ServerBootVolume(size=1))) == []


def test_only_a_new_nfs_server_is_checked(project: FakeProject) -> None:
    project.flavors = [
        *named("m1.small", vcpus=2, ram=2048, disk=0),
        *named("m1.medium", "m1.large", vcpus=2, ram=2048, disk=20),
    ]
    assert only(check()).startswith("rsp:nfs.flavor: `m1.small` has no disk")
    assert check(environment(nfs__bootVolume={"size": 10})) == []
    wrong_type = check(environment(nfs__bootVolume={"size": 10, "type": "nvme"}))
    assert only(wrong_type).startswith("rsp:nfs.bootVolume.type: the cloud has no `nvme`")
    # This cloud allows it.
    project.servers = named(cloud_name("test", "nfs"))
    assert check() == []


def test_the_vault_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    project = FakeProject()
    project.flavors = named("m1.small", vcpus=2, ram=2048, disk=0)
    monkeypatch.setattr(vault_server_preflight, "connect_as_provider", lambda *_: project)
    monkeypatch.setattr(vault_server_preflight, "_check_certificate", lambda _: [])

    def problems(**changes: Any) -> list[str]:
        return [str(each) for each in vault_server_preflight.check(vault_stack(**changes), "test")]

    (problem,) = problems()
    assert problem.startswith("rsp-vault:server.flavor: `m1.small` has no disk")
    assert "set rsp-vault:server.bootVolume" in problem
    assert problems(server__bootVolume={"size": 10}) == []


def test_the_root_disk_of_the_vault_counts() -> None:
    needed = vault_server_needs.needs(vault_stack(server__bootVolume={"size": 10, "type": "ceph-hdd"}), {})
    assert (needed["volumes"], needed["gigabytes_ceph-hdd"], needed["gigabytes_ceph-ssd"]) == (2, 10, 20)
