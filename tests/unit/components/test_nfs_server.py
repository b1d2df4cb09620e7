import pulumi
import pytest
import yaml

from components.nfs_server import NfsServer
from program.openstack_arguments import nfs_server
from tests.unit.given_network import GivenNetwork, on_cloud
from tests.unit.recording import ProgramRunner, Recording
from tests.unit.sample import environment


def make(run_program: ProgramRunner, **changes: object) -> Recording:
    settings = environment(**changes)

    def program() -> None:
        args = nfs_server(settings, GivenNetwork())
        assert args
        server = NfsServer("nfs", args, on_cloud())
        pulumi.export("address", server.address)
        pulumi.export("exports", server.exports)

    return run_program(program)


@pytest.fixture
def recording(run_program: ProgramRunner) -> Recording:
    return make(run_program)


def test_only_nfs_from_the_subnet_is_admitted(recording: Recording) -> None:
    ingress = [rule.inputs for rule in recording.of("SecGroupRule") if rule.inputs["direction"] == "ingress"]
    assert [(rule["protocol"], rule["portRangeMin"], rule["portRangeMax"]) for rule in ingress] == [("tcp", 2049, 2049)]
    assert ingress[0]["remoteIpPrefix"] == "10.20.0.0/24"


def test_egress_is_limited(recording: Recording) -> None:
    assert recording.one("SecGroup").inputs["deleteDefaultRules"] is True
    egress = {
        (rule.inputs["protocol"], rule.inputs["portRangeMin"], rule.inputs["portRangeMax"])
        for rule in recording.of("SecGroupRule")
        if rule.inputs["direction"] == "egress"
    }
    assert egress == {("udp", 53, 53), ("tcp", 53, 53), ("udp", 123, 123), ("tcp", 80, 80), ("tcp", 443, 443)}


def test_the_port_has_a_fixed_address_and_its_own_security_group(recording: Recording) -> None:
    assert list(recording.one("Port").request.replaceOnChanges) == ["fixedIps"]
    port = recording.one("Port").inputs
    assert port["fixedIps"] == [{"subnetId": "subnet-id", "ipAddress": "10.20.0.10"}]
    assert port["securityGroupIds"] == ["nfs-group-id"]
    assert recording.one("Instance").inputs["networks"] == [{"port": "nfs-port-id"}]


def test_data_outlive_the_server(recording: Recording) -> None:
    volumes = recording.of("Volume")
    assert {volume.name: volume.inputs["size"] for volume in volumes} == {"nfs-data": 100, "nfs-jhome": 50}
    assert all(volume.protect and volume.retained for volume in volumes)
    # What a restored volume was made from does not replace it.
    assert {each for volume in volumes for each in volume.ignored} == {"snapshotId", "backupId", "sourceVolId"}
    root, *data = recording.one("Instance").inputs["blockDevices"]
    assert (root["uuid"], root["sourceType"], root["bootIndex"]) == ("image-id", "image", 0)
    assert [each["uuid"] for each in data] == ["nfs-data-id", "nfs-jhome-id"]
    assert all(each["bootIndex"] == -1 and not each.get("deleteOnTermination") for each in data)


def test_the_root_disk_can_be_a_volume_that_nova_deletes_with_the_server(
    run_program: ProgramRunner, recording: Recording
) -> None:
    local = recording.one("Instance").inputs["blockDevices"][0]
    assert (local["destinationType"], local["deleteOnTermination"], "volumeSize" in local) == ("local", True, False)
    server = make(run_program, nfs__bootVolume={"size": 10, "type": "ceph-ssd"}).one("Instance").inputs
    assert server["blockDevices"][0] == {
        "uuid": "image-id",
        "sourceType": "image",
        "destinationType": "volume",
        "volumeSize": 10,
        "volumeType": "ceph-ssd",
        "bootIndex": 0,
        "deleteOnTermination": True,
    }
    assert server["blockDevices"][1:] == recording.one("Instance").inputs["blockDevices"][1:]


def test_a_newer_image_does_not_replace_the_server(recording: Recording) -> None:
    server = recording.one("Instance")
    assert server.ignored == {"imageId", "blockDevices[0].uuid"}
    assert server.request.deleteBeforeReplace
    assert server.inputs["stopBeforeDestroy"] is True
    # Where Nova would keep a deleted server for some time, the new one could not get its port and volumes.
    assert server.inputs["forceDelete"] is True


def test_a_removed_image_does_not_affect_the_server(run_program: ProgramRunner) -> None:
    without_image = run_program.having(invokes={"openstack:images/getImageIds:getImageIds": {"ids": []}})
    assert make(without_image).one("Instance").inputs.get("imageId", "") == ""


def test_the_user_data_contain_the_volumes(recording: Recording) -> None:
    user_data = recording.one("Instance").inputs["userData"]
    assert user_data.startswith("#cloud-config\n")
    assert all(identity in str(yaml.safe_load(user_data)) for identity in ("nfs-data-id", "nfs-jhome-id"))


def test_root_is_mapped_to_nobody_by_default(recording: Recording) -> None:
    user_data = recording.one("Instance").inputs["userData"]
    assert "/srv/nfs/data 10.20.0.0/24(rw,mp,root_squash," in user_data
    assert "/srv/nfs/jhome 10.20.0.0/24(rw,mp,no_root_squash," in user_data


def test_address_and_exports_are_known_in_a_preview(run_program: ProgramRunner) -> None:
    exports = make(run_program.having(preview=True)).exports
    assert exports == {"address": "10.20.0.10", "exports": ["/data", "/jhome"]}


def test_the_order_of_the_volumes_does_not_matter(run_program: ProgramRunner, recording: Recording) -> None:
    volumes = {
        "jhome": {"size": 50, "type": "ceph-ssd", "rootSquash": False},
        "data": {"size": 100, "type": "ceph-hdd"},
    }
    again = make(run_program, nfs__volumes=volumes)
    assert {each.urn for each in again.resources} == {each.urn for each in recording.resources}
    assert again.one("Instance").inputs == recording.one("Instance").inputs
