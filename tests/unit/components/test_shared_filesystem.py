from typing import Any

import pulumi
import pytest

from components.shared_filesystem import SharedFilesystem
from program.openstack_arguments import shares
from tests.unit.given_network import on_cloud
from tests.unit.recording import ProgramRunner, Recording
from tests.unit.sample import environment

SHARE = "openstack:sharedfilesystem/share:Share"
NETWORK = {"openstack:sharedfilesystem/getShareNetwork:getShareNetwork": {"id": "id-of-storage"}}


def make(run_program: ProgramRunner, **share: Any) -> Recording:
    settings = environment(shares={"files": {"size": 10, **share}})

    def program() -> None:
        made = SharedFilesystem("share-files", shares(settings)["files"], on_cloud())
        for name in ("location", "server", "path", "access_key"):
            pulumi.export(name, getattr(made, name))

    return run_program(program)


def rules(recording: Recording) -> dict[str, tuple[str, str, str]]:
    return {
        each.name: (each.inputs["accessType"], each.inputs["accessTo"], each.inputs["accessLevel"])
        for each in recording.of("ShareAccess")
    }


def test_an_nfs_share_is_for_the_clusters_subnet(run_program: ProgramRunner) -> None:
    recording = make(run_program, type="cephfs-nfs")
    share = recording.one("Share")
    assert share.protect
    assert share.inputs == {
        "name": "rsp-test-share-files",
        "description": "Files of the Rubin Science Platform (test)",
        "size": 10,
        "shareProto": "NFS",
        "shareType": "cephfs-nfs",
    }
    assert rules(recording) == {"share-files-access-10.20.0.0/24": ("ip", "10.20.0.0/24", "rw")}
    assert all(each.inputs["shareId"] == "share-files-id" for each in recording.of("ShareAccess"))


def test_clients_mount_the_preferred_export_location(run_program: ProgramRunner) -> None:
    assert make(run_program).exports == {
        "location": "192.0.2.10:/volumes/preferred",
        "server": "192.0.2.10",
        "path": "/volumes/preferred",
    }


def test_a_share_without_export_location_is_an_error(run_program: ProgramRunner) -> None:
    with pytest.raises(pulumi.RunError, match="no export location: see `openstack share export location list"):
        make(run_program.having(computed={SHARE: {"exportLocations": []}}))


def test_each_given_client_has_a_rule(run_program: ProgramRunner) -> None:
    recording = make(run_program, clients=["192.0.2.9/32", "198.51.100.0/28"], readOnly=True)
    assert rules(recording) == {
        "share-files-access-192.0.2.9/32": ("ip", "192.0.2.9/32", "ro"),
        "share-files-access-198.51.100.0/28": ("ip", "198.51.100.0/28", "ro"),
    }
    # Manila refuses two rules for one client.
    assert all(each.request.deleteBeforeReplace for each in recording.of("ShareAccess"))


def test_a_cephfs_share_has_an_identity_whose_key_is_secret(run_program: ProgramRunner) -> None:
    recording = make(run_program, protocol="CEPHFS", type="cephfs")
    assert rules(recording) == {"share-files-access": ("cephx", "rsp-test-share-files", "rw")}
    assert recording.exports["access_key"] == "key-of-the-identity"
    assert recording.veiled_exports["access_key"] == "[secret]"


def test_a_share_is_in_its_network(run_program: ProgramRunner) -> None:
    recording = make(run_program.having(invokes=NETWORK), network="storage")
    assert recording.one("Share").inputs["shareNetworkId"] == "id-of-storage"
